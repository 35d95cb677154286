package filters

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// The files of testdata show filters at work. Commands:
//
//	event       the event that the commands below it look at: lines `name: value`, of which data, actor and metadata are JSON
//	match       each line is a filter; out come its verdicts
//	refused     the whole input is an expression; out comes the error
//	explain     the whole input is a filter; out comes what decided
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata/golden", func(t *testing.T, path string) {
		var fields string
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "event":
				fields = d.Input
				goldenEvent(t, fields)
				return "ok"
			case "match":
				var out strings.Builder
				for line := range strings.Lines(d.Input) {
					out.WriteString(verdict(strings.TrimSpace(line), goldenEvent(t, fields)) + "\n")
				}
				return out.String()
			case "refused":
				_, err := Compile(strings.ReplaceAll(d.Input, "␠", " "))
				var e *Error
				if !errors.As(err, &e) || !errors.Is(err, ErrCompile) {
					return fmt.Sprintf("compiles: %v", err)
				}
				return err.Error()
			case "explain":
				f, err := Compile(d.Input)
				if err != nil {
					t.Fatalf("%s: %v", d.Pos, err)
				}
				return explained(Explain(f, goldenEvent(t, fields)))
			}
			t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
			return ""
		})
	})
}

func goldenEvent(t *testing.T, fields string) *Event {
	t.Helper()
	ev := &Event{Type: "zone.create", ID: "evt_1", Tenant: "acme", OccurredAt: time.Date(2026, 1, 31, 12, 0, 0, 500e6, time.UTC)}
	for line := range strings.Lines(fields) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "type":
			ev.Type = value
		case "data":
			ev.Data = []byte(value)
		case "actor":
			ev.Actor = []byte(value)
		case "metadata":
			ev.Metadata = []byte(value)
		default:
			t.Fatalf("unknown field %q", name)
		}
	}
	return ev
}

func verdict(src string, ev *Event) string {
	f, err := Compile(src)
	if err != nil {
		return "REFUSED " + err.Error()
	}
	ok, err := f.Match(ev)
	switch {
	case err != nil:
		var e *EvalError
		if !errors.As(err, &e) || !errors.Is(err, ErrEvaluate) || ok {
			return fmt.Sprintf("WRONG %T %v", err, ok)
		}
		return "error: " + err.Error()
	case ok:
		return "match"
	}
	return "no"
}

func explained(x Explanation) string {
	if x.Err != nil {
		return x.String()
	}
	var out strings.Builder
	fmt.Fprintln(&out, x)
	fmt.Fprintf(&out, "matched: %v\n", x.Matched)
	for _, c := range x.Decided {
		fmt.Fprintf(&out, "%d:%d %s is %v\n", c.Line, c.Column, c.Text, c.Result)
		for _, s := range c.Seen {
			fmt.Fprintf(&out, "  %s = %s\n", s.Path, s.Value)
		}
	}
	return out.String()
}
