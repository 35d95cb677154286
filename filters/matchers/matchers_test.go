package matchers

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/hookline/hookline/filters"
)

// The files of testdata show matchers and what becomes of them. Commands: convoy and outpost; the input is a matcher, or
// after a line --- events as data, of which each says whether it matches.
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata/golden", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			matcher, events, _ := strings.Cut(d.Input, "\n---\n")
			carry := map[string]func([]byte) (Imported, error){"convoy": Convoy, "outpost": Outpost}[d.Cmd]
			in, err := carry([]byte(matcher))
			if err != nil {
				if !errors.Is(err, ErrMatcher) {
					t.Fatalf("%s: %v", d.Pos, err)
				}
				return err.Error()
			}
			return shown(in) + verdicts(t, in, events)
		})
	})
}

func shown(in Imported) string {
	var out strings.Builder
	if in.EventTypes != nil {
		out.WriteString("event types " + strings.Join(in.EventTypes, ", ") + "\n")
	}
	out.WriteString(in.Filter + "\n")
	for _, n := range in.Notes {
		if n.Lost {
			out.WriteString("LOST ")
		} else {
			out.WriteString("note ")
		}
		out.WriteString(n.String() + "\n")
	}
	return out.String()
}

func verdicts(t *testing.T, in Imported, events string) string {
	out := ""
	for data := range strings.Lines(events) {
		f, err := filters.Compile(in.Filter)
		if err != nil {
			t.Fatal(err)
		}
		ok, err := f.Match(&filters.Event{Type: "order.created", ID: "evt_1", Data: []byte(data)})
		switch {
		case err != nil:
			out += "fails\n"
		case ok:
			out += "matches\n"
		default:
			out += "no\n"
		}
	}
	return out
}

// Whatever is given, what comes out is a filter or an error.
func FuzzMatchers(f *testing.F) {
	f.Add([]byte(`{"data":{"a":{"$gte":1},"b":["x"],"$or":[{"c":null},{"$not":{"d":{"$nin":[1,"2"]}}}]},"topic":"a"}`))
	f.Add([]byte(`{"body":{"a.$.b":{"$regex":"^x"},"c":{"$exist":false}},"headers":{"x":"y"}}`))
	f.Add([]byte(strings.Repeat(`{"$and":[`, 70) + `{}` + strings.Repeat(`]}`, 70)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, carry := range []func([]byte) (Imported, error){Convoy, Outpost} {
			in, err := carry(raw)
			if err != nil {
				if !errors.Is(err, ErrMatcher) {
					t.Fatal(err)
				}
				continue
			}
			if in.Filter != "" {
				if _, err := filters.Compile(in.Filter); err != nil {
					t.Fatalf("%s becomes %s: %v", raw, in.Filter, err)
				}
			}
			again, err := carry(raw)
			if err != nil || again.Filter != in.Filter || len(again.Notes) != len(in.Notes) {
				t.Fatalf("%s becomes %s, then %s", raw, in.Filter, again.Filter)
			}
		}
	})
}
