package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/transports"
)

// noted is a Backups that counts refreshes of the keyring.
type noted struct {
	refreshed int
	err       error
}

func (*noted) Start() (Backup, error)  { return Backup{}, nil }
func (*noted) All() ([]Backup, error)  { return nil, nil }
func (n *noted) RefreshKeyring() error { n.refreshed++; return n.err }

func (r *rig) erase(id string) Erasure {
	r.t.Helper()
	return must(r.EraseTenant(context.Background(), Actor{"admin_key"}, id, id))(r.t)
}

// Erasure ends the tenant's deliveries, destroys its keys and reaches the backups; what is read of it says so; the fold
// is the same, before and after a restart from the log alone; the audit still says who did it. Another tenant is untouched.
func TestErase(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		t.Run(fmt.Sprint("deleted before ", deleted), func(t *testing.T) {
			back := &noted{}
			r := newRig(t, func(c *Config) { c.Backups = back })
			r.tenant("acc", "osir")
			r.tenant("other", "osir")
			r.endpoint("acc", EndpointInput{})
			kept := r.publish("other", PublishInput{Type: "a.b"})
			r.net.answers(func(int, *transports.Request) (transports.Result, error) { return status(500), nil })
			p := r.publish("acc", PublishInput{Type: "a.b", Metadata: []byte(`{"x":1}`)})
			r.advance(0)
			if deleted {
				if err := r.DeleteTenant(t.Context(), Actor{}, "acc"); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := r.EraseTenant(t.Context(), Actor{}, "acc", "other"); codeOf(err) != CodeInvalid {
				t.Errorf("another confirm: %v, want 422", err)
			}
			if _, err := r.EraseTenant(t.Context(), Actor{}, "nobody", "nobody"); codeOf(err) != CodeNotFound {
				t.Errorf("nobody: %v, want 404", err)
			}
			o := r.erase("acc")
			if o.Backups != "refreshed" || back.refreshed != 1 || o.ErasedAt == 0 {
				t.Errorf("%+v, %d refreshes", o, back.refreshed)
			}
			if !r.keyring.Erased("acc") || r.keyring.Erased("other") {
				t.Error("the keyring is not what it should be")
			}
			back.err = errors.New("the disk is gone")
			if again := r.erase("acc"); again.Backups != "failed" || again.ErasedAt != o.ErasedAt {
				t.Errorf("again: %+v", again)
			}
			check := func() {
				t.Helper()
				ev := must(r.Event(t.Context(), "acc", p.UID))(t)
				if !ev.Erased || ev.Body != nil || ev.Metadata != nil || ev.Type != "a.b" {
					t.Errorf("event %+v", ev)
				}
				list := must(r.Events(t.Context(), "acc", ListInput{}))(t)
				if len(list.Data) != 1 || !list.Data[0].Erased {
					t.Errorf("events %+v", list.Data)
				}
				d := r.wantEnd("acc", p, "canceled", "tenant_deleted", 1)
				if a := d.Attempts[0]; !a.Erased || a.Request.URL != "" || a.Outcome != "rejected" {
					t.Errorf("attempt %+v", a)
				}
				if ev := must(r.Event(t.Context(), "other", kept.UID))(t); ev.Erased || ev.Body == nil {
					t.Errorf("the other tenant's event %+v", ev)
				}
				if _, err := r.Tenant(t.Context(), "acc"); codeOf(err) != CodeNotFound {
					t.Errorf("the tenant: %v, want 404", err)
				}
				if _, err := r.CreateTenant(t.Context(), Actor{}, TenantInput{ID: "acc"}); codeOf(err) != CodeConflict {
					t.Errorf("its id: %v, want 409", err)
				}
				audit := must(r.Audit(t.Context(), "acc", ListInput{}))(t)
				if c := audit.Data[0]; c.Type != "tenant.erased" || c.By == nil || *c.By != "admin_key" {
					t.Errorf("the audit begins with %+v", c)
				}
				r.checkFold()
			}
			check()
			r.advance(48 * time.Hour)
			if n := len(r.net.requests()); n != 1 {
				t.Errorf("%d requests, want the one before", n)
			}
			r.stop()
			r.removeDerived()
			r.start()
			check()
		})
	}
}

