package state

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
)

// stepAccess draws something that happens to keys or portal sessions.
func (w *world) stepAccess(t *rapid.T) {
	tenant := ""
	if have := w.someTenant(t); have != nil && rapid.Bool().Draw(t, "of a tenant") {
		tenant = have.ID
	}
	var live *Key
	for _, k := range w.s.keys {
		if k.RevokedAt == 0 && k.Tenant == tenant {
			live = k
		}
	}
	var linked, opened *Session
	for _, p := range w.s.sessions {
		if p.OpenedAt == 0 {
			linked = p
		} else {
			opened = p
		}
	}
	switch {
	case opened != nil && rapid.Bool().Draw(t, "end it"):
		w.add(record.TypePortalSessionEnded, opened.Tenant, &record.PortalSessionChange{Session: opened.Seq}, "who")
		return
	case linked != nil && rapid.Bool().Draw(t, "open it"):
		w.add(record.TypePortalSessionOpened, linked.Tenant, &record.PortalSessionChange{Session: linked.Seq, ExpiresAt: w.now + 9000})
		return
	}
	hash := [32]byte{rapid.Byte().Draw(t, "hash")}
	switch op := rapid.IntRange(0, 5).Draw(t, "access op"); {
	case op == 0:
		w.add(record.TypeKeyIssued, tenant, &record.KeyIssued{Hash: hash, Scope: record.ScopeRead, Prefix: "hk_0", ExpiresAt: w.now + 5}, "name")
	case op == 1 && live != nil:
		w.add(record.TypeKeyUsed, tenant, &record.KeyChange{Key: live.Seq, At: w.now})
	case op == 2 && live != nil:
		w.add(record.TypeKeyRevoked, tenant, &record.KeyChange{Key: live.Seq}, "who")
	case op >= 3 && tenant != "":
		w.add(record.TypePortalSessionCreated, tenant, &record.PortalSession{LinkHash: hash, LinkExpiresAt: w.now + 5000, LastsMS: 1}, "who")
	}
}

// A link is used once; what is over is forgotten when the next link is made; with its tenant, keys and sessions go.
func TestAccess(t *testing.T) {
	w := newWorld(t)
	w.tenant("a", w.profile("p", time.Minute))
	w.tenant("b", 1)
	key := w.add(record.TypeKeyIssued, "a", &record.KeyIssued{Scope: record.ScopeTenant}, "n")
	all := w.add(record.TypeKeyIssued, "", &record.KeyIssued{Scope: record.ScopeAdmin}, "n")
	link := func(tenant string, lasts int64) record.PortalSessionChange {
		seq := w.add(record.TypePortalSessionCreated, tenant, &record.PortalSession{LinkExpiresAt: w.now + lasts}, "who")
		return record.PortalSessionChange{Session: seq, ExpiresAt: w.now + 60_000}
	}
	once := link("a", 1000)
	w.add(record.TypePortalSessionOpened, "a", &once)
	stale := link("b", 10)
	w.now += 10
	link("b", 1000)
	for _, p := range w.s.Sessions() {
		if p.Seq == stale.Session {
			t.Error("a link that ran out is kept")
		}
	}
	if n := len(w.s.Sessions()); n != 2 {
		t.Errorf("%d sessions, want 2", n)
	}
	w.add(record.TypeTenantDeleted, "a", nil, "who")
	if k, _ := w.s.IssuedKey(key); k.RevokedAt == 0 {
		t.Error("the key of a deleted tenant is good")
	}
	if k, _ := w.s.IssuedKey(all); k.RevokedAt != 0 {
		t.Error("a key for all tenants goes with one of them")
	}
	if n := len(w.s.Sessions()); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
	once = link("b", 1000)
	w.add(record.TypePortalSessionOpened, "b", &once)
	if err := w.try(record.TypePortalSessionOpened, "b", &once); err == nil {
		t.Error("a link opens a second session")
	}
}
