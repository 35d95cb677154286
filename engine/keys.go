package engine

import (
	"context"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// KeyInput issues a key.
type KeyInput struct {
	Name      string
	Scope     string    // admin, publish, read, tenant
	Tenant    string    // needed for tenant, may be given for publish and read
	ExpiresAt time.Time // zero = never
}

// Key is an API key as it is shown: never the key itself, but once.
type Key struct {
	ID         string  `json:"id"`
	Name       string  `json:"name"`
	Scope      string  `json:"scope" enum:"admin,publish,read,tenant"`
	Tenant     *string `json:"tenant" doc:"the only tenant it is good for; null = all"`
	Prefix     string  `json:"prefix" doc:"its first characters, to tell keys apart"`
	CreatedAt  Time    `json:"created_at"`
	ExpiresAt  *Time   `json:"expires_at"`
	LastUsedAt *Time   `json:"last_used_at" doc:"exact while the server runs; to the hour after a crash"`
	RevokedAt  *Time   `json:"revoked_at"`
	Key        string  `json:"key,omitempty" doc:"only in the answer to its creation"`
}

const (
	keyPrefix      = "hk_"
	shownOfAKey    = len(keyPrefix) + 8
	maxIssuedKeys  = 100_000 // of all tenants, revoked ones included
	minKeyLifetime = time.Minute
)

// IssueKey makes a key. It is shown in this answer only.
func (e *Engine) IssueKey(ctx context.Context, by Actor, in KeyInput) (Key, error) {
	if err := checkKeyName(in.Name); err != nil {
		return Key{}, err
	}
	scope := record.ParseScope(in.Scope)
	switch {
	case in.Scope == "" || scope == 0:
		return Key{}, Invalid("scope", "%.64q is none of admin, publish, read, tenant", in.Scope)
	case scope == record.ScopeTenant && in.Tenant == "":
		return Key{}, Invalid("tenant", "is needed for the scope tenant: the id of the tenant that the key is for")
	case scope == record.ScopeAdmin && in.Tenant != "":
		return Key{}, Invalid("tenant", "does not go with the scope admin, which is good for all: leave it out, or take the scope tenant")
	}
	facts := record.KeyIssued{Scope: scope}
	if !in.ExpiresAt.IsZero() {
		facts.ExpiresAt = in.ExpiresAt.UnixMilli()
		if earliest := e.clock.Now() + minKeyLifetime.Milliseconds(); facts.ExpiresAt < earliest {
			return Key{}, Invalid("expires_at", "is less than %s away: give a later time, or leave it out for never", minKeyLifetime)
		}
	}
	if in.Tenant != "" {
		if _, err := e.readTenant(ctx, in.Tenant); err != nil {
			return Key{}, unknownTenant(in.Tenant, err)
		}
	}
	token, hash := newToken(keyPrefix)
	facts.Hash, facts.Prefix = hash, token[:shownOfAKey]
	private, err := e.sealJSON(in.Tenant, record.TypeKeyIssued, 0, record.KeyPrivate{Name: in.Name, By: by.Name})
	if err != nil {
		return Key{}, err
	}
	var made *state.Key
	err = e.change(ctx, func(s *sequencer) error {
		if _, ok := s.st.Tenant(in.Tenant); in.Tenant != "" && !ok {
			return unknownTenant(in.Tenant, notFound("tenant", in.Tenant))
		}
		if n := len(s.st.IssuedKeys()); n >= maxIssuedKeys {
			return conflict("%d keys were issued, that is the bound", n)
		}
		seq := s.appendFacts(record.TypeKeyIssued, in.Tenant, &facts, private)
		k, _ := s.st.IssuedKey(seq)
		made = ptr(*k)
		e.access.addKey(e, k)
		return nil
	})
	if err != nil {
		return Key{}, err
	}
	o, err := e.keyObject(made)
	o.Key = token
	return o, err
}

// unknownTenant says 422 for a tenant in a body that is not there.
func unknownTenant(id string, err error) error {
	if codeOf(err) == CodeNotFound {
		return Invalid("tenant", "no tenant %q here", id)
	}
	return err
}

func checkKeyName(name string) error {
	if n := len(name); n == 0 || n > MaxName || !utf8.ValidString(name) {
		return Invalid("name", "has %d bytes, want 1 to %d of UTF-8: say who uses the key", n, MaxName)
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return Invalid("name", "has a control character: leave it out")
		}
	}
	return nil
}

// RevokeKey ends a key at once. Revoking it again changes nothing. A key cannot be made good again.
func (e *Engine) RevokeKey(ctx context.Context, by Actor, id string) (Key, error) {
	found, err := e.issuedKey(ctx, id)
	if err != nil {
		return Key{}, err
	}
	who, err := e.who(found.Tenant, record.TypeKeyRevoked, by)
	if err != nil {
		return Key{}, err
	}
	err = e.change(ctx, func(s *sequencer) error {
		k, ok := s.st.IssuedKey(found.Seq)
		if !ok {
			return notFound("key", id)
		}
		if k.RevokedAt == 0 {
			s.appendFacts(record.TypeKeyRevoked, k.Tenant, &record.KeyChange{Key: k.Seq}, who...)
			e.access.keys.Delete(k.Hash)
		}
		found = *k
		return nil
	})
	if err != nil {
		return Key{}, err
	}
	return e.keyObject(&found)
}

func (e *Engine) issuedKey(ctx context.Context, id string) (k state.Key, err error) {
	ref, ok := parseID(e.epochs, record.PrefixKey, id)
	if !ok {
		return k, notFound("key", id)
	}
	err = e.do(ctx, func(s *sequencer) error {
		found, ok := s.st.IssuedKey(ref.Seq)
		if !ok {
			return notFound("key", id)
		}
		k = *found
		return nil
	})
	return k, err
}

// IssuedKey shows one key.
func (e *Engine) IssuedKey(ctx context.Context, id string) (Key, error) {
	k, err := e.issuedKey(ctx, id)
	if err != nil {
		return Key{}, err
	}
	return e.keyObject(&k)
}

// IssuedKeys lists keys, newest first, revoked ones included; the configured admin key is not one of them.
func (e *Engine) IssuedKeys(ctx context.Context, in ListInput) (Page[Key], error) {
	var all []state.Key
	err := e.do(ctx, func(s *sequencer) error {
		for _, k := range s.st.IssuedKeys() {
			all = append(all, *k)
		}
		return nil
	})
	if err != nil {
		return Page[Key]{}, err
	}
	slices.Reverse(all)
	return pageOf(all, in, func(k state.Key) eventlog.Seq { return k.Seq }, func(k state.Key) (Key, error) { return e.keyObject(&k) })
}

func (e *Engine) keyObject(k *state.Key) (Key, error) {
	o := Key{ID: e.id(record.PrefixKey, k.Seq, 0), Scope: k.Scope.String(), Tenant: textOrNull(k.Tenant), Prefix: k.Prefix,
		CreatedAt: Time(k.CreatedAt), ExpiresAt: timeOrNull(k.ExpiresAt), LastUsedAt: timeOrNull(k.UsedAt), RevokedAt: timeOrNull(k.RevokedAt)}
	if v, ok := e.access.keys.Load(k.Hash); ok {
		o.LastUsedAt = timeOrNull(max(k.UsedAt, v.(*holder).used.Load()))
	}
	var p record.KeyPrivate
	if err := e.openJSON(k.Private, k.Tenant, record.TypeKeyIssued, 0, &p); err != nil {
		if isErased(err) {
			return o, nil
		}
		return o, err
	}
	o.Name = p.Name
	return o, nil
}
