package filters

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// books is a catalogue for tests: event types and their schemas.
type books map[string]any

func (b books) EventTypes() []string    { return slices.Collect(maps.Keys(b)) }
func (b books) DataSchema(t string) any { return b[t] }

// The files of testdata/check show what a check says. Commands:
//
//	type NAME    the input is the JSON Schema of the type's data, or nothing
//	check        the input is a filter; the argument types=(a,b) is the subscription's selection
//	types        the input is a selection, an entry a line
func TestCheckGolden(t *testing.T) {
	datadriven.Walk(t, "testdata/check", func(t *testing.T, path string) {
		known := books{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "type":
				var doc any
				if d.Input != "" {
					if err := json.Unmarshal([]byte(d.Input), &doc); err != nil {
						t.Fatalf("%s: %v", d.Pos, err)
					}
				}
				known[d.CmdArgs[0].Key] = doc
				return ""
			case "check":
				q := Question{Filter: d.Input, Catalogue: known}
				for _, a := range d.CmdArgs {
					q.Types = mustTypes(t, a.Vals...)
				}
				return reported(Check(q))
			case "types":
				warnings, err := CheckTypes(strings.Split(d.Input, "\n"), known)
				if err != nil {
					return err.Error()
				}
				return strings.Join(warnings, "\n")
			}
			t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
			return ""
		})
	})
}

func reported(r Report) string {
	if r.Err != nil {
		return r.Err.Error()
	}
	var out strings.Builder
	for _, w := range r.Warnings {
		fmt.Fprintln(&out, w.Error.Error())
		if len(w.Types) > 0 {
			fmt.Fprintln(&out, "    of", strings.Join(w.Types, ", "))
		}
	}
	if out.Len() == 0 {
		fmt.Fprintf(&out, "fine, at most %s\n", microseconds(r.Cost))
		for _, p := range r.Parts {
			fmt.Fprintf(&out, "%d:%d %s: %s\n", p.Line, p.Column, p.Text, microseconds(p.Cost))
		}
	}
	return out.String()
}

// A check without a catalogue says what Compile says, and the cost's parts are the whole.
func TestCheckIsCompile(t *testing.T) {
	for _, src := range append(dearFilters(), `data.a ==`, `x == 1`, `true`, `data.a == 1 and (data.b > 2 or not (data.c contains "x"))`) {
		f, err := Compile(src)
		r := Check(Question{Filter: src})
		if (r.Err == nil) != (err == nil) || err != nil && r.Err.Error() != err.Error() {
			t.Errorf("%.60s: checked as %v, compiled as %v", src, r.Err, err)
		}
		if f == nil {
			continue
		}
		sum := 0
		for _, p := range r.Parts {
			sum += p.Cost
		}
		if r.Cost != f.Cost() || sum > r.Cost || r.Cost-sum > 100*costNode {
			t.Errorf("%.60s: costs %d, checked as %d, its parts %d", src, f.Cost(), r.Cost, sum)
		}
	}
}

// A schema that refers to itself, or to nowhere, is walked to an end.
func TestCheckHostileSchemas(t *testing.T) {
	for _, src := range []string{
		`{"$ref":"#"}`, `{"allOf":[{"$ref":"#"},{"$ref":"#"}]}`, `{"anyOf":[{"$ref":"#/anyOf/0"}]}`, `{"$ref":"#/nowhere"}`, `{"$ref":"http://x"}`,
		`{"properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}}}`, `{"properties":7,"required":"x","type":5,"enum":{},"items":[]}`, `[]`, `true`, `false`, `"x"`,
	} {
		var doc any
		if err := json.Unmarshal([]byte(src), &doc); err != nil {
			t.Fatal(err)
		}
		took := leastTime(t, mostCompile, func() {
			Check(Question{Filter: `data.a.b.a > 5 and data.x[0].y == "z" and zone.name == 1`, Catalogue: books{"a": doc}})
			Check(Question{Filter: `data.a.b.a > 5 and data.x[0].y == "z"`, Catalogue: books{"a": doc}})
		})
		if took > mostCompile {
			t.Errorf("%s: takes %v", src, took)
		}
	}
}

// Checking against a large catalogue takes some ms, whatever the filter.
func TestCheckIsBounded(t *testing.T) {
	properties := map[string]any{}
	for i := range 200 {
		inner := map[string]any{}
		for j := range 20 {
			inner[fmt.Sprintf("member_%d", j)] = map[string]any{"type": "string"}
		}
		properties[fmt.Sprintf("object_%d", i)] = map[string]any{"type": "object", "properties": inner}
	}
	known := books{}
	for i := range 200 {
		known[fmt.Sprintf("object.create%d", i)] = map[string]any{"type": "object", "properties": properties}
	}
	for _, src := range []string{
		strings.Repeat(`data.object_1.membre > 5 or `, 70) + `type == "object.creta"`,
		strings.Repeat(`data.object_1.member_1 > 5 or `, 60) + `object_17.mebmer_3 == 1`,
		strings.Repeat(`type=="a" or `, 150) + "true",
	} {
		var r Report
		if took := leastTime(t, 5*mostCompile, func() { r = Check(Question{Filter: src, Catalogue: known}) }); took > 5*mostCompile {
			t.Errorf("%.40s: takes %v", src, took)
		}
		if n := len(r.Warnings); n > maxWarnings {
			t.Errorf("%.40s: %d warnings", src, n)
		}
	}
}

// Whatever the filter and the schema, a check answers, and says of the filter what Compile says.
func FuzzCheck(f *testing.F) {
	f.Add(`data.a.b > 5 and data.c in ["x", 1] or type == "a.c"`, `{"type":"object","required":["a"],"properties":{"a":{"$ref":"#/$defs/a"},"c":{"enum":["x","y"]}},"$defs":{"a":{"anyOf":[{"type":"object","properties":{"b":{"type":"integer"}}},{"$ref":"#"}]}}}`)
	f.Add(`a.b == 1`, `{"properties":{"a":{"properties":{"b":true}}},"additionalProperties":{"type":"string"},"patternProperties":{"(":{}}}`)
	f.Add(`has(data.l[0].x) and not (data["y z"] matches "^a")`, `{"items":{"allOf":[{"$ref":"#/items"}]},"properties":{"l":{"prefixItems":[{"type":["null","object"]}]}}}`)
	f.Fuzz(func(t *testing.T, src, schema string) {
		var doc any
		if json.Unmarshal([]byte(schema), &doc) != nil {
			return
		}
		_, err := Compile(src)
		r := Check(Question{Filter: src, Catalogue: books{"a.b": doc, "a.c": nil}})
		if (err == nil) != (r.Err == nil) || len(r.Warnings) > maxWarnings {
			t.Fatalf("%q by %s: compiled %v, checked %v with %d warnings", src, schema, err, r.Err, len(r.Warnings))
		}
		for _, w := range r.Warnings {
			if w.Line < 1 || w.Column < 1 || w.Message == "" {
				t.Fatalf("%q by %s: warning %+v", src, schema, w)
			}
		}
	})
}
