package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/transports"
)

// ownProfile is a small profile with some texts in it replaced.
func ownProfile(t *testing.T, replace ...string) *profile.Profile {
	t.Helper()
	content, err := profile.Start("acme")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Lint("acme.yaml", []byte(strings.NewReplacer(replace...).Replace(string(content))))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const startWaits, startBody = "waits: [5s, 1m, 5m, 30m, 2h, 12h]", "  - created: occurred_at.rfc3339\n"

// A profile that changes while the engine runs becomes its next version: tenants follow at once, a pending delivery keeps
// the schedule it began with, its record keeps the version; no file needs to be there at the next start.
func TestProfileIsDefinedAnew(t *testing.T) {
	r := newRig(t, nil)
	define := func(p *profile.Profile, want string) {
		t.Helper()
		defined := must(r.DefineProfiles(t.Context(), []*profile.Profile{p}))(t)
		if strings.Join(defined, ",") != want {
			t.Fatalf("defined %v, want %q", defined, want)
		}
	}
	first := ownProfile(t, startWaits, "waits: [1m]", "  jitter: 0.1", "  jitter: 0")
	define(first, "acme version 1")
	define(first, "")
	r.tenant("acc", "acme")
	r.endpoint("acc", EndpointInput{})
	r.net.answers(func(int, *transports.Request) (transports.Result, error) { return status(500), nil })
	old := r.publish("acc", PublishInput{Type: "order.created"})
	r.advance(0)

	define(ownProfile(t, startWaits, "waits: [1h, 1h, 1h]", "  jitter: 0.1", "  jitter: 0", startBody, ""), "acme version 2")
	if got := must(r.Tenant(t.Context(), "acc"))(t); got.ProfileVersion != 2 {
		t.Errorf("the tenant has version %d", got.ProfileVersion)
	}
	if got := must(r.Profile("acme"))(t); got.Version != 2 || got.MaxAttempts != 4 {
		t.Errorf("shown: version %d, %d attempts", got.Version, got.MaxAttempts)
	}
	young := r.publish("acc", PublishInput{Type: "order.created"})
	r.advance(time.Minute)
	if d := r.delivery("acc", old.Matched[0].DeliveryID); d.MaxAttempts != 2 || d.Status != "exhausted" {
		t.Errorf("the old delivery: %+v", d)
	}
	if d := r.delivery("acc", young.Matched[0].DeliveryID); d.MaxAttempts != 4 || d.Status != "pending" {
		t.Errorf("the new delivery: %+v", d)
	}
	seen := r.net.requests()
	if a, b := string(seen[0].Body), string(seen[1].Body); !strings.Contains(a, `"created":`) || strings.Contains(b, `"created":`) {
		t.Errorf("bodies of the versions:\n%s\n%s", a, b)
	}
	r.checkFold()
	for range 2 { // by snapshot and by fold, without the file
		r.stop()
		r.removeDerived()
		r.start()
		if got := must(r.Profile("acme"))(t); got.Version != 2 || got.MaxAttempts != 4 || len(r.Profiles()) != 7 {
			t.Errorf("after a restart: version %d of %d profiles", got.Version, len(r.Profiles()))
		}
		name := "Acme"
		must(r.UpdateTenant(t.Context(), Actor{}, "acc", TenantInput{Name: &name}))(t)
	}
}

// A version that its tenants cannot have is refused; what runs stays, and why is shown.
func TestProfileThatTenantsCannotHave(t *testing.T) {
	r := newRig(t, nil)
	must(r.DefineProfiles(t.Context(), []*profile.Profile{ownProfile(t)}))(t)
	r.tenant("acc", "acme")
	strict := ownProfile(t, "https_only: false", "https_only: true")
	must(r.DefineProfiles(t.Context(), []*profile.Profile{ownProfile(t, "timeout: 30s", "timeout: 5s")}))(t)
	r.endpoint("acc", EndpointInput{})
	_, err := r.DefineProfiles(t.Context(), []*profile.Profile{strict})
	wantCode(t, err, CodeConflict)
	r.ReportProfileFaults(map[string]string{"acme": "acme.yaml: no"})
	if got := must(r.Profile("acme"))(t); got.Version != 2 || got.HTTPSOnly || got.ReloadError == nil || *got.ReloadError != "acme.yaml: no" {
		t.Errorf("shown: %+v", got)
	}
	must(r.DefineProfiles(t.Context(), []*profile.Profile{ownProfile(t, "timeout: 30s", "timeout: 6s")}))(t)
	r.ReportProfileFaults(nil)
	if got := must(r.Profile("acme"))(t); got.Version != 3 || got.ReloadError != nil {
		t.Errorf("shown: version %d, error %v", got.Version, got.ReloadError)
	}
}
