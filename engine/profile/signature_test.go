package profile_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/profile"
)

var signedAt = time.Unix(1_770_798_000, 999e6)

// sign makes the headers of a fixed attempt, as name=value lines.
func sign(p *profile.Profile, secrets ...string) string {
	a := &profile.Attempt{EventID: "evt_7", EventType: "note.added", At: signedAt, Body: []byte(`{"a":1}`)}
	var lines []string
	for _, h := range p.Signer(secrets[0], secrets[1:]...).Append(nil, a) {
		lines = append(lines, h.Name+"="+h.Value)
	}
	return strings.Join(lines, "\n")
}

func sum(of func() hash.Hash, key, text string) []byte {
	m := hmac.New(of, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

const plainSignature = "  scheme: hmac_sha256_hex\n  header: x-plain-signature\n"

// Every form of a signature that a file can ask for.
func TestSignatureForms(t *testing.T) {
	raw := make([]byte, 24)
	for i := range raw {
		raw[i] = byte(i)
	}
	standard := "whsec_" + base64.StdEncoding.EncodeToString(raw)
	v1 := func(key, id string) string {
		return "v1," + base64.StdEncoding.EncodeToString(sum(sha256.New, key, id+`.1770798000.{"a":1}`))
	}
	for _, c := range []struct{ name, yaml, secret, previous, want string }{
		{"as the first versions of the seeds wrote it", plainSignature, "k", "",
			"x-plain-signature=" + hex.EncodeToString(sum(sha256.New, "k", `{"a":1}`))},
		{"one that can carry one ignores the one before", "  scheme: hmac\n  header: x-s\n", "k", "old",
			"x-s=" + hex.EncodeToString(sum(sha256.New, "k", `{"a":1}`))},
		{"sha512 in base64 with a prefix", "  scheme: hmac\n  header: x-s\n  hash: sha512\n  encoding: base64\n  prefix: 'sha512='\n", "k", "",
			"x-s=sha512=" + base64.StdEncoding.EncodeToString(sum(sha512.New, "k", `{"a":1}`))},
		{"a template", "  scheme: hmac\n  header: x-s\n  signs: 'v0:{id}:{body}:end'\n", "k", "",
			"x-s=" + hex.EncodeToString(sum(sha256.New, "k", `v0:evt_7:{"a":1}:end`))},
		{"timestamped", "  scheme: hmac\n  header: x-s\n  form: timestamped\n", "k", "",
			"x-s=t=1770798000,v1=" + hex.EncodeToString(sum(sha256.New, "k", `1770798000.{"a":1}`))},
		{"timestamped, overlapping", "  scheme: hmac\n  header: x-s\n  form: timestamped\n", "k", "old",
			"x-s=t=1770798000,v1=" + hex.EncodeToString(sum(sha256.New, "k", `1770798000.{"a":1}`)) +
				",v1=" + hex.EncodeToString(sum(sha256.New, "old", `1770798000.{"a":1}`))},
		{"standard webhooks", "  scheme: standard_webhooks\n", standard, "",
			"webhook-id=evt_7\nwebhook-timestamp=1770798000\nwebhook-signature=" + v1(string(raw), "evt_7")},
		{"standard webhooks, overlapping, under other names", "  scheme: standard_webhooks\n  header_prefix: svix-\n", standard, "a secret from before",
			"svix-id=evt_7\nsvix-timestamp=1770798000\nsvix-signature=" + v1(string(raw), "evt_7") + " " + v1("a secret from before", "evt_7")},
		{"side by side (R-11)", "  - scheme: hmac\n    header: x-s\n  - scheme: standard_webhooks\n", standard, "old",
			"x-s=" + hex.EncodeToString(sum(sha256.New, standard, `{"a":1}`)) +
				"\nwebhook-id=evt_7\nwebhook-timestamp=1770798000\nwebhook-signature=" + v1(string(raw), "evt_7") + " " + v1("old", "evt_7")},
		{"none", "  scheme: none\n", "k", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plain(t, plainSignature, c.yaml)
			secrets := []string{c.secret}
			if c.previous != "" {
				secrets = append(secrets, c.previous)
			}
			got, _ := strings.CutPrefix(sign(p, secrets...), "content-type=application/json")
			if got = strings.TrimPrefix(got, "\n"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if carries := strings.Count(got, "v1,")+strings.Count(got, "v1=") > 1; carries && !p.Overlaps() {
				t.Error("two signatures, and Overlaps says no")
			}
			if len(p.Signatures()) != max(1, strings.Count(c.yaml, "scheme")) {
				t.Errorf("described as %+v", p.Signatures())
			}
		})
	}
}

// v1a: a secret that is an ed25519 key signs with it; receivers get the public half. It can take the place of a
// symmetric one with both signatures side by side.
func TestAsymmetricSignature(t *testing.T) {
	p := plain(t, plainSignature, "  scheme: standard_webhooks\n  version: v1a\n")
	secret := p.NewSecret()
	if !strings.HasPrefix(secret, "whsk_") || p.CheckSecret(secret) != nil {
		t.Fatalf("made a secret %.12s..., %v", secret, p.CheckSecret(secret))
	}
	private, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsk_"))
	if err != nil {
		t.Fatal(err)
	}
	public, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(p.PublicKey(secret), "whpk_"))
	if err != nil || len(public) != ed25519.PublicKeySize {
		t.Fatalf("public key %q: %v", p.PublicKey(secret), err)
	}
	symmetric := "whsec_" + base64.StdEncoding.EncodeToString([]byte("twenty-four bytes of key"))
	_, value, _ := strings.Cut(sign(p, secret, symmetric), "webhook-signature=")
	first, second, _ := strings.Cut(value, " ")
	signature, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(first, "v1a,"))
	if err != nil || !ed25519.Verify(public, []byte(`evt_7.1770798000.{"a":1}`), signature) {
		t.Errorf("%s does not verify: %v", first, err)
	}
	if want := "v1," + base64.StdEncoding.EncodeToString(sum(sha256.New, "twenty-four bytes of key", `evt_7.1770798000.{"a":1}`)); second != want {
		t.Errorf("beside it %s, want %s", second, want)
	}
	seed := "whsk_" + base64.StdEncoding.EncodeToString(private[:32])
	if p.CheckSecret(seed) != nil || p.PublicKey(seed) != p.PublicKey(secret) || sign(p, seed) != sign(p, secret) {
		t.Error("the seed alone is another key")
	}
	if got := builtin(t, "osir").PublicKey(secret); got != "" {
		t.Errorf("osir shows a public key %s", got)
	}
}

