package engine

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// Scope is what a key may do.
type Scope = record.Scope

const (
	ScopeAdmin   = record.ScopeAdmin   // everything
	ScopePublish = record.ScopePublish // publish events
	ScopeRead    = record.ScopeRead    // read everything but secrets
	ScopeTenant  = record.ScopeTenant  // the customer's own: manage and read one tenant's endpoints, not publish
)

// Principal is who calls: the holder of a key, or of a portal session.
type Principal struct {
	ID        string // "admin_key" for the configured one, else the key's or the session's
	Scope     Scope
	Tenant    string // the only one it may touch; "" = all
	ExpiresAt int64  // Unix ms; 0 = never
}

// Actor is the principal as records name it.
func (p *Principal) Actor() Actor { return Actor{Name: p.ID} }

// Bound says that the principal may touch one tenant only.
func (p *Principal) Bound() bool { return p.Tenant != "" }

// AdminKeyID is the id of the configured admin key.
const AdminKeyID = "admin_key"

// access is what is known about keys, by their SHA-256: read by any request without a lock. The sequencer writes it.
type access struct {
	admin atomic.Pointer[[32]byte]
	keys  sync.Map // [32]byte -> *holder
}

// holder is a principal that is found by its key.
type holder struct {
	Principal
	seq  eventlog.Seq
	used atomic.Int64 // Unix ms
}

var adminPrincipal = Principal{ID: AdminKeyID, Scope: record.ScopeAdmin}

// Authenticate finds who holds a key or a portal session's token; nil = nobody.
func (e *Engine) Authenticate(key string) *Principal {
	hash := sha256.Sum256([]byte(key))
	if admin := e.access.admin.Load(); admin != nil && subtle.ConstantTimeCompare(hash[:], admin[:]) == 1 {
		return &adminPrincipal
	}
	// Whoever can time a look-up by SHA-256 learns nothing about a key of 256 random bits.
	v, ok := e.access.keys.Load(hash)
	if !ok {
		return nil
	}
	h := v.(*holder)
	now := e.clock.Now()
	if h.ExpiresAt != 0 && now >= h.ExpiresAt {
		return nil
	}
	h.used.Store(now)
	return &h.Principal
}

// load takes what the state knows.
func (a *access) load(e *Engine, st *state.State) {
	a.admin.Store(st.Key())
	for _, k := range st.IssuedKeys() {
		if k.RevokedAt == 0 {
			a.addKey(e, k)
		}
	}
	for _, p := range st.Sessions() {
		if p.OpenedAt != 0 {
			a.addSession(e, p)
		}
	}
}

func (a *access) addKey(e *Engine, k *state.Key) {
	h := &holder{seq: k.Seq, Principal: Principal{ID: e.id(record.PrefixKey, k.Seq, 0), Scope: k.Scope, Tenant: k.Tenant, ExpiresAt: k.ExpiresAt}}
	h.used.Store(k.UsedAt)
	a.keys.Store(k.Hash, h)
}

func (a *access) addSession(e *Engine, p *state.Session) {
	a.keys.Store(p.TokenHash, &holder{Principal: Principal{ID: e.id(record.PrefixSession, p.Seq, 0), Scope: record.ScopeTenant,
		Tenant: p.Tenant, ExpiresAt: p.ExpiresAt}})
}

// endTenant forgets the keys and sessions of a tenant that is deleted.
func (a *access) endTenant(st *state.State, tenant string) {
	for _, k := range st.IssuedKeys() {
		if k.Tenant == tenant {
			a.keys.Delete(k.Hash)
		}
	}
	for _, p := range st.Sessions() {
		if p.Tenant == tenant && p.OpenedAt != 0 {
			a.keys.Delete(p.TokenHash)
		}
	}
}

// usedEvery is how often the log takes note of a key's use: between two notes memory knows better, a crash forgets that.
const usedEvery = time.Hour

// maxNoted bounds one batch: the others have their turn a minute later.
const maxNoted = 1000

// noteUses records the last use of keys where the log is an hour behind, and forgets what expired.
func (s *sequencer) noteUses() {
	if s.suspended() {
		return
	}
	noted := 0
	s.e.access.keys.Range(func(hash, v any) bool {
		h := v.(*holder)
		if h.ExpiresAt != 0 && s.now >= h.ExpiresAt {
			s.e.access.keys.Delete(hash)
		}
		if k, ok := s.st.IssuedKey(h.seq); ok && h.used.Load() >= k.UsedAt+usedEvery.Milliseconds() {
			s.appendFacts(record.TypeKeyUsed, k.Tenant, &record.KeyChange{Key: k.Seq, At: h.used.Load()})
			noted++
		}
		return noted < maxNoted
	})
}

type noteUsesCommand struct{}

func (noteUsesCommand) run(s *sequencer) { s.noteUses() }

// newToken makes a secret of 260 random bits, and its hash.
func newToken(prefix string) (token string, hash [32]byte) {
	token = prefix + strings.ToLower(rand.Text()+rand.Text())
	return token, sha256.Sum256([]byte(token))
}
