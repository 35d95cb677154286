package profile_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/transports"
)

func builtin(t testing.TB, name string) *profile.Profile {
	t.Helper()
	for _, p := range profile.Builtin() {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no built-in profile %q", name)
	return nil
}

// P2: the vector of OSIR's document, body and signature (O-6, O-7, O-9, O-10, O-11).
func TestOSIRVector(t *testing.T) {
	const want = `{"id":"evt_1234567890","type":"domain.registered","created":1640000000,"data":{"domain":"example.com","registrant":"user@email.com","expiration":"2025-01-01"}}`
	p := builtin(t, "osir")
	body, err := p.Render(nil, &profile.Input{
		ID: "evt_1234567890", Type: "domain.registered", OccurredAt: time.Unix(1640000000, 999e6),
		Data: json.RawMessage(`{"domain":"example.com","registrant":"user@email.com","expiration":"2025-01-01"}`),
	})
	if err != nil || string(body) != want {
		t.Fatalf("body\n%s\nwant\n%s\n%v", body, want, err)
	}
	got := p.Sign(nil, "whsec_test_secret", "evt_1234567890", time.Now(), body)
	sig := transports.Header{Name: "x-osir-signature", Value: "c9cb0e50f8087a3e628449816a6e5e5c88a46826f565408f90f56b01c82bbbc2"}
	if len(got) != 3 || got[2] != sig {
		t.Errorf("signature %v, want %v", got, sig)
	}
}
