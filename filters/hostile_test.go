package filters

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// attacks are expressions made to hang, to use up memory or to kill the process: those of PITFALLS and others like them.
func attacks() map[string]string {
	doubling := "let a0 = data.x;"
	for i := range 30 {
		doubling += fmt.Sprintf("let a%d = a%d + a%d;", i+1, i, i)
	}
	comparisons, elvis, choices := "data.a", "data.a", "true"
	for range 12 {
		comparisons = "(0 < (" + comparisons + ") < 9)" // the parser shares the middle: it would double 12 times
		elvis = "(" + elvis + " ?: 1)"
		choices = "(" + choices + " ? " + choices[:min(len(choices), 60)] + " : false)"
	}
	return map[string]string{
		"a megabyte of (":          strings.Repeat("(", 1<<20),
		"a megabyte of [":          strings.Repeat("[", 1<<20),
		"a megabyte of {":          strings.Repeat("{", 1<<20),
		"a megabyte of !":          strings.Repeat("!", 1<<20) + "true",
		"a megabyte of text":       `type == "` + strings.Repeat("a", 1<<20) + `"`,
		"2 KiB of (":               strings.Repeat("(", 2048),
		"2 KiB of (hidden)":        strings.Repeat(`"(`, 1024),
		"2 KiB of quotes and (":    strings.Repeat(`'('`, 682),
		"2 KiB of backquotes (":    strings.Repeat("`\\`(", 512),
		"2 KiB of comments (":      strings.Repeat(`/*"*/(`, 341),
		"2 KiB of line comments (": strings.Repeat("//'\n(", 409),
		"2 KiB of !":               strings.Repeat("!", 2044) + "true",
		"2 KiB of -":               strings.Repeat("-", 2040) + "1 == 1",
		"2 KiB of not":             strings.Repeat("not ", 510) + "true",
		"2 KiB of ?":               strings.Repeat("true?", 200) + "true" + strings.Repeat(":true", 200),
		"2 KiB of ??":              strings.Repeat("data.a??", 250) + "true",
		"2 KiB of .":               "data" + strings.Repeat(".a", 1000) + " == 1",
		"2 KiB of ?.":              "data" + strings.Repeat("?.a", 679) + " == 1",
		"2 KiB of [0]":             "data" + strings.Repeat("[0]", 679) + " == 1",
		"2 KiB of +":               "1" + strings.Repeat("+1", 1000) + " == 1",
		"2 KiB of |":               "data.a" + strings.Repeat("|len()", 330) + " == 1",
		"2 KiB of or":              "type=='a'" + strings.Repeat(" or id=='b'", 180),
		"2 KiB of comparisons":     "1" + strings.Repeat("<1", 1000),
		"2 KiB of if":              strings.Repeat("if true {", 100) + "true" + strings.Repeat("} else {false}", 60),
		"2 KiB of commas":          "type in [" + strings.Repeat("1,", 1000) + "1]",
		"2 KiB of ;":               strings.Repeat("true;", 400) + "true",
		"2 KiB of calls":           strings.Repeat("len(", 400) + "data.a" + strings.Repeat(")", 400),
		"range":                    "len(toJSON(map(1..100000, data.items))) > 0",
		"range alone":              "len(1..1000000000) > 0",
		"nested loops":             "all(data.a, all(data.a, all(data.a, all(data.a, # == 1))))",
		"join":                     "len(join(map(1..10000000, 'xxxxxxxxxx'))) > 0",
		"repeat":                   "len(repeat('x', 1000000000)) > 0",
		"let doubling":             doubling[:min(len(doubling), 530)] + "len(a20) > 0",
		"+ doubling":               "data.a + data.a + data.a + data.a == 'x'",
		"lower doubling":           "lower(lower(lower(data.a) + lower(data.a))) == 'x'",
		"dynamic pattern":          "data.a matches data.b",
		"pattern of states":        `data.a matches "(a{1,100}){1,10}"`,
		"pattern of unions":        `data.a matches "` + strings.Repeat("a?", 120) + `"`,
		"pattern of classes":       `data.a matches "[` + strings.Repeat(`\\pL\\PL`, 35) + `]"`,
		"pattern of many classes":  `data.a matches "` + strings.Repeat(`\\pL`, 60) + `"`,
		"pattern of folded class":  `data.a matches "(?i)[\\x00-\\x{10FFFF}]*` + strings.Repeat(`[^\\pL]`, 30) + `"`,
		"pattern nested":           `data.a matches "` + strings.Repeat("(", 120) + strings.Repeat(")", 120) + `"`,
		"many patterns":            strings.Repeat(`data.a matches "[\\pL\\pN\\pS\\pP]*x" or `, 40) + "true",
		"shared comparisons":       comparisons + " == 1",
		"shared ?:":                elvis + " == 1",
		"choices":                  choices,
		"time zones":               `date("2020-01-01", "` + strings.Repeat("../", 100) + `etc/passwd") > now()`,
		"environment":              "$env == $env",
		"null bytes":               "type == '\x00' or \x00",
		"not UTF-8":                "type == '\xff'",
		"huge numbers":             "data.a == " + strings.Repeat("9", 1500),
		"huge exponents":           "data.a == 1e-" + strings.Repeat("9", 1500),
		"huge hex":                 "data.a == 0x" + strings.Repeat("f", 1500),
		"wide index":               "data.a[9223372036854775807] == 1 or data.a[-9223372036854775807] == 1",
		"escapes":                  `type == "` + strings.Repeat(`\u{10FFFF}`, 200) + `"`,
	}
}