// Standard Webhooks keys are base64 after their prefix; other profiles take any text.
func TestCheckSecret(t *testing.T) {
	standard, osir := builtin(t, "standard"), builtin(t, "osir")
	other := base64.StdEncoding.EncodeToString(append(make([]byte, 32), []byte("public half of another key......")...))
	for secret, ok := range map[string]bool{
		standard.NewSecret():                        true,
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw":    true,
		"no prefix: its bytes are the key":          true,
		"whsec_test_secret":                         false,
		"whsec_AAAA":                                false,
		"whsk_" + other:                             false,
		"whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw":     false,
		"whsk_not base64 at all, and long too long": false,
	} {
		want := "secret"
		if ok {
			want = ""
		}
		err := standard.CheckSecret(secret)
		fieldIs(t, err, want)
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error repeats the secret: %v", err)
		}
		fieldIs(t, osir.CheckSecret(secret), "")
	}
}

// The other built-in profiles: bodies and headers as receivers that are written for them expect.
func TestOtherBuiltins(t *testing.T) {
	in := profile.Input{ID: "evt_7", Type: "note.added", Tenant: "acme", OccurredAt: time.UnixMilli(1_770_798_000_120), Data: raw(`{"a": 1}`)}
	for name, want := range map[string]struct {
		body, headers string
		overlaps      bool
	}{
		"standard": {`{"type":"note.added","timestamp":"2026-02-11T08:20:00.120Z","data":{"a": 1}}`,
			"content-type=application/json user-agent=hookline-standard/1 webhook-id=evt_7 webhook-timestamp webhook-signature", true},
		"cloudevents": {`{"specversion":"1.0","id":"evt_7","source":"/tenants/acme","type":"note.added","time":"2026-02-11T08:20:00.120Z","datacontenttype":"application/json","data":{"a": 1}}`,
			"content-type=application/cloudevents+json; charset=utf-8 user-agent=hookline-cloudevents/1 webhook-id=evt_7 webhook-timestamp webhook-signature", true},
		"github": {`{"a": 1}`,
			"content-type=application/json user-agent=GitHub-Hookshot/hookline x-github-event=note.added x-github-delivery=evt_7 x-hub-signature-256", false},
		"stripe": {`{"id":"evt_7","object":"event","api_version":"2024-06-20","created":1770798000,"data":{"object":{"a": 1}},"livemode":true,"pending_webhooks":1,"request":{"id":null,"idempotency_key":null},"type":"note.added"}`,
			"content-type=application/json; charset=utf-8 user-agent=hookline-stripe/1 stripe-signature", true},
	} {
		p := builtin(t, name)
		body, err := p.Render(nil, &in)
		if err != nil || string(body) != want.body {
			t.Errorf("%s:\n%s\nwant\n%s\n%v", name, body, want.body, err)
		}
		if got := p.Data(body); string(got) != `{"a": 1}` {
			t.Errorf("%s: a filter sees %s", name, got)
		}
		var got []string
		for _, line := range strings.Split(sign(p, "a secret of text"), "\n") {
			key, _, _ := strings.Cut(line, "=")
			if strings.Contains(key, "sign") || strings.Contains(key, "timestamp") {
				line = key
			}
			got = append(got, line)
		}
		if strings.Join(got, " ") != want.headers || p.Overlaps() != want.overlaps {
			t.Errorf("%s: headers\n%s\nwant\n%s; overlaps %v", name, strings.Join(got, " "), want.headers, p.Overlaps())
		}
		id := p.NewEventID()
		if err := p.CheckEventID(id); err != nil {
			t.Error(err)
		}
	}
}

