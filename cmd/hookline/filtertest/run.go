package filtertest

import (
	"fmt"
	"strings"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/filters"
)

// Options are where tests find what they name.
type Options struct {
	Profile func(name string) (*profile.Profile, error)
	Read    func(file string) ([]byte, error) // of an event_file
}

// Result is what became of one suite.
type Result struct {
	Suite    *Suite
	Checked  engine.FilterChecked // of the filter, against the profile
	Failed   string               // why the suite could not run; empty = it did
	Outcomes []Outcome            // of its tests, in their order
}

// Outcome is what became of one test.
type Outcome struct {
	Test *Test
	Got  string // match, no or error; empty where the event could not be read
	Fail string // empty = as expected
}

// Passed says whether everything is as expected.
func (r *Result) Passed() bool {
	for _, o := range r.Outcomes {
		if o.Fail != "" {
			return false
		}
	}
	return r.Failed == ""
}

// Run checks the filter of a suite and evaluates it on every test's event, by the program that routes.
func Run(s *Suite, o Options) Result {
	r := Result{Suite: s}
	var p *profile.Profile
	var err error
	if s.Profile != "" {
		if p, err = o.Profile(s.Profile); err != nil {
			r.Failed = err.Error()
			return r
		}
	}
	r.Checked, err = engine.CheckFilter(&engine.FilterInput{Filter: s.Filter, EventTypes: s.EventTypes, Strict: s.Strict}, p, nil)
	switch {
	case err != nil:
		r.Failed = err.Error()
		return r
	case !r.Checked.Valid:
		r.Failed = "the filter is refused"
		return r
	}
	f, err := filters.Compile(s.Filter)
	if err != nil {
		r.Failed = err.Error()
		return r
	}
	for i := range s.Tests {
		r.Outcomes = append(r.Outcomes, one(s, &s.Tests[i], f, p, o))
	}
	return r
}

func one(s *Suite, t *Test, f *filters.Filter, p *profile.Profile, o Options) Outcome {
	out := Outcome{Test: t}
	ev, err := subject(t, p, o)
	if err != nil {
		out.Fail = err.Error()
		return out
	}
	if s.EventTypes != nil {
		types, err := filters.ParseTypes(s.EventTypes)
		if err != nil {
			out.Fail = err.Error()
			return out
		}
		if !types.Match(ev.Type) {
			if out.Got = No; t.Expect != No {
				out.Fail = fmt.Sprintf("expected %s, but the event types do not select %s", t.Expect, ev.Type)
			}
			return out
		}
	}
	x := filters.Explain(f, ev)
	switch {
	case x.Err != nil:
		out.Got = Error
	case x.Matched:
		out.Got = Match
	default:
		out.Got = No
	}
	switch {
	case out.Got != t.Expect:
		out.Fail = fmt.Sprintf("expected %s, but %s", t.Expect, x)
	case t.Message != "" && !strings.Contains(x.Err.Error(), t.Message):
		out.Fail = fmt.Sprintf("expected an error with %q, but %s", t.Message, x)
	case t.Because != "" && !decided(x, t.Because):
		out.Fail = fmt.Sprintf("expected `%s` to decide, but %s", t.Because, x)
	}
	return out
}

func decided(x filters.Explanation, clause string) bool {
	for _, c := range x.Decided {
		if strings.Join(strings.Fields(clause), " ") == c.Text {
			return true
		}
	}
	return false
}

// subject is a test's event. One of the catalogue without data has the example's.
func subject(t *Test, p *profile.Profile, o Options) (*filters.Event, error) {
	ev := t.Event
	if ev == nil {
		raw, err := o.Read(t.EventFile)
		if err != nil {
			return nil, err
		}
		if ev, err = ParseEvent(raw); err != nil {
			return nil, fmt.Errorf("%s: %w", t.EventFile, err)
		}
	}
	seen, err := ev.Seen()
	if err != nil {
		return nil, err
	}
	if len(seen.Data) == 0 && p != nil {
		if known, ok := p.Known(seen.Type); ok {
			seen.Data = known.Example
		}
	}
	return seen, nil
}
