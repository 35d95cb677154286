package filters

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFormat(t *testing.T) {
	for src, want := range map[string]string{
		`data?.zone["name"]=='example.com'&&!data.archived`:             `data.zone.name == "example.com" and not data.archived`,
		`((data.a == 1)) || (data.b == 2 and data.c == 3)`:              `data.a == 1 or data.b == 2 and data.c == 3`,
		`(data.a == 1 || data.b == 2) && data.c == 3`:                   `(data.a == 1 or data.b == 2) and data.c == 3`,
		`!(data.a in ["x","y"])`:                                        `data.a not in ["x", "y"]`,
		`not (data.a == 1)`:                                             `not (data.a == 1)`,
		`(((-3) ?? data.a) == 2)`:                                       `((-3) ?? data.a) == 2`,
		`(data.a ?? 0)>5`:                                               `(data.a ?? 0) > 5`,
		`data.x matches "^a\\.b$"`:                                      "data.x matches `^a\\.b$`",
		`data.x matches 'ab'`:                                           `data.x matches "ab"`,
		`1 < data.a < 9`:                                                `1 < data.a and data.a < 9`,
		`data.a*(data.b+1)-(-2)>=1e3`:                                   `data.a * (data.b + 1) - -2 >= 1000.0`,
		`data.a - (data.b - 1) > -data.c`:                               `data.a - (data.b - 1) > -data.c`,
		`data["e-mail"] == nil ? true : (data["in"] ?? false)`:          `data["e-mail"] == nil ? true : (data["in"] ?? false)`,
		`data.a==123456789012345678901234567890.50&&data.b<-1e400`:      `data.a == 123456789012345678901234567890.50 and data.b < -1e400`,
		`data.l[ -1 ] == 0x10 and glob( data.n,"*.x" )`:                 `data.l[-1] == 16 and glob(data.n, "*.x")`,
		`(data.a ? data.b : data.c) and type == "a"`:                    `(data.a ? data.b : data.c) and type == "a"`,
		`(not data.a) == data.b`:                                        `(not data.a) == data.b`,
		strings.Repeat(`data.name == "a" || `, 6) + `data.a and data.b`: strings.Repeat("data.name == \"a\"\nor ", 6) + `data.a and data.b`,
	} {
		got, err := Format(src)
		if err != nil || got != want {
			t.Errorf("%s\nis formatted as %s, %v\nwant             %s", src, got, err, want)
		}
	}
	for _, src := range []string{"data.a == 1 // one", "/* all */ true", "true # yes"} {
		if got, err := Format(src); !errors.Is(err, ErrComments) && !errors.Is(err, ErrCompile) {
			t.Errorf("%s is formatted as %s, %v", src, got, err)
		}
	}
	if got, err := Format(`data.url == "http://x/*"`); err != nil || got != `data.url == "http://x/*"` {
		t.Error(got, err)
	}
	if _, err := Format(`data.a = 1`); !errors.Is(err, ErrCompile) {
		t.Error(err)
	}
}

// What is formatted means what it meant, and formatting it again changes nothing.
func TestFormatKeepsMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := drawIndexable(t, 3)
		f, err := Compile(src)
		if err != nil {
			return
		}
		text, err := Format(src)
		if err != nil {
			t.Fatal(err)
		}
		g, err := Compile(text)
		if err != nil {
			t.Fatalf("%s is formatted as %s: %v", src, text, err)
		}
		if again, err := Format(text); err != nil || again != text {
			t.Fatalf("%s is formatted as %s and then as %s, %v", src, text, again, err)
		}
		for range 3 {
			ev := drawRouted(t)
			a, errA := f.Match(ev)
			b, errB := g.Match(ev)
			if a != b || message(errA) != message(errB) {
				t.Fatalf("on %s: %s is %v, %v; formatted as %s it is %v, %v", ev.Data, src, a, errA, text, b, errB)
			}
		}
	})
}

// message is an evaluation's error without its place.
func message(err error) string {
	var e *EvalError
	if errors.As(err, &e) {
		return e.Message
	}
	return fmt.Sprint(err)
}

func FuzzFormat(f *testing.F) {
	for _, src := range attacks() {
		if len(src) < MaxSource {
			f.Add(src)
		}
	}
	f.Add("data.x matches `\\d` and data['\u00e9'] == \"\\x00\"")
	f.Fuzz(func(t *testing.T, src string) {
		text, err := Format(src)
		if err != nil {
			return
		}
		if again, err := Format(text); err != nil || again != text {
			t.Fatalf("%q is formatted as %q and then as %q, %v", src, text, again, err)
		}
	})
}