// A signature costs one small allocation more than its headers, whatever the body.
func TestSignAllocations(t *testing.T) {
	if raced {
		t.Skip("a sync.Pool forgets on purpose under the race detector")
	}
	for name, most := range map[string]float64{"osir": 1, "dnsimple": 0, "standard": 4, "github": 1, "stripe": 4} {
		s := builtin(t, name).Signer("a secret of text")
		a := &profile.Attempt{EventID: "evt_7", EventType: "note.added", At: signedAt, Body: make([]byte, 4096)}
		dst := s.Append(nil, a)
		if n := testing.AllocsPerRun(100, func() { s.Append(dst[:0], a) }); n > most {
			t.Errorf("%s: %v allocations, want at most %v", name, n, most)
		}
	}
}

func BenchmarkSchemes(b *testing.B) {
	for _, p := range profile.Builtin() {
		for _, overlap := range []bool{false, true} {
			s := p.Signer("a secret of text")
			if overlap {
				s = p.Signer("a secret of text", "another secret")
			}
			b.Run(fmt.Sprintf("%s/overlap=%v", p.Name, overlap), func(b *testing.B) {
				a := &profile.Attempt{EventID: "evt_7", EventType: "note.added", At: signedAt, Body: make([]byte, 1024)}
				dst := s.Append(nil, a)
				b.ReportAllocs()
				for b.Loop() {
					s.Append(dst[:0], a)
				}
			})
		}
	}
}
