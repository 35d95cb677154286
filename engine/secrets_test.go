package engine

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// A new tenant without a profile gets Standard Webhooks; a rotated secret overlaps for 24 h by the engine's clock: until
// then both sign, by live state, by a snapshot and by a fold alike.
func TestSecretsOverlap(t *testing.T) {
	r := newRig(t, nil)
	tenant := must(r.CreateTenant(t.Context(), Actor{"test"}, TenantInput{ID: "acc"}))(t)
	if tenant.Profile != "standard" {
		t.Fatalf("profile %q without asking", tenant.Profile)
	}
	ep := r.endpoint("acc", EndpointInput{})
	signatures := func() []string {
		t.Helper()
		r.publish("acc", PublishInput{Type: "anything.at_all"})
		r.advance(0)
		seen := r.net.requests()
		return strings.Fields(headerOf(&seen[len(seen)-1], "webhook-signature"))
	}
	if got := signatures(); len(got) != 1 || ep.PreviousSecretExpiresAt != nil {
		t.Fatalf("signatures %v, previous until %v", got, ep.PreviousSecretExpiresAt)
	}
	rotated := must(r.RotateSecret(t.Context(), Actor{"test"}, "acc", ep.ID, RotateInput{}))(t)
	until := Time(rigStart.Add(24 * time.Hour).UnixMilli())
	if rotated.Secret == ep.Secret || rotated.PreviousSecretExpiresAt == nil || *rotated.PreviousSecretExpiresAt < until {
		t.Fatalf("rotated: %+v", rotated)
	}
	for _, derived := range []bool{false, true} {
		if got := signatures(); len(got) != 2 || got[0] == got[1] {
			t.Fatalf("signatures in the overlap: %v", got)
		}
		r.checkFold()
		r.stop()
		if derived {
			r.removeDerived()
		}
		r.start()
	}
	if got := must(r.EndpointSecret(t.Context(), "acc", ep.ID))(t); got.Secret != rotated.Secret || got.PublicKey != nil {
		t.Errorf("secret %+v", got)
	}
	r.advance(24*time.Hour - time.Millisecond)
	if got := signatures(); len(got) != 2 {
		t.Errorf("just before the end: %v", got)
	}
	r.advance(time.Millisecond)
	if got := signatures(); len(got) != 1 {
		t.Errorf("after the end: %v", got)
	}
	if now := must(r.Endpoint(t.Context(), "acc", ep.ID))(t); now.PreviousSecretExpiresAt != nil {
		t.Errorf("still shown: %v", now.PreviousSecretExpiresAt)
	}
	r.checkFold()
}

// A second rotation within the overlap replaces the pair; an overlap of 0s ends it. An asymmetric secret shows its public
// key and signs v1a beside the old v1.
func TestRotateWithinOverlap(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "standard")
	ep := r.endpoint("acc", EndpointInput{})
	hour := time.Hour
	must(r.RotateSecret(t.Context(), Actor{}, "acc", ep.ID, RotateInput{Overlap: &hour}))(t)
	const signing = "whsk_" + "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	must(r.RotateSecret(t.Context(), Actor{}, "acc", ep.ID, RotateInput{Secret: signing, Overlap: &hour}))(t)
	r.publish("acc", PublishInput{Type: "a"})
	r.advance(0)
	got := strings.Fields(headerOf(&r.net.requests()[0], "webhook-signature"))
	if len(got) != 2 || !strings.HasPrefix(got[0], "v1a,") || !strings.HasPrefix(got[1], "v1,") {
		t.Errorf("signatures %v", got)
	}
	if secret := must(r.EndpointSecret(t.Context(), "acc", ep.ID))(t); secret.Secret != signing || secret.PublicKey == nil || !strings.HasPrefix(*secret.PublicKey, "whpk_") {
		t.Errorf("secret %+v", secret)
	}
	none := time.Duration(0)
	if o := must(r.RotateSecret(t.Context(), Actor{}, "acc", ep.ID, RotateInput{Overlap: &none}))(t); o.PreviousSecretExpiresAt != nil {
		t.Errorf("overlap of 0s: until %v", o.PreviousSecretExpiresAt)
	}
	r.checkFold()
}

// OSIR's header holds one value: the change is at once, and an overlap is refused rather than ignored.
func TestRotateAtomically(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{Secret: Some("whsec_test_secret")})
	if o := must(r.RotateSecret(t.Context(), Actor{}, "acc", ep.ID, RotateInput{Secret: "another secret"}))(t); o.PreviousSecretExpiresAt != nil || o.Secret != "another secret" {
		t.Errorf("rotated: %+v", o)
	}
	for _, in := range []RotateInput{{Overlap: ptr(time.Hour)}, {Overlap: ptr(-time.Hour)}, {Overlap: ptr(31 * 24 * time.Hour)}, {Overlap: ptr(time.Nanosecond)}} {
		_, err := r.RotateSecret(t.Context(), Actor{}, "acc", ep.ID, in)
		wantInvalid(t, err, "overlap")
	}
	r.tenant("std", "standard")
	_, err := r.CreateEndpoint(t.Context(), Actor{}, "std", EndpointInput{URL: Some("https://receiver.example/"), Secret: Some("whsec_test_secret")})
	wantInvalid(t, err, "secret")
	r.publish("acc", PublishInput{Type: "domain.renewed"})
	r.advance(0)
	if got := headerOf(&r.net.requests()[0], "x-osir-signature"); len(got) != 64 {
		t.Errorf("signature %q", got)
	}
}

func wantInvalid(t *testing.T, err error, location string) {
	t.Helper()
	if e := (*Error)(nil); !errors.As(err, &e) || e.Code != CodeInvalid || len(e.Fields) != 1 || e.Fields[0].Location != location {
		t.Errorf("error %v, want 422 at %s", err, location)
	}
}
