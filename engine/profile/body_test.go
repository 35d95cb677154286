package profile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/profile"
)

// attributes of a DNSimple tenant: members in another order than the body's, one more, and space between.
const attributes = `{ "display": "Tidepool \u2014 Studio" , "plan":"teams","id": 5120,"identifier":"tidepool" }`

// Bodies, byte for byte (O-6, O-7, D-3 to D-8): members in the profile's order, no space, data and actor as they came.
func TestRender(t *testing.T) {
	at := time.Date(2026, 2, 11, 9, 20, 0, 500e6, time.FixedZone("", 3600))
	for _, c := range []struct {
		name, profile string
		in            profile.Input
		want          string
	}{
		{"osir", "osir", profile.Input{ID: "evt_1", Type: "domain.renewed", OccurredAt: at, Data: raw(`{"b":1, "a":[ ]}`), Actor: raw(`{"who":"ignored"}`)},
			`{"id":"evt_1","type":"domain.renewed","created":1770798000,"data":{"b":1, "a":[ ]}}`},
		{"before 1970 rounds down", "osir", profile.Input{ID: "evt_1", Type: "t", OccurredAt: time.UnixMilli(-1), Data: raw(`{}`)},
			`{"id":"evt_1","type":"t","created":-1,"data":{}}`},
		{"what must be escaped is, what need not is not", "osir", profile.Input{ID: "a\"b\\c\n\x01<&>é\u2028\xff", Type: "t", OccurredAt: at, Data: raw(`{}`)},
			`{"id":"a\"b\\c\n\u0001<&>é` + "\u2028\ufffd" + `","type":"t","created":1770798000,"data":{}}`},
		{"dnsimple", "dnsimple", profile.Input{ID: "6f1a3c0e-9d52-4b7e-8a41-2f0c5d9e7b63", Type: "domain.register:started", OccurredAt: at,
			Data: raw(`{"domain":{"id":1}}`), Actor: raw(`{"pretty":"ines", "entity":"user","id":"7"}`), Attributes: raw(attributes)},
			`{"name":"domain.register:started","api_version":"v2","request_identifier":"6f1a3c0e-9d52-4b7e-8a41-2f0c5d9e7b63",` +
				`"data":{"domain":{"id":1}},"account":{"id":5120,"identifier":"tidepool","display":"Tidepool \u2014 Studio"},"actor":{"pretty":"ines", "entity":"user","id":"7"}}`},
		{"dnsimple without actor", "dnsimple", profile.Input{ID: "x", Type: "zone.create", OccurredAt: at, Data: raw(`{}`), Attributes: raw(attributes)},
			`{"name":"zone.create","api_version":"v2","request_identifier":"x","data":{},` +
				`"account":{"id":5120,"identifier":"tidepool","display":"Tidepool \u2014 Studio"},"actor":{"id":"system","entity":"system","pretty":""}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := builtin(t, c.profile)
			for _, dst := range [][]byte{nil, []byte("before "), make([]byte, 0, 4096)} {
				got, err := p.Render(dst, &c.in)
				if err != nil || string(got) != string(dst)+c.want {
					t.Errorf("got\n%s\nwant\n%s\n%v", got, string(dst)+c.want, err)
				}
			}
		})
	}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func TestRenderErrors(t *testing.T) {
	for _, c := range []struct {
		profile string
		in      profile.Input
		field   string
	}{
		{"osir", profile.Input{ID: "evt_1", Type: "t"}, "data"},
		{"dnsimple", profile.Input{ID: "evt_1", Type: "t", Data: raw(`{}`)}, "attributes.id"},
		{"dnsimple", profile.Input{ID: "evt_1", Type: "t", Data: raw(`{}`), Attributes: raw(`{"id":1,"identifier":""}`)}, "attributes.display"},
	} {
		_, err := builtin(t, c.profile).Render(nil, &c.in)
		fieldIs(t, err, c.field)
	}
}

func fieldIs(t *testing.T, err error, want string) {
	t.Helper()
	var e *profile.FieldError
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && (!errors.As(err, &e) || !errors.Is(err, profile.ErrField) || e.Field != want):
		t.Errorf("got %v, want an error about %s", err, want)
	}
}

// D-3, O-6: whatever goes in, the body is JSON of exactly the profile's members, and data and actor are in it byte for byte.
func TestRenderProperties(t *testing.T) {
	members := map[string]string{"osir": "id type created data", "dnsimple": "name api_version request_identifier data account actor"}
	for _, p := range seeds(t) {
		rapid.Check(t, func(t *rapid.T) {
			in := profile.Input{ID: rapid.String().Draw(t, "id"), Type: rapid.String().Draw(t, "type"), OccurredAt: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "at"), 0),
				Data: drawObject(t, "data"), Actor: drawObject(t, "actor"), Attributes: raw(attributes)}
			body, err := p.Render(nil, &in)
			if err != nil || !json.Valid(body) {
				t.Fatalf("%s: %s: %v", p.Name, body, err)
			}
			var keys []string
			gjson.ParseBytes(body).ForEach(func(key, _ gjson.Result) bool { keys = append(keys, key.Str); return true })
			if strings.Join(keys, " ") != members[p.Name] {
				t.Fatalf("%s: members %v", p.Name, keys)
			}
			id := gjson.GetBytes(body, map[string]string{"osir": "id", "dnsimple": "request_identifier"}[p.Name]).Str
			if utf8.ValidString(in.ID) && id != in.ID {
				t.Fatalf("id %q became %q", in.ID, id)
			}
			if got := p.Data(body); !bytes.Equal(got, in.Data) {
				t.Fatalf("data %s became %s", in.Data, got)
			}
			if p.Name == "dnsimple" && gjson.GetBytes(body, "actor").Raw != string(in.Actor) {
				t.Fatalf("actor %s in %s", in.Actor, body)
			}
		})
	}
}

// seeds are the two that the project begins with.
func seeds(t testing.TB) []*profile.Profile {
	return []*profile.Profile{builtin(t, "osir"), builtin(t, "dnsimple")}
}

func drawObject(t *rapid.T, label string) json.RawMessage {
	m := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, label)
	out, err := json.MarshalIndent(m, " ", rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "indent"))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Render allocates at most once, and not at all where there is room.
func TestRenderAllocations(t *testing.T) {
	for _, p := range profile.Builtin() {
		in := profile.Input{ID: "evt_1", Type: "domain.create", OccurredAt: time.Unix(1, 0), Data: raw(`{"domain":{"id":1}}`),
			Attributes: raw(`{"id":5120,"identifier":"tidepool","display":"Tidepool Studio"}`)}
		if n := testing.AllocsPerRun(100, func() { sink(p.Render(nil, &in)) }); n > 1 {
			t.Errorf("%s: %v allocations, want at most 1", p.Name, n)
		}
		room := make([]byte, 0, 1024)
		if n := testing.AllocsPerRun(100, func() { sink(p.Render(room, &in)) }); n > 0 {
			t.Errorf("%s: %v allocations with room, want none", p.Name, n)
		}
	}
}

func sink([]byte, error) {}

// `payload` publishing: a filter sees as data the member that the envelope fills from data, or the whole.
func TestData(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"id":"evt_1","data":{"a": 1},"x":2}`, `{"a": 1}`},
		{" {\n \"data\" : [1, 2] }", `[1, 2]`},
		{`{"d\u0061ta":7}`, `7`},
		{`{"other":{"data":1}}`, `{"other":{"data":1}}`},
		{`["data"]`, `["data"]`},
		{`"data"`, `"data"`},
		{`null`, `null`},
		{`{}`, `{}`},
	} {
		for _, p := range seeds(t) {
			body := []byte(c.body)
			got := p.Data(body)
			if string(got) != c.want {
				t.Errorf("%s: Data(%s) = %s, want %s", p.Name, c.body, got, c.want)
			}
			if body[len(body)-1] = '!'; len(got) == len(body) && got[len(got)-1] != '!' {
				t.Errorf("%s: Data(%s) is a copy", p.Name, c.body)
			}
		}
	}
}