// Section 11 of the design: filters are hostile. Nothing that a filter's author writes ends the process; what is refused is
// told in a short error with a place, and what compiles can be explained on the dearest events. How long that may take is
// held by TestAttacksAreBounded.
func TestHostileFilters(t *testing.T) {
	events := dearEvents()
	compiled := 0
	for name, src := range attacks() {
		var f *Filter
		var err error
		if f, err = Compile(src); err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Message == "" {
				t.Errorf("%s: %T %v", name, err, err)
			}
			if n := len(err.Error()); n > 6*MaxSource {
				t.Errorf("%s: an error of %d bytes", name, n)
			}
			continue
		}
		compiled++
		if f.Cost() > MaxCost {
			t.Errorf("%s: costs %d", name, f.Cost())
		}
		for _, data := range events {
			Explain(f, &Event{Data: data})
		}
	}
	if compiled == 0 {
		t.Error("no attack compiles: evaluation was not tried")
	}
}

// Nothing that an event holds makes a filter fail in any other way than by an *EvalError.
func FuzzMatch(f *testing.F) {
	for _, src := range []string{
		`data.zone.name == "example.com" and data.n > 5`,
		`"a" in data.tags or data.a?.["b c"][-1] ?? 1 == 2`,
		`len(data.a) > 3 ? lower(data.b) matches "^[a-z]+$" : not (data.c contains "x")`,
		`occurred_at > "2026-01-01" && int(data.a) * 2 - 1 >= float(data.b) / 3 % 4`,
		"data.a in [1, 2.5, nil, true, 'x'] // comment\n || id startsWith `evt_`",
		`1 < data.a < 3`,
	} {
		f.Add(src, []byte(`{"a":[1,2.5,"x",null,{"b c":[1]}],"b":"12","c":1e400,"n":9007199254740993,"zone":{"name":"example.com"}}`))
	}
	for _, src := range attacks() {
		if len(src) <= 4096 {
			f.Add(src, []byte(`{"a":1}`))
		}
	}
	f.Fuzz(func(t *testing.T, src string, data []byte) {
		filter, err := Compile(src)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 {
				t.Fatalf("%q: %T %v", src, err, err)
			}
			return
		}
		ev := &Event{Type: "a.b", ID: "1", Tenant: "t", Data: data}
		matched, err := filter.Match(ev)
		var e *EvalError
		if err != nil && (matched || !errors.As(err, &e)) {
			t.Fatalf("%q on %s: %v, %T %v", src, data, matched, err, err)
		}
		again, err2 := filter.Match(ev)
		if again != matched || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("%q on %s: %v, %v, then %v, %v", src, data, matched, err, again, err2)
		}
		if x := Explain(filter, ev); x.Matched != matched || (x.Err == nil) != (err == nil) || err == nil && len(x.Decided) == 0 {
			t.Fatalf("%q on %s: explained as %+v, is %v, %v", src, data, x, matched, err)
		}
	})
}
