package filtertest

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

// The example of the package's documentation is a file of tests.
func TestExampleOfTheDocumentation(t *testing.T) {
	raw, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var file strings.Builder
	for line := range strings.Lines(string(raw)) {
		if text, ok := strings.CutPrefix(line, "//\t"); ok {
			file.WriteString(text)
		}
	}
	suites, err := Parse([]byte(file.String()))
	if err != nil || len(suites) != 1 || len(suites[0].Tests) != 3 {
		t.Fatalf("%v: %+v", err, suites)
	}
	s := suites[0]
	if s.Profile != "dnsimple" || !s.Strict || s.Tests[0].Because != "data.record.ttl < 60" || s.Tests[2].Message != "compares nil" {
		t.Errorf("read as %+v", s)
	}
}

// Values of YAML become JSON with every digit.
func TestToJSON(t *testing.T) {
	const doc = `filter: "true"
tests:
  - expect: match
    event:
      type: a
      data: {big: 12345678901234567890123, small: 0.1000000000000000055, hex: 0x10, t: 2026-01-31T12:00:00Z, s: "5", n: null, ~: 1, b: yes, c: true, l: [1, {a: .5}], anchor: &x {k: v}, again: *x}
`
	suites, err := Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"big":12345678901234567890123,"small":0.1000000000000000055,"hex":16,"t":"2026-01-31T12:00:00Z","s":"5","n":null,"~":1,"b":"yes","c":true,"l":[1,{"a":0.5}],"anchor":{"k":"v"},"again":{"k":"v"}}`
	if got := string(suites[0].Tests[0].Event.Data); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// Whatever a file holds, it is read or refused, and what is read is JSON.
func FuzzParse(f *testing.F) {
	f.Add([]byte("filter: 'true'\ntests:\n  - event: {type: a, data: {x: [1, .inf, 2026-01-01]}}\n    expect: no\n---\nfilter: x\ntests: []\n"))
	f.Add([]byte("a: &a [*a]\nfilter: *a\n"))
	f.Add([]byte("filter: x\ntests:\n - event: &e {type: a, data: [*e, *e]}\n   expect: match\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		suites, err := Parse(raw)
		if err != nil {
			if !errors.Is(err, ErrFile) {
				t.Fatal(err)
			}
			return
		}
		for _, s := range suites {
			for _, c := range s.Tests {
				if c.Event == nil {
					continue
				}
				for _, v := range []json.RawMessage{c.Event.Data, c.Event.Actor, c.Event.Metadata} {
					if len(v) > 0 && !json.Valid(v) {
						t.Fatalf("%q has %s", raw, v)
					}
				}
			}
			if s.Profile == "" {
				Run(&s, Options{Read: func(string) ([]byte, error) { return nil, errors.New("none") }})
			}
		}
	})
}
