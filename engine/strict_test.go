package engine

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hookline/hookline/engine/profile"
)

// In a strict profile an unknown type, and data that does not fit its schema, is 422 with the path of the violation;
// the rest of a batch is accepted. A payload is judged by the member that the envelope fills from data.
func TestStrictProfile(t *testing.T) {
	r := newRig(t, func(c *Config) {
		for _, p := range profile.Builtin() {
			if p.Name == "osir" {
				content := strings.Replace(string(p.Content), "name: osir", "name: osir-strict\nstrict: true", 1)
				own, err := profile.Lint("osir-strict.yaml", []byte(content))
				if err != nil {
					t.Fatal(err)
				}
				c.Profiles = append(c.Profiles, own)
			}
		}
	})
	r.tenant("lax", "osir")
	r.tenant("strict", "osir-strict")
	good := json.RawMessage(`{"domain":"a.example","registrant":"r@a.example","expiration":"2027-01-01","more":1}`)
	for _, c := range []struct {
		in       PublishInput
		location string
	}{
		{PublishInput{Type: "domain.registered", Data: good}, ""},
		{PublishInput{Type: "domain.registered", Data: json.RawMessage(`{"domain":"a.example","registrant":"r","expiration":"tomorrow"}`)}, "data.expiration"},
		{PublishInput{Type: "domain.registered", Data: json.RawMessage(`{"domain":7,"registrant":"r","expiration":"2027-01-01"}`)}, "data.domain"},
		{PublishInput{Type: "domain.registered", Payload: json.RawMessage(`{"id":"evt_1","data":` + string(good) + `}`)}, ""},
		{PublishInput{Type: "domain.registered", Payload: json.RawMessage(`{"id":"evt_1","data":{}}`)}, "data.domain"},
		{PublishInput{Type: "domain.registred", Data: good}, "type"},
	} {
		lax := must(r.Publish(t.Context(), "lax", []PublishInput{c.in}))(t)
		if lax[0].Err != nil {
			t.Errorf("%s %s: not strict, and refused: %v", c.in.Type, c.in.Data, lax[0].Err)
		}
		res := must(r.Publish(t.Context(), "strict", []PublishInput{c.in, {Type: "domain.registered", Data: good}}))(t)
		if res[1].Err != nil {
			t.Errorf("the rest of the batch: %v", res[1].Err)
		}
		switch err := res[0].Err; {
		case c.location == "" && err != nil:
			t.Errorf("%s %s%s: %v", c.in.Type, c.in.Data, c.in.Payload, err)
		case c.location != "" && (err == nil || err.Code != CodeInvalid || err.Fields[0].Location != c.location):
			t.Errorf("%s %s%s: %v, want 422 at %s", c.in.Type, c.in.Data, c.in.Payload, err, c.location)
		}
	}
}