// What the past had of an erased tenant reads as erased, in objects and in lists that hold others too.
func TestErasedObjects(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{Filter: Some("data.x == 1")})
	if err := r.keyring.Erase("acc"); err != nil {
		t.Fatal(err)
	}
	tenant := must(r.Tenant(t.Context(), "acc"))(t)
	if !tenant.Erased || tenant.Name != "" || string(tenant.Attributes) != "{}" {
		t.Errorf("tenant %+v", tenant)
	}
	if all := must(r.Tenants(t.Context(), ListInput{}))(t); len(all.Data) != 1 {
		t.Errorf("tenants %+v", all)
	}
	if o := must(r.Endpoint(t.Context(), "acc", ep.ID))(t); !o.Erased || o.URL != "" || o.Status != "enabled" {
		t.Errorf("endpoint %+v", o)
	}
	if all := must(r.Subscriptions(t.Context(), "acc", ListInput{}))(t); len(all.Data) != 1 || !all.Data[0].Erased {
		t.Errorf("subscriptions %+v", all)
	}
	if _, err := r.UpdateEndpoint(t.Context(), Actor{}, "acc", ep.ID, EndpointInput{Description: Some("x")}); codeOf(err) != CodeConflict {
		t.Errorf("a patch: %v, want 409", err)
	}
}

// The record comes before the destruction: when the process dies between the two, the next start destroys.
func TestEraseDiesHalfway(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	p := r.publish("acc", PublishInput{Type: "a.b"})
	if err := r.do(t.Context(), func(s *sequencer) error {
		tenant, err := s.tenant("acc")
		if err == nil {
			who, _ := r.sealJSON("", record.TypeTenantErased, 0, record.WhoPrivate{By: "test"})
			s.eraseTenant(tenant, who)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if r.keyring.Erased("acc") {
		t.Fatal("the keys are gone already")
	}
	r.stop()
	r.start()
	if !r.keyring.Erased("acc") {
		t.Error("the start does not destroy")
	}
	if ev := must(r.Event(t.Context(), "acc", p.UID))(t); !ev.Erased {
		t.Errorf("event %+v", ev)
	}
}

// A log restored as of before an erasure meets a keyring without the keys: the tenant is erased again at the start.
func TestEraseAfterRestore(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{})
	r.net.answers(func(int, *transports.Request) (transports.Result, error) { return status(500), nil })
	p := r.publish("acc", PublishInput{Type: "a.b"})
	r.advance(0)
	r.stop()
	if err := r.keyring.Erase("acc"); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.advance(48 * time.Hour)
	if n := len(r.net.requests()); n != 1 {
		t.Errorf("%d requests, want the one before", n)
	}
	r.wantEnd("acc", p, "canceled", "tenant_deleted", 1)
	audit := must(r.Audit(t.Context(), "acc", ListInput{}))(t)
	if audit.Data[0].Type != "tenant.erased" || audit.Data[0].By != nil {
		t.Errorf("the audit begins with %+v", audit.Data[0])
	}
	r.checkFold()
}

// Held: nothing starts, tests and the clock are refused, what is published is stored; a release that is not durable is none.
func TestHeld(t *testing.T) {
	hold, fails := true, errors.New("the disk is gone")
	released := 0
	r := newRig(t, func(c *Config) {
		c.Held = hold
		c.Released = func() error { released++; return fails }
	})
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{})
	p := r.publish("acc", PublishInput{Type: "a.b"})
	if _, err := r.AdvanceClock(t.Context(), time.Hour); codeOf(err) != CodeConflict {
		t.Errorf("advance: %v, want 409", err)
	}
	if _, err := r.TestEndpoint(t.Context(), Actor{}, "acc", ep.ID, TestInput{EventType: "domain.registered"}); codeOf(err) != CodeConflict {
		t.Errorf("test: %v, want 409", err)
	}
	if d := r.delivery("acc", p.Matched[0].DeliveryID); d.Status != "pending" || len(r.net.requests()) != 0 {
		t.Errorf("delivery %s, %d requests", d.Status, len(r.net.requests()))
	}
	if _, err := r.Release(t.Context(), Actor{}); err == nil || !r.Held() || !r.Metrics().Held {
		t.Errorf("a release that is not durable: %v, held %v", err, r.Held())
	}
	fails = nil
	for range 2 {
		if st := must(r.Release(t.Context(), Actor{}))(t); st.Held {
			t.Error("held after the release")
		}
	}
	if released != 2 {
		t.Errorf("Released is called %d times, want 2", released)
	}
	r.advance(0)
	r.wantEnd("acc", p, "succeeded", "", 1)
	hold = false
}
