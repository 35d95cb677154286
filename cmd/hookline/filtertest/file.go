package filtertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hookline/hookline/engine/api/nearest"
)

// ErrFile is wrapped by every error about a file that is no file of tests.
var ErrFile = errors.New("filtertest: no file of tests")

// MaxFile bounds a file, in bytes.
const MaxFile = 16 << 20

// Suite is one document of a file.
type Suite struct {
	Line       int // of the filter
	Filter     string
	EventTypes []string
	Profile    string
	Strict     bool
	Tests      []Test
}

// Test is an event and what the filter should make of it.
type Test struct {
	Line      int
	Name      string // may be empty
	Event     *Event // nil: EventFile says
	EventFile string
	Expect    string // match, no or error
	Because   string // a clause that decided; empty = any
	Message   string // part of the error; empty = any
}

// Verdicts that a test may expect.
const (
	Match = "match"
	No    = "no"
	Error = "error"
)

// Parse reads a file of tests. Errors name the line.
func Parse(raw []byte) ([]Suite, error) {
	if len(raw) > MaxFile {
		return nil, fmt.Errorf("%w: it has %d bytes, at most %d are read", ErrFile, len(raw), MaxFile)
	}
	var suites []Suite
	for d := yaml.NewDecoder(bytes.NewReader(raw)); ; {
		var doc yaml.Node
		err := d.Decode(&doc)
		switch {
		case errors.Is(err, io.EOF) && len(suites) == 0:
			return nil, fmt.Errorf("%w: it is empty", ErrFile)
		case errors.Is(err, io.EOF):
			return suites, nil
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrFile, err)
		}
		s, err := suite(doc.Content[0])
		if err != nil {
			return nil, err
		}
		suites = append(suites, s)
	}
}

func errorAt(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%w: line %d: %s", ErrFile, n.Line, fmt.Sprintf(format, args...))
}

// fields calls read with each member of a mapping; it refuses unknown, repeated and missing ones.
func fields(n *yaml.Node, known, required []string, read func(name string, v *yaml.Node) error) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return errorAt(n, "want a mapping with %s", strings.Join(known, ", "))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		switch {
		case !contains(known, name):
			hint := "known are " + strings.Join(known, ", ")
			if near := nearest.Of(name, known); near != "" {
				hint = "did you mean " + near + "?"
			}
			return errorAt(n.Content[i], "unknown field %.64q: %s", name, hint)
		case seen[name]:
			return errorAt(n.Content[i], "field %s is given twice", name)
		}
		seen[name] = true
		if err := read(name, n.Content[i+1]); err != nil {
			return err
		}
	}
	for _, name := range required {
		if !seen[name] {
			return errorAt(n, "%s is missing", name)
		}
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

func suite(n *yaml.Node) (s Suite, err error) {
	err = fields(n, []string{"filter", "event_types", "profile", "strict", "tests"}, []string{"filter", "tests"}, func(name string, v *yaml.Node) error {
		switch name {
		case "filter":
			s.Line = v.Line
			if v.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
				s.Line++
			}
			return text(v, name, &s.Filter)
		case "profile":
			return text(v, name, &s.Profile)
		case "event_types":
			if v.Decode(&s.EventTypes) != nil || v.Kind != yaml.SequenceNode {
				return errorAt(v, "event_types is a list of names, as in [zone.*]")
			}
		case "strict":
			if v.Decode(&s.Strict) != nil {
				return errorAt(v, "strict is true or false")
			}
		case "tests":
			if v.Kind != yaml.SequenceNode || len(v.Content) == 0 {
				return errorAt(v, "tests is a list of at least one test")
			}
			for _, item := range v.Content {
				t, err := test(item)
				if err != nil {
					return err
				}
				s.Tests = append(s.Tests, t)
			}
		}
		return nil
	})
	return s, err
}

func text(v *yaml.Node, name string, into *string) error {
	if v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
		return errorAt(v, "%s is text", name)
	}
	*into = v.Value
	return nil
}

func test(n *yaml.Node) (t Test, err error) {
	t.Line = n.Line
	err = fields(n, []string{"name", "event", "event_file", "expect", "because", "message"}, []string{"expect"}, func(name string, v *yaml.Node) (err error) {
		switch name {
		case "name":
			return text(v, name, &t.Name)
		case "event":
			t.Event, err = event(v)
			return err
		case "event_file":
			return text(v, name, &t.EventFile)
		case "because":
			return text(v, name, &t.Because)
		case "message":
			return text(v, name, &t.Message)
		}
		if t.Expect = v.Value; v.Kind != yaml.ScalarNode || !contains([]string{Match, No, Error}, t.Expect) {
			return errorAt(v, "expect is match, no or error, not %.40q", v.Value)
		}
		return nil
	})
	switch {
	case err != nil:
	case (t.Event == nil) == (t.EventFile == ""):
		err = errorAt(n, "a test has an event or an event_file, one of them")
	case t.Message != "" && t.Expect != Error:
		err = errorAt(n, "message goes with expect: error")
	case t.Because != "" && t.Expect == Error:
		err = errorAt(n, "because goes with expect: match or no; for an error write message")
	}
	return t, err
}
