package record

import "github.com/hookline/hookline/eventlog"

// Scope is what a key may do.
type Scope uint8

const (
	ScopeAdmin   Scope = iota + 1 // everything
	ScopePublish                  // publish events
	ScopeRead                     // read everything but secrets
	ScopeTenant                   // the customer's own: manage and read one tenant's endpoints, not publish
)

var scopeNames = [...]string{"", "admin", "publish", "read", "tenant"}

func (s Scope) String() string { return nameOf(scopeNames[:], uint8(s)) }

// ParseScope is the inverse of String; 0 for an unknown name.
func ParseScope(s string) Scope { return Scope(indexOf(scopeNames[:], s)) }

// KeyIssued is an API key that somebody made; the configured admin key is key.created. The record's tenant is the only
// one that the key is good for; none = all. Section 0: KeyPrivate.
type KeyIssued struct {
	Hash      [32]byte // SHA-256 of the key
	Scope     Scope
	Prefix    string // its first characters, to tell keys apart
	ExpiresAt int64  // Unix ms; 0 = never
}

func (k *KeyIssued) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.raw(k.Hash[:])
	e.u8(byte(k.Scope))
	e.s(k.Prefix)
	e.i(k.ExpiresAt)
	return e
}

func (k *KeyIssued) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "key.issued"); err != nil {
		return err
	}
	k.Hash = d.hash32()
	k.Scope = Scope(d.u8())
	k.Prefix = d.s()
	k.ExpiresAt = d.i()
	return d.end("key.issued")
}

// KeyChange is key.revoked, with section 0 WhoPrivate, and key.used, which is written once an hour at most.
type KeyChange struct {
	Key eventlog.Seq
	At  int64 // of key.used: its last use, Unix ms
}

func (k *KeyChange) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.u(uint64(k.Key))
	e.i(k.At)
	return e
}

func (k *KeyChange) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "key change"); err != nil {
		return err
	}
	k.Key = eventlog.Seq(d.u())
	k.At = d.i()
	return d.end("key change")
}

// PortalSession is portal_session.created: a link that opens a session of the record's tenant, once.
// Section 0: WhoPrivate.
type PortalSession struct {
	LinkHash      [32]byte // SHA-256 of the link's token
	LinkExpiresAt int64    // Unix ms
	LastsMS       uint64   // of the session, from its opening
}

func (p *PortalSession) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.raw(p.LinkHash[:])
	e.i(p.LinkExpiresAt)
	e.u(p.LastsMS)
	return e
}

func (p *PortalSession) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "portal_session.created"); err != nil {
		return err
	}
	p.LinkHash = d.hash32()
	p.LinkExpiresAt = d.i()
	p.LastsMS = d.u()
	return d.end("portal_session.created")
}

// PortalSessionChange is portal_session.opened and, with only the session set, portal_session.ended.
type PortalSessionChange struct {
	Session   eventlog.Seq // of its portal_session.created
	TokenHash [32]byte     // SHA-256 of the session's token
	ExpiresAt int64        // Unix ms
}

func (p *PortalSessionChange) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.u(uint64(p.Session))
	e.raw(p.TokenHash[:])
	e.i(p.ExpiresAt)
	return e
}

func (p *PortalSessionChange) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "portal session change"); err != nil {
		return err
	}
	p.Session = eventlog.Seq(d.u())
	p.TokenHash = d.hash32()
	p.ExpiresAt = d.i()
	return d.end("portal session change")
}
