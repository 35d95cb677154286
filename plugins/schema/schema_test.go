package schema_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hookline/hookline/plugins/schema"
)

const relay = `{"type":"object","additionalProperties":false,"required":["token"],"properties":{
  "token":{"type":"string","minLength":8,"writeOnly":true},
  "level":{"enum":["low","high"]},
  "rate":{"type":"integer","minimum":1},
  "auth":{"$ref":"#/$defs/auth"},
  "keys":{"type":"array","items":{"type":"string","writeOnly":true}},
  "more":{"type":"object","additionalProperties":{"type":"string","writeOnly":true}}},
 "$defs":{"auth":{"type":"object","properties":{"user":{"type":"string"},"password":{"type":"string","writeOnly":true,"pattern":"^[a-z]+$"}}}}}`

func compile(t *testing.T, doc string) *schema.Schema {
	t.Helper()
	s, err := schema.Compile([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Mistakes are named by JSON pointer and never repeat a value, which may be the secret.
func TestCheckNamesThePlace(t *testing.T) {
	s := compile(t, relay)
	for settings, want := range map[string]string{
		`{"token":"12345678"}`:                  "",
		``:                                      "|token",
		`{"token":"geheim"}`:                    "/token|",
		`{"token":"12345678","level":"geheim"}`: `/level|does not fit the schema's enum ["low","high"]`,
		`{"token":"12345678","rate":0}`:         "/rate|",
		`{"token":"12345678","auth":{"password":"GEHEIM"}}`: "/auth/password|does not fit the schema's pattern ^[a-z]+$",
		`{"token":"12345678","extra":"geheim"}`:             "|extra",
		`[]`:                                                "|must be a JSON object",
		`{`:                                                 "|is not JSON",
		`{"token":"` + strings.Repeat("x", 65<<10) + `"}`: "|at most 65536",
	} {
		err := s.Check([]byte(settings))
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", settings, err)
			}
			continue
		}
		var e *schema.Error
		if !errors.As(err, &e) {
			t.Errorf("%.60s: %v, want an Error", settings, err)
			continue
		}
		at, says, _ := strings.Cut(want, "|")
		if e.Pointer != at || !strings.Contains(e.Message, says) || strings.Contains(strings.ToLower(e.Error()), "geheim") {
			t.Errorf("%.60s: %q %q, want %q", settings, e.Pointer, e.Message, want)
		}
	}
}

func TestMaskHidesEverySecret(t *testing.T) {
	got := string(compile(t, relay).Mask([]byte(`{"token":"geheim12","level":"low","auth":{"user":"u","password":"geheim"},"keys":["geheim","geheim"],"more":{"a":"geheim"},"rate":12345678901234567890}`)))
	if strings.Contains(got, "geheim") || strings.Count(got, schema.Hidden) != 5 || !strings.Contains(got, `"user":"u"`) || !strings.Contains(got, "12345678901234567890") {
		t.Errorf("%s", got)
	}
	if got := string(compile(t, relay).Mask([]byte("nonsense"))); got != "{}" {
		t.Errorf("what cannot be read is shown: %s", got)
	}
}

// What an answer shows may be sent back: the secrets stay.
func TestMergeKeepsWhatIsHidden(t *testing.T) {
	s := compile(t, relay)
	old := `{"token":"12345678","auth":{"user":"u","password":"geheim"},"rate":3}`
	for change, want := range map[string]string{
		`{}`:                            `{"auth":{"password":"geheim","user":"u"},"rate":3,"token":"12345678"}`,
		string(s.Mask([]byte(old))):     `{"auth":{"password":"geheim","user":"u"},"rate":3,"token":"12345678"}`,
		`{"rate":null,"auth":null}`:     `{"token":"12345678"}`,
		`{"token":"***","level":"low"}`: `{"auth":{"password":"geheim","user":"u"},"level":"low","rate":3,"token":"12345678"}`,
		`{"auth":{"password":"neu"}}`:   `{"auth":{"password":"neu","user":"u"},"rate":3,"token":"12345678"}`,
	} {
		got, err := s.Merge([]byte(old), []byte(change))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s %v, want %s", change, got, err, want)
		}
	}
	if _, err := s.Merge(nil, []byte(`{"token":"***"}`)); err == nil {
		t.Error("a hidden secret that was never set is taken for one")
	}
	if _, err := s.Merge([]byte(old), []byte(`{"token":null}`)); err == nil {
		t.Error("the change takes a required member away")
	}
}

func TestSchemasOfStrangers(t *testing.T) {
	for _, doc := range []string{`{`, `[]`, `true`, `{"type":"string"}`, `{"type":"object","properties":{"a":{"$ref":"file:///etc/passwd"}}}`,
		`{"type":"object","properties":{"a":{"$ref":"http://127.0.0.1/x"}}}`, `{"type":"object","required":3}`,
		`{"type":"object","description":"` + strings.Repeat("x", 65<<10) + `"}`} {
		if _, err := schema.Compile([]byte(doc)); !errors.Is(err, schema.ErrSchema) {
			t.Errorf("%.60s: %v", doc, err)
		}
	}
	// A schema that refers to itself masks as deep as it goes, and ends.
	s := compile(t, `{"type":"object","properties":{"next":{"$ref":"#"},"pass":{"writeOnly":true}}}`)
	if got := string(s.Mask([]byte(`{"next":{"next":{"pass":"geheim"}}}`))); strings.Contains(got, "geheim") {
		t.Error(got)
	}
	none := compile(t, "")
	if none.Check(nil) != nil || none.Check([]byte("{}")) != nil || none.Check([]byte(`{"a":1}`)) == nil || none.HasSecret() {
		t.Error("a plugin without settings takes some")
	}
}

func FuzzSettings(f *testing.F) {
	f.Add(`{"token":"12345678"}`, `{"auth":{"password":"x"}}`)
	f.Fuzz(func(t *testing.T, old, change string) {
		s := compile(t, relay)
		s.Mask([]byte(old))
		if out, err := s.Merge([]byte(old), []byte(change)); err == nil && s.Check(out) != nil {
			t.Fatalf("merged into what does not fit: %s", out)
		}
	})
}
