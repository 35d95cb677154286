package profile_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

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

// headers are those of one attempt, made now.
func headers(p *profile.Profile, secret string, body []byte) []transports.Header {
	return p.Signer(secret).Append(nil, &profile.Attempt{EventID: "evt_1", EventType: "note.added", At: time.Now(), Body: body})
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
	got := headers(p, "whsec_test_secret", body)
	sig := transports.Header{Name: "x-osir-signature", Value: "c9cb0e50f8087a3e628449816a6e5e5c88a46826f565408f90f56b01c82bbbc2"}
	if len(got) != 3 || got[2] != sig {
		t.Errorf("signature %v, want %v", got, sig)
	}
}

// O-13, O-14, O-15 and D-10, D-11, D-13: what the engine reads off a profile.
func TestPolicies(t *testing.T) {
	osir, dnsimple := builtin(t, "osir"), builtin(t, "dnsimple")
	for _, p := range []*profile.Profile{osir, dnsimple} {
		if !p.HTTPSOnly || p.Timeout != 30*time.Second || p.Version != 1 {
			t.Errorf("%s: https_only %v, timeout %v, version %d", p.Name, p.HTTPSOnly, p.Timeout, p.Version)
		}
		if p.Hash != sha256.Sum256(p.Content) {
			t.Errorf("%s: Hash is not that of Content", p.Name)
		}
	}
	if got := strings.Join(osir.Schedule.Strings(), " "); got != "5m 30m 2h 24h" || osir.Schedule.Jitter != 0 || osir.Schedule.Limit != 0 {
		t.Errorf("osir schedule %+v", osir.Schedule)
	}
	if !osir.DisableAfterExhausted || osir.SuppressAfter != 0 {
		t.Errorf("osir disables: %v, suppresses after %d", osir.DisableAfterExhausted, osir.SuppressAfter)
	}
	if got := strings.Join(dnsimple.Schedule.Strings(), " "); got != "12s 24s 48s 1m36s 3m12s 6m24s 12m48s 25m36s 51m12s" ||
		dnsimple.Schedule.Jitter != 0.1 || dnsimple.Schedule.Limit != 7200*time.Second {
		t.Errorf("dnsimple schedule %+v", dnsimple.Schedule)
	}
	if dnsimple.DisableAfterExhausted || dnsimple.SuppressAfter != 15 {
		t.Errorf("dnsimple disables: %v, suppresses after %d", dnsimple.DisableAfterExhausted, dnsimple.SuppressAfter)
	}
}

// O-8, O-9, D-15, D-17: exactly these headers, nothing chunked, nothing that makes a client re-send.
func TestHeaders(t *testing.T) {
	for name, want := range map[string]string{
		"osir":     "content-type=application/json user-agent=hookline-osir/1 x-osir-signature=64 hex",
		"dnsimple": "content-type=application/json user-agent=hookline-dnsimple/1",
	} {
		var got []string
		for _, h := range headers(builtin(t, name), "secret", []byte("{}")) {
			if regexp.MustCompile("^[0-9a-f]{64}$").MatchString(h.Value) {
				h.Value = "64 hex"
			}
			got = append(got, h.Name+"="+h.Value)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// O-11, P5: the same body and secret give the same signature at every attempt, another secret another one.
func TestSignature(t *testing.T) {
	p := builtin(t, "osir")
	a, b := p.Signer("whsec_a"), p.Signer("whsec_b")
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		sign := func(s *profile.Signer, id string) string {
			return s.Append(nil, &profile.Attempt{EventID: id, At: time.Now(), Body: body})[2].Value
		}
		mac := hmac.New(sha256.New, []byte("whsec_a"))
		mac.Write(body)
		want := hex.EncodeToString(mac.Sum(nil))
		if first := sign(a, "evt_1"); first != want || sign(a, "evt_2") != want {
			t.Fatalf("signature %s, want %s", first, want)
		}
		if sign(b, "evt_1") == want {
			t.Fatal("two secrets, one signature")
		}
	})
}

// A Signer is used by many attempts of one endpoint at once.
func TestSignerConcurrently(t *testing.T) {
	s := builtin(t, "osir").Signer("whsec_test_secret")
	want := s.Append(nil, &profile.Attempt{Body: []byte("body 0")})[2]
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				if got := s.Append(nil, &profile.Attempt{Body: []byte(fmt.Sprintf("body %d", (g+i)%2))})[2]; (got == want) != ((g+i)%2 == 0) {
					t.Errorf("signature %v", got)
				}
			}
		})
	}
	wg.Wait()
}

// O-12, P11 and D-10: exactly 200 acknowledges.
func TestJudge(t *testing.T) {
	type verdict struct {
		outcome transports.Outcome
		kind    transports.ErrorKind
	}
	for _, p := range seeds(t) {
		for status := 100; status < 600; status++ {
			want := verdict{transports.Rejected, transports.KindStatus}
			switch {
			case status == 200:
				want = verdict{transports.Acknowledged, transports.KindNone}
			case status/100 == 3:
				want.kind = transports.KindRedirect
			}
			// What the transport thought of the status does not count.
			for _, thought := range []transports.Outcome{transports.Acknowledged, transports.Rejected, transports.TimedOut} {
				outcome, kind := p.Judge(transports.Result{Status: status, Outcome: thought, Kind: transports.KindTimeoutResponse})
				if got := (verdict{outcome, kind}); got != want {
					t.Errorf("%s: %d is %v, want %v", p.Name, status, got, want)
				}
			}
		}
		for _, r := range []transports.Result{
			{Outcome: transports.TimedOut, Kind: transports.KindTimeoutResponse},
			{Outcome: transports.Unreachable, Kind: transports.KindDNS},
			{Outcome: transports.Acknowledged},
		} {
			if outcome, kind := p.Judge(r); outcome != r.Outcome || kind != r.Kind {
				t.Errorf("%s: a result without status, %v, became %v %v", p.Name, r, outcome, kind)
			}
		}
	}
}

// O-10: a secret is whsec_ and base64 of at least 24 random bytes.
func TestNewSecret(t *testing.T) {
	p := builtin(t, "osir")
	a, b := p.NewSecret(), p.NewSecret()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a, "whsec_"))
	if !strings.HasPrefix(a, "whsec_") || err != nil || len(key) < 24 || len(key) > 32 || a == b {
		t.Errorf("secrets %q and %q", a, b)
	}
}
