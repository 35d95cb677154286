package profile_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookline/hookline/engine/profile"
)

// O-5, O-7, D-7, D-9: every built-in type has a schema that can be used alone, and an example of our own that fits it.
func TestBuiltinSchemas(t *testing.T) {
	for _, p := range profile.Builtin() {
		if _, err := profile.Lint(p.Name, p.Content); err != nil {
			t.Errorf("%s:\n%v", p.Name, err)
		}
		for _, e := range p.EventTypes {
			var schema struct {
				Type string                     `json:"type"`
				Defs map[string]json.RawMessage `json:"$defs"`
			}
			if err := json.Unmarshal(e.Schema, &schema); err != nil || schema.Type != "object" {
				t.Errorf("%s: schema %s: %v", e.Name, e.Schema, err)
			}
			for _, ref := range strings.Split(string(e.Schema), `"$ref":"#/$defs/`)[1:] {
				name, _, _ := strings.Cut(ref, `"`)
				if schema.Defs[name] == nil {
					t.Errorf("%s: its schema refers to %s and does not have it", e.Name, name)
				}
			}
		}
	}
}

// strict is plain.yaml, strict, with a schema that uses definitions through one another.
func strict(t *testing.T) *profile.Profile {
	return plain(t, "events:\n  - name: note.added", `strict: true
schemas:
  note: {type: object, required: [id], properties: {id: {type: integer}, tags: {type: array, items: {$ref: '#/$defs/tag'}}}}
  tag: {type: string, maxLength: 3}
  unused: {type: "null"}
events:
  - name: note.added
    schema: {type: object, required: [note], additionalProperties: false, properties: {note: {$ref: '#/$defs/note'}}}
    example: {note: {id: 1, tags: [a, "on", "7"]}}
    description: A note was added.
  - name: note.removed`)
}

// A strict profile tells the path of what does not fit; types without a schema take any object.
func TestStrict(t *testing.T) {
	p := strict(t)
	for data, field := range map[string]string{
		`{"note":{"id":1}}`:                     "",
		`{"note":{"id":1,"tags":["a"],"x":{}}}`: "",
		`{"note":{}}`:                           "data.note.id",
		`{"note":{"id":"1"}}`:                   "data.note.id",
		`{"note":{"id":1,"tags":["a","long"]}}`: "data.note.tags[1]",
		`{}`:                                    "data.note",
		`{"note":{"id":1},"more":1}`:            "data.more",
		`{"note":7}`:                            "data.note",
		`[]`:                                    "data",
	} {
		fieldIs(t, p.CheckData("note.added", []byte(data)), field)
		fieldIs(t, p.CheckData("note.removed", []byte(data)), "")
		fieldIs(t, plain(t, "version: 7", "version: 7").CheckData("note.added", []byte(data)), "")
	}
	fieldIs(t, p.CheckPublishType("note.aded"), "type")
	e, _ := p.Known("note.added")
	if want := `{"type":"object","required":["note"],"additionalProperties":false,"properties":{"note":{"$ref":"#/$defs/note"}},"$defs":{` +
		`"note":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"tags":{"type":"array","items":{"$ref":"#/$defs/tag"}}}},` +
		`"tag":{"type":"string","maxLength":3}}}`; string(e.Schema) != want {
		t.Errorf("schema\n%s\nwant\n%s", e.Schema, want)
	}
	if want := `{"note":{"id":1,"tags":["a","on","7"]}}`; string(e.Example) != want {
		t.Errorf("example %s, want %s", e.Example, want)
	}
}

// P19: real bodies, where there are some, fit the schemas of the catalogue.
func TestRealSamplesFitTheSchemas(t *testing.T) {
	dir := os.Getenv("HOOKLINE_SAMPLES")
	if dir == "" {
		t.Skip("HOOKLINE_SAMPLES names no directory of real DNSimple bodies")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no *.json in %s", dir)
	}
	dnsimple := builtin(t, "dnsimple")
	p, err := profile.Lint("strict.yaml", append([]byte("strict: true\n"), dnsimple.Content...))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var event struct{ Name string }
		if err := json.Unmarshal(body, &event); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if _, known := p.Known(event.Name); !known {
			continue // later documents add names
		}
		checked++
		if err := p.CheckData(event.Name, p.Data(body)); err != nil {
			var where *profile.FieldError
			errors.As(err, &where)
			t.Errorf("%s: %s: %v", filepath.Base(file), where.Field, err)
		}
	}
	if checked == 0 {
		t.Error("no sample is of a type of the catalogue")
	}
}

func BenchmarkCheckData(b *testing.B) {
	lax := builtin(b, "dnsimple")
	strict, err := profile.Lint("strict.yaml", append([]byte("strict: true\n"), lax.Content...))
	if err != nil {
		b.Fatal(err)
	}
	e, _ := lax.Known("domain.register")
	for name, p := range map[string]*profile.Profile{"lax": lax, "strict": strict} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := p.CheckData(e.Name, e.Example); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
