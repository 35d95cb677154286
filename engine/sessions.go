package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/seal"
)

// PortalSession is a customer's time in the portal: a link opens it, once, and it ends by itself.
type PortalSession struct {
	ID            string `json:"id"`
	Tenant        string `json:"tenant"`
	CreatedAt     Time   `json:"created_at"`
	LinkExpiresAt Time   `json:"link_expires_at" doc:"until then the link can be opened, once"`
	OpenedAt      *Time  `json:"opened_at"`
	ExpiresAt     *Time  `json:"expires_at" doc:"null until it is opened"`
	// Token is the link's in the answer to its creation, the session's in the answer to its opening.
	Token string `json:"-"`
}

// Bounds of portal sessions.
const (
	LinkLifetime       = 5 * time.Minute
	DefaultSession     = time.Hour
	MinSession         = time.Minute
	MaxSession         = 24 * time.Hour
	maxPortalSessions  = 100_000
	linkPrefix         = "hkl_"
	sessionTokenPrefix = "hks_"
)

// CreatePortalSession makes a link to a session of `lasts` (0 = 1 h), counted from its opening.
func (e *Engine) CreatePortalSession(ctx context.Context, by Actor, tenant string, lasts time.Duration) (PortalSession, error) {
	if lasts == 0 {
		lasts = DefaultSession
	}
	if lasts < MinSession || lasts > MaxSession {
		return PortalSession{}, Invalid("expires_in", "is %s, want %s to %s", lasts, MinSession, MaxSession)
	}
	if _, err := e.view(ctx, tenant); err != nil {
		return PortalSession{}, err
	}
	who, err := e.who(tenant, record.TypePortalSessionCreated, by)
	if err != nil {
		return PortalSession{}, err
	}
	token, hash := newToken(linkPrefix)
	var made state.Session
	err = e.change(ctx, func(s *sequencer) error {
		if _, err := s.tenant(tenant); err != nil {
			return err
		}
		if len(s.st.Sessions()) >= maxPortalSessions {
			return &Error{Code: CodeRateLimited, Detail: "there are 100 000 portal sessions: wait until some are over"}
		}
		s.appendFacts(record.TypePortalSessionCreated, tenant, &record.PortalSession{LinkHash: hash,
			LinkExpiresAt: s.now + LinkLifetime.Milliseconds(), LastsMS: uint64(lasts.Milliseconds())}, who...)
		all := s.st.Sessions()
		made = *all[len(all)-1]
		return nil
	})
	o := e.sessionObject(&made)
	o.Token = token
	return o, err
}

// errLink does not say whether the link ever existed.
var errLink = &Error{Code: CodeNotFound, Detail: "the link is not good: it was opened before, it is older than 5 minutes, or it never was one; ask for a new one"}

// OpenPortalSession turns a link's token into a session, once.
func (e *Engine) OpenPortalSession(ctx context.Context, link string) (PortalSession, error) {
	linkHash := sha256.Sum256([]byte(link))
	token, hash := newToken(sessionTokenPrefix)
	var opened state.Session
	err := e.change(ctx, func(s *sequencer) error {
		all := s.st.Sessions()
		i := slices.IndexFunc(all, func(p *state.Session) bool { return p.LinkHash == linkHash })
		if i < 0 || all[i].OpenedAt != 0 || all[i].Over(s.now) {
			return errLink
		}
		p := all[i]
		s.appendFacts(record.TypePortalSessionOpened, p.Tenant, &record.PortalSessionChange{Session: p.Seq, TokenHash: hash,
			ExpiresAt: s.now + int64(p.LastsMS)})
		e.access.addSession(e, p)
		opened = *p
		return nil
	})
	if err != nil {
		return PortalSession{}, err
	}
	o := e.sessionObject(&opened)
	o.Token = token
	return o, nil
}

// EndPortalSession ends a session, or a link that nobody opened.
func (e *Engine) EndPortalSession(ctx context.Context, by Actor, tenant, id string) error {
	ref, ok := parseID(e.epochs, record.PrefixSession, id)
	if !ok {
		return notFound("portal session", id)
	}
	if _, err := e.view(ctx, tenant); err != nil {
		return err
	}
	who, err := e.who(tenant, record.TypePortalSessionEnded, by)
	if err != nil {
		return err
	}
	return e.change(ctx, func(s *sequencer) error {
		for _, p := range s.st.Sessions() {
			if p.Seq == ref.Seq && p.Tenant == tenant {
				e.access.keys.Delete(p.TokenHash)
				s.appendFacts(record.TypePortalSessionEnded, tenant, &record.PortalSessionChange{Session: p.Seq}, who...)
				return nil
			}
		}
		return notFound("portal session", id)
	})
}

// PortalSessions lists a tenant's sessions and links that are not over, newest first.
func (e *Engine) PortalSessions(ctx context.Context, tenant string, in ListInput) (Page[PortalSession], error) {
	var all []state.Session
	err := e.do(ctx, func(s *sequencer) error {
		if _, err := s.tenant(tenant); err != nil {
			return err
		}
		for _, p := range s.st.Sessions() {
			if p.Tenant == tenant && !p.Over(s.now) {
				all = append(all, *p)
			}
		}
		return nil
	})
	if err != nil {
		return Page[PortalSession]{}, err
	}
	slices.Reverse(all)
	return pageOf(all, in, func(p state.Session) eventlog.Seq { return p.Seq },
		func(p state.Session) (PortalSession, error) { return e.sessionObject(&p), nil })
}

func (e *Engine) sessionObject(p *state.Session) PortalSession {
	return PortalSession{ID: e.id(record.PrefixSession, p.Seq, 0), Tenant: p.Tenant, CreatedAt: Time(p.CreatedAt),
		LinkExpiresAt: Time(p.LinkExpiresAt), OpenedAt: timeOrNull(p.OpenedAt), ExpiresAt: timeOrNull(p.ExpiresAt)}
}

// isErased says that an error comes from keys that were destroyed.
func isErased(err error) bool { return errors.Is(err, seal.ErrDestroyed) }

// codeOf is an error's code; 0 for what is none of ours.
func codeOf(err error) Code {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	return 0
}
