package state

import (
	"slices"
	"strings"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Key is an API key that was issued. A revoked one stays, so that what it did keeps its name.
type Key struct {
	Seq       eventlog.Seq // of key.issued
	Tenant    string       // the only one it is good for; "" = all
	CreatedAt int64
	record.KeyIssued
	RevokedAt int64
	UsedAt    int64 // to the hour
	Private   eventlog.Section
	hash      Digest
}

// Session is a portal session, or the link that opens one. It is forgotten when it is over.
type Session struct {
	Seq       eventlog.Seq // of portal_session.created
	Tenant    string
	CreatedAt int64
	record.PortalSession
	OpenedAt  int64    // 0 = the link was not used yet
	TokenHash [32]byte // with OpenedAt
	ExpiresAt int64    // with OpenedAt
	hash      Digest
}

// Over says that neither the link nor the session is good any more.
func (s *Session) Over(now int64) bool {
	if s.OpenedAt == 0 {
		return now >= s.LinkExpiresAt
	}
	return now >= s.ExpiresAt
}

// IssuedKey finds an issued key, revoked or not.
func (s *State) IssuedKey(seq eventlog.Seq) (*Key, bool) {
	i, ok := slices.BinarySearchFunc(s.keys, seq, func(k *Key, seq eventlog.Seq) int { return int(k.Seq) - int(seq) })
	if !ok {
		return nil, false
	}
	return s.keys[i], true
}

// IssuedKeys are all of them, oldest first. The slice is the state's.
func (s *State) IssuedKeys() []*Key { return s.keys }

// Sessions are those that are not over as far as records tell, oldest first. The slice is the state's.
func (s *State) Sessions() []*Session { return s.sessions }

func (s *State) keyIssued(r *eventlog.Record) error {
	k := &Key{Seq: r.Seq, Tenant: strings.Clone(r.Tenant), CreatedAt: r.Time, Private: keep(r.Sections[0])}
	if err := k.Decode(r.Facts); err != nil {
		return err
	}
	if k.Tenant != "" {
		if _, ok := s.Tenant(k.Tenant); !ok {
			return s.inconsistent(r, "tenant %q is not there", k.Tenant)
		}
	}
	k.Prefix = strings.Clone(k.Prefix)
	s.keys = append(s.keys, k)
	s.rehashKey(k)
	return nil
}

func (s *State) keyChanged(r *eventlog.Record) error {
	var c record.KeyChange
	if err := c.Decode(r.Facts); err != nil {
		return err
	}
	k, ok := s.IssuedKey(c.Key)
	if !ok || k.RevokedAt != 0 {
		return s.inconsistent(r, "key %d is not there, or revoked", c.Key)
	}
	if r.Type == record.TypeKeyUsed {
		k.UsedAt = c.At
	} else {
		k.RevokedAt = r.Time
	}
	s.rehashKey(k)
	return nil
}

func (s *State) rehashKey(k *Key) {
	s.digest.sub(k.hash)
	k.hash = hashOf(appendIssuedKey(nil, k))
	s.digest.add(k.hash)
}

func (s *State) sessionCreated(r *eventlog.Record) error {
	p := &Session{Seq: r.Seq, Tenant: strings.Clone(r.Tenant), CreatedAt: r.Time}
	if err := p.Decode(r.Facts); err != nil {
		return err
	}
	if _, ok := s.Tenant(p.Tenant); !ok {
		return s.inconsistent(r, "tenant %q is not there", p.Tenant)
	}
	s.dropSessions(func(p *Session) bool { return p.Over(r.Time) })
	s.sessions = append(s.sessions, p)
	s.rehashSession(p)
	return nil
}

func (s *State) sessionChanged(r *eventlog.Record) error {
	var c record.PortalSessionChange
	if err := c.Decode(r.Facts); err != nil {
		return err
	}
	i := slices.IndexFunc(s.sessions, func(p *Session) bool { return p.Seq == c.Session })
	if i < 0 || s.sessions[i].Tenant != r.Tenant {
		return s.inconsistent(r, "portal session %d is not there", c.Session)
	}
	p := s.sessions[i]
	if r.Type == record.TypePortalSessionEnded {
		s.dropSessions(func(q *Session) bool { return p == q })
		return nil
	}
	if p.OpenedAt != 0 {
		return s.inconsistent(r, "portal session %d was opened before", c.Session)
	}
	p.OpenedAt, p.TokenHash, p.ExpiresAt = r.Time, c.TokenHash, c.ExpiresAt
	s.rehashSession(p)
	return nil
}

func (s *State) rehashSession(p *Session) {
	s.digest.sub(p.hash)
	p.hash = hashOf(appendSession(nil, p))
	s.digest.add(p.hash)
}

func (s *State) dropSessions(gone func(*Session) bool) {
	s.sessions = slices.DeleteFunc(s.sessions, func(p *Session) bool {
		if gone(p) {
			s.digest.sub(p.hash)
			return true
		}
		return false
	})
}

// endAccess is what the deletion of a tenant does to its keys and sessions.
func (s *State) endAccess(r *eventlog.Record) {
	for _, k := range s.keys {
		if k.Tenant == r.Tenant && k.RevokedAt == 0 {
			k.RevokedAt = r.Time
			s.rehashKey(k)
		}
	}
	s.dropSessions(func(p *Session) bool { return p.Tenant == r.Tenant })
}

func appendIssuedKey(b []byte, k *Key) []byte {
	b = au(append(b, kindIssuedKey), uint64(k.Seq))
	b = as(b, k.Tenant)
	b = ai(b, k.CreatedAt)
	b = as(b, string(k.AppendFacts(nil)))
	b = ai(b, k.RevokedAt)
	b = ai(b, k.UsedAt)
	return asec(b, k.Private, record.TypeKeyIssued)
}

func appendSession(b []byte, p *Session) []byte {
	b = au(append(b, kindSession), uint64(p.Seq))
	b = as(b, p.Tenant)
	b = ai(b, p.CreatedAt)
	b = as(b, string(p.AppendFacts(nil)))
	b = ai(b, p.OpenedAt)
	b = append(b, p.TokenHash[:]...)
	return ai(b, p.ExpiresAt)
}

func (d *snapshotReader) issuedKey() {
	k := &Key{Seq: eventlog.Seq(d.u()), Tenant: d.str(), CreatedAt: d.i()}
	if err := k.Decode([]byte(d.str())); err != nil {
		panic(err)
	}
	k.RevokedAt, k.UsedAt = d.i(), d.i()
	k.Private, _ = d.sec()
	d.data(&k.Private)
	d.s.keys = append(d.s.keys, k)
	d.s.rehashKey(k)
}

func (d *snapshotReader) session() {
	p := &Session{Seq: eventlog.Seq(d.u()), Tenant: d.str(), CreatedAt: d.i()}
	if err := p.Decode([]byte(d.str())); err != nil {
		panic(err)
	}
	p.OpenedAt = d.i()
	p.TokenHash = [32]byte(d.take(32))
	p.ExpiresAt = d.i()
	d.s.sessions = append(d.s.sessions, p)
	d.s.rehashSession(p)
}