func FuzzData(f *testing.F) {
	f.Add([]byte(`{"data":{"a":1}}`))
	f.Add([]byte(`{"a":"\u0064","data"`))
	f.Add([]byte(`[{"data":1}]`))
	profiles := profile.Builtin()
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, p := range profiles {
			got := p.Data(body)
			if json.Valid(body) && !json.Valid(got) {
				t.Errorf("Data(%s) = %s", body, got)
			}
		}
	})
}

// D-8, P19: what a DNSimple tenant needs.
func TestCheckTenant(t *testing.T) {
	for _, c := range []struct{ attributes, field string }{
		{attributes, ""},
		{`{"id":9223372036854775807,"identifier":"","display":""}`, ""},
		{`{"id":-1,"identifier":"a","display":"b","x":{}}`, ""},
		{`{"id":"1","identifier":"a","display":"b"}`, "attributes.id"},
		{`{"id":1.0,"identifier":"a","display":"b"}`, "attributes.id"},
		{`{"id":1e2,"identifier":"a","display":"b"}`, "attributes.id"},
		{`{"id":9223372036854775808,"identifier":"a","display":"b"}`, "attributes.id"},
		{`{"id":null,"identifier":"a","display":"b"}`, "attributes.id"},
		{`{"id":1,"identifier":2,"display":"b"}`, "attributes.identifier"},
		{`{"id":1,"identifier":"a"}`, "attributes.display"},
		{`{"id":1,"identifier":"a","display":null}`, "attributes.display"},
		{`{}`, "attributes.id"},
		{`[]`, "attributes"},
		{`{"id":1,"identifier":"a","display":"b"`, "attributes"},
		{``, "attributes"},
		{`null`, "attributes"},
	} {
		fieldIs(t, builtin(t, "dnsimple").CheckTenant(raw(c.attributes)), c.field)
		fieldIs(t, builtin(t, "osir").CheckTenant(raw(c.attributes)), "")
	}
}

