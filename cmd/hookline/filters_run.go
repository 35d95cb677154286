package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/cmd/hookline/filtertest"
)

func filtersTestCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "test FILE...", Short: "Run files of filter tests: a filter, events, what is expected", Args: someFiles,
		Long: `Run files of filter tests, for a team's own repository and its CI. Exit 1 if anything is not as
expected. A file is YAML, one or more documents:

  filter: data.zone.name == "example.com" and data.record.ttl < 60
  event_types: [zone_record.*]       # optional
  profile: dnsimple                  # optional: whose catalogue to check against
  strict: true                       # optional: warnings fail
  tests:
    - name: a short time to live
      event:
        type: zone_record.create
        data: {zone: {name: example.com}, record: {ttl: 30}}
      expect: match                  # match, no or error
      because: data.record.ttl < 60  # optional: a clause that decided
    - event_file: events/other.json  # beside the file
      expect: error
      message: compares nil          # optional: part of the error`,
		Example: `  hookline filters test filters/*.yaml`,
	}
	outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		inJSON, err := wantsJSON(cmd)
		if err != nil {
			return err
		}
		var all []testedFile
		for _, name := range files {
			f, err := testFile(name)
			if err != nil {
				return err
			}
			all = append(all, f)
		}
		passed := allPassed(all)
		if inJSON {
			err = t.showJSON(asTests(all))
		} else {
			t.tested(all)
		}
		if err == nil && !passed {
			return errSilent{exitError}
		}
		return err
	}
	return cmd
}

func someFiles(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("%s needs FILE", cmd.CommandPath())
	}
	return nil
}

type testedFile struct {
	name    string
	results []filtertest.Result
}

func testFile(name string) (testedFile, error) {
	out := testedFile{name: name}
	raw, err := os.ReadFile(name)
	if err != nil {
		return out, err
	}
	suites, err := filtertest.Parse(raw)
	if err != nil {
		return out, fmt.Errorf("%s: %w", name, err)
	}
	options := filtertest.Options{Profile: profileOf, Read: func(file string) ([]byte, error) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(name), file)
		}
		return os.ReadFile(file)
	}}
	for i := range suites {
		out.results = append(out.results, filtertest.Run(&suites[i], options))
	}
	return out, nil
}

func allPassed(files []testedFile) bool {
	for _, f := range files {
		for i := range f.results {
			if !f.results[i].Passed() {
				return false
			}
		}
	}
	return true
}

func (t *terminal) tested(files []testedFile) {
	tests, failed, refused := 0, 0, 0
	for _, f := range files {
		for i := range f.results {
			r := &f.results[i]
			t.say("%s, line %d", f.name, r.Suite.Line)
			if r.Failed != "" {
				refused++
				t.say("  FAIL  %s", printable(r.Failed))
			}
			for i := range r.Checked.Errors {
				t.say("  error: %s", remarkText(&r.Checked.Errors[i]))
			}
			for i := range r.Checked.Warnings {
				t.say("  warning: %s", remarkText(&r.Checked.Warnings[i]))
			}
			for _, o := range r.Outcomes {
				if tests++; o.Fail == "" {
					t.say("  ok    %s", testName(o.Test))
					continue
				}
				failed++
				t.say("  FAIL  %s\n        line %d: %s", testName(o.Test), o.Test.Line, printable(o.Fail))
			}
		}
	}
	t.say("%d tests, %d failed%s", tests, failed, refusedText(refused))
}

func refusedText(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d filters could not be tested", n)
}

func testName(test *filtertest.Test) string {
	switch {
	case test.Name != "":
		return printable(test.Name)
	case test.Event != nil:
		return fmt.Sprintf("line %d: %s of %s", test.Line, test.Expect, printable(test.Event.Type))
	}
	return fmt.Sprintf("line %d: %s of %s", test.Line, test.Expect, printable(test.EventFile))
}

// testedJSON is a test for programs.
type testedJSON struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Name   string `json:"name"`
	Filter string `json:"filter"`
	Expect string `json:"expect"`
	Got    string `json:"got"`
	Passed bool   `json:"passed"`
	Why    string `json:"why"`
}

func asTests(files []testedFile) []testedJSON {
	out := []testedJSON{}
	for _, f := range files {
		for _, r := range f.results {
			if r.Failed != "" {
				out = append(out, testedJSON{File: f.name, Line: r.Suite.Line, Filter: r.Suite.Filter, Why: r.Failed})
			}
			for _, o := range r.Outcomes {
				out = append(out, testedJSON{File: f.name, Line: o.Test.Line, Name: o.Test.Name, Filter: r.Suite.Filter, Expect: o.Test.Expect,
					Got: o.Got, Passed: o.Fail == "", Why: o.Fail})
			}
		}
	}
	return out
}
