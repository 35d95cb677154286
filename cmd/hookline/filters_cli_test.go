package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// The files of testdata/filters show the commands at work. `file NAME` writes a file; `run` runs `hookline filters` with an
// argument on each line, of which one that begins with < is standard input; out come both outputs and the exit code.
func TestFiltersGolden(t *testing.T) {
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	datadriven.Walk(t, filepath.Join(wd, "testdata", "filters"), func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "file":
				if err := os.WriteFile(d.CmdArgs[0].Key, []byte(d.Input+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				return ""
			case "run":
				args, stdin := []string{"filters"}, ""
				for line := range strings.Lines(d.Input) {
					if text, ok := strings.CutPrefix(line, "<"); ok {
						stdin += text
						continue
					}
					args = append(args, strings.TrimSuffix(line, "\n"))
				}
				o := cli(t, stdin, nil, args...)
				return fmt.Sprintf("%s%sexit %d\n", measuredTimes.ReplaceAllString(o.out, "N"), o.err, o.code)
			}
			t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
			return ""
		})
	})
}

var measuredTimes = regexp.MustCompile(`\b[0-9]+ ns\b`)

// From "I want zone changes of example.com only" to a saved, explained subscription by the CLI alone.
func TestFiltersOfATenant(t *testing.T) {
	s := startServe(t, t.TempDir(), "--clock", "manual", "--clock-start", "2026-01-01T00:00:00Z", "--allow-cidr", "127.0.0.0/8")
	t.Chdir(t.TempDir())
	step := func(want int, say string, args ...string) string {
		t.Helper()
		o := cli(t, "", s.env(), args...)
		if o.code != want || !strings.Contains(o.out+o.err, say) {
			t.Fatalf("%s: exit %d, want %d and %q\n%s%s", strings.Join(args, " "), o.code, want, say, o.out, o.err)
		}
		return o.out
	}
	step(0, "", "tenants", "create", "--id", "1010", "--profile", "dnsimple", "--name", "Example",
		"--attributes", `{"id":1010,"identifier":"owner@example.com","display":"Example"}`)
	const filter = `data.zone.name == "example.com"`
	step(1, "zone.name", "filters", "check", `zone.name == "example.com"`, "--tenant", "1010")
	step(0, "cost: at most 1 us", "filters", "check", filter, "--tenant", "1010", "--event-types", "zone.*")
	step(0, "", "endpoints", "create", "1010", "--url", "https://127.0.0.1:1/hooks", "--event-types", "zone.*", "--filter", filter)
	step(0, "", "endpoints", "create", "1010", "--url", "https://127.0.0.1:1/other", "--event-types", "zone.*", "--filter", `data.zone.name == "a" and data.zone.name == "b"`)
	if err := os.WriteFile("data.json", []byte(`{"zone":{"name":"example.com"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	out := step(0, "1 matched", "publish", "1010", "zone.create", "-d", "data.json")
	id := strings.Fields(out)[1]
	out = step(0, "it matches, because `data.zone.name == \"example.com\"` is true", "filters", "explain", "--tenant", "1010", "--event-id", id)
	if !strings.Contains(out, "it does not match, because `data.zone.name == \"a\"` is false") {
		t.Error(out)
	}
	step(0, `data.zone.name is "example.com"`, "filters", "explain", "data.zone.name endsWith \".net\"", "--tenant", "1010", "--event-id", id)
	eps := strings.Fields(step(0, "", "endpoints", "list", "1010"))
	var endpoints []string
	for _, word := range eps {
		if strings.HasPrefix(word, "ep_") {
			endpoints = append(endpoints, word)
		}
	}
	if len(endpoints) != 2 {
		t.Fatal(eps)
	}
	// Newest first: the one that did not match, then the one that did, whatever becomes of its subscription.
	step(0, "no subscription of the endpoint took it", "why", "1010", id, endpoints[0])
	step(0, "", "endpoints", "update", "1010", endpoints[1], "--filter", `data.zone.name == "other"`)
	step(0, "it matched when it was published; delivery dlv_", "why", "1010", id, endpoints[1])
	step(0, `"matched":true`, "why", "1010", id, endpoints[1], "-o", "json")
	step(1, "no endpoint", "why", "1010", id, "ep_none")
	step(1, "cannot be \"a\" and \"b\" at once", "filters", "lint", "--tenant", "1010")
	step(1, "no event", "filters", "explain", "--tenant", "1010", "--event-id", "nothing")
}

// A back-test by the command line: counts, samples, the diff against what is saved, and what is refused.
func TestFiltersSimulate(t *testing.T) {
	s := startServe(t, t.TempDir(), "--clock", "manual", "--clock-start", "2026-01-01T00:00:00Z", "--allow-cidr", "127.0.0.0/8")
	t.Chdir(t.TempDir())
	step := func(want int, say string, args ...string) string {
		t.Helper()
		o := cli(t, "", s.env(), args...)
		if o.code != want || !strings.Contains(o.out+o.err, say) {
			t.Fatalf("%s: exit %d, want %d and %q\n%s%s", strings.Join(args, " "), o.code, want, say, o.out, o.err)
		}
		return o.out
	}
	step(0, "", "tenants", "create", "--id", "acme", "--profile", "osir", "--name", "Acme")
	step(0, "", "endpoints", "create", "acme", "--url", "https://127.0.0.1:1/hooks", "--filter", "data.ttl == 1")
	sub := regexp.MustCompile(`sub_[0-9a-z]+`).FindString(step(0, "", "subscriptions", "list", "acme"))
	for i := range 5 {
		if err := os.WriteFile("data.json", fmt.Appendf(nil, `{"ttl":%d}`, i), 0o600); err != nil {
			t.Fatal(err)
		}
		step(0, "", "publish", "acme", "zone.create", "-d", "data.json")
	}
	out := step(0, "5 events: 3 matched, 2 missed (0 of other types), 0 failed", "filters", "simulate", "data.ttl > 1", "--tenant", "acme", "--subscription", sub)
	if !strings.Contains(out, "+3 -1 of 5") || strings.Count(out, "\nmatched: evu_") != 3 {
		t.Error(out)
	}
	step(0, `"matched":3`, "filters", "simulate", "data.ttl > 1", "--tenant", "acme", "-o", "json")
	step(0, "0 events", "filters", "simulate", "data.ttl > 1", "--tenant", "acme", "--to", "2026-01-01T00:00:00Z")
	step(0, "1 events: 1 matched", "filters", "simulate", "--event-types", "zone.*", "--tenant", "acme", "--last", "1")
	step(0, "5 failed", "filters", "simulate", "data.ttl > \"1\"", "--tenant", "acme")
	step(1, "write == to compare", "filters", "simulate", "data.ttl = 1", "--tenant", "acme")
	step(1, "no tenant", "filters", "simulate", "true", "--tenant", "nobody")
	step(1, "100000", "filters", "simulate", "true", "--tenant", "acme", "--last", "100001")
	step(2, "--tenant is missing", "filters", "simulate", "true")
	step(2, "needs a FILTER", "filters", "simulate", "--tenant", "acme")
}