// D-8: an actor is an object of exactly id, entity and pretty, all strings; OSIR's bodies hold none.
func TestCheckActor(t *testing.T) {
	for _, c := range []struct{ actor, field string }{
		{``, ""},
		{`{"id":"","entity":"user","pretty":"a@b.example"}`, ""},
		{`{"id":7,"entity":"user","pretty":"a"}`, "actor.id"},
		{`{"id":"7","entity":"user"}`, "actor.pretty"},
		{`{"id":"7","entity":"user","pretty":"a","more":1}`, "actor"},
		{`"system"`, "actor"},
		{`null`, "actor"},
	} {
		fieldIs(t, builtin(t, "dnsimple").CheckActor(raw(c.actor)), c.field)
		fieldIs(t, builtin(t, "osir").CheckActor(raw(c.actor)), "")
	}
	secret := raw(`{"id":"7","entity":"user","pretty":"a","password":"hunter2"}`)
	if err := builtin(t, "dnsimple").CheckActor(secret); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error repeats a value: %v", err)
	}
}

func BenchmarkRender(b *testing.B) {
	for _, p := range profile.Builtin() {
		b.Run(p.Name, func(b *testing.B) {
			data := raw(`{"domain":"` + strings.Repeat("a", 1000) + `"}`)
			in := profile.Input{ID: p.NewEventID(), Type: "domain.create", OccurredAt: time.Unix(1, 0), Data: data, Attributes: raw(attributes)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Render(nil, &in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	s := builtin(b, "osir").Signer("whsec_test_secret")
	body := slices.Repeat([]byte("a"), 1024)
	a := &profile.Attempt{Body: body}
	dst := s.Append(nil, a)
	b.ReportAllocs()
	for b.Loop() {
		s.Append(dst[:0], a)
	}
}
