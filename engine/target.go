package engine

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/seal"
	"github.com/hookline/hookline/transports"
)

// target is an endpoint as attempts need it: immutable, made for one version of it and its tenant's profile. The URL and
// the secret are opened by the first attempt, outside the sequencer.
type target struct {
	tenant      string
	endpoint    eventlog.Seq
	version     eventlog.Seq
	profileSeq  eventlog.Seq
	transport   *Transport
	carrier     string // the transport's name
	timeout     time.Duration
	profile     *profile.Profile
	private     eventlog.Section
	privateType eventlog.Type
	secret      eventlog.Section
	secretCtx   seal.Context
	previous    *state.PreviousSecret // signs too until its time; nil = none

	once        sync.Once
	url         string
	own         []transports.Header // the endpoint's
	settings    []byte              // the endpoint's for the transport
	signer      *profile.Signer
	overlapping *profile.Signer // of both secrets
	err         error
}

// target returns the endpoint's current one.
func (s *sequencer) target(ep *state.Endpoint) *target {
	s.lane(ep) // grows the tables
	h := ep.Handle()
	if t := s.targets[h]; t != nil && t.version == ep.Version && t.profileSeq == ep.Tenant.Profile {
		return t
	}
	t := s.e.newTarget(ep)
	s.targets[h] = t
	s.lanes.Resize(s.laneOf[h], width(ep))
	s.limit(ep)
	return t
}

func (e *Engine) newTarget(ep *state.Endpoint) *target {
	t := &target{tenant: ep.Tenant.ID, endpoint: ep.Seq, version: ep.Version, profileSeq: ep.Tenant.Profile,
		private: ep.Private, privateType: ep.PrivateType, secret: ep.Secret,
		secretCtx: seal.Context{Tenant: ep.Tenant.ID, Type: uint16(ep.SecretType), Section: ep.SecretSection}, previous: ep.Previous}
	t.carrier = ep.Config.Transport
	if tr, ok := e.cfg.Transports[ep.Config.Transport]; ok {
		t.transport = &tr
	}
	if t.profile, t.err = e.profileAt(ep.Tenant.Profile); t.err != nil {
		return t
	}
	t.timeout = t.profile.Timeout
	if ms := ep.Config.TimeoutMS; ms != 0 {
		t.timeout = time.Duration(ms) * time.Millisecond
	}
	return t
}

// open unseals what an attempt needs, once.
func (t *target) open(e *Engine) error {
	t.once.Do(func() {
		if t.err != nil {
			return
		}
		if t.transport == nil {
			t.err = fmt.Errorf("engine: the endpoint's transport is not configured here")
			return
		}
		var p record.EndpointPrivate
		if t.err = e.openJSON(t.private, t.tenant, t.privateType, 0, &p); t.err != nil {
			return
		}
		secret, err := e.cfg.Keyring.Unseal(nil, t.secret.Data, t.secretCtx)
		if err != nil {
			t.err = fmt.Errorf("engine: secret: %w", err)
			return
		}
		t.url, t.own, t.signer, t.settings = p.URL, ownHeaders(p.Headers), t.profile.Signer(string(secret)), p.Settings
		if t.previous != nil {
			t.err = t.overlap(e, string(secret))
		}
	})
	return t.err
}

func (t *target) overlap(e *Engine, secret string) error {
	before, err := e.cfg.Keyring.Unseal(nil, t.previous.Secret.Data, seal.Context{Tenant: t.tenant, Type: uint16(t.previous.Type), Section: t.previous.Section})
	if err != nil {
		return fmt.Errorf("engine: previous secret: %w", err)
	}
	t.overlapping = t.profile.Signer(secret, string(before))
	return nil
}

// signerAt is the signer of an attempt that starts at an engine time.
func (t *target) signerAt(now int64) *profile.Signer {
	if t.previous != nil && now < t.previous.Until {
		return t.overlapping
	}
	return t.signer
}

// openSection unseals a section of a record. An empty one stands for what could not be sealed any more when the record
// was made: it reads like one whose key was destroyed since.
func (e *Engine) openSection(sec eventlog.Section, tenant string, typ eventlog.Type, n uint8) ([]byte, error) {
	if len(sec.Data) == 0 {
		return nil, seal.ErrDestroyed
	}
	return e.cfg.Keyring.Unseal(nil, sec.Data, seal.Context{Tenant: tenant, Type: uint16(typ), Section: n})
}

// errErased is what a caller is told whose request needs what is gone.
var errErased = conflict("what this needs was erased, or could not be salvaged: nothing brings it back; delete it and create it anew")

func (e *Engine) openJSON(sec eventlog.Section, tenant string, typ eventlog.Type, n uint8, v any) error {
	b, err := e.openSection(sec, tenant, typ, n)
	if isErased(err) {
		return fmt.Errorf("%w (%w)", errErased, err)
	}
	if err != nil {
		return fmt.Errorf("engine: section %d of %s: %w", n, record.Name(typ), err)
	}
	return record.DecodeJSON(b, v)
}

// sealSection seals one section of a record.
func sealSection(s *seal.Sealer, tenant string, typ eventlog.Type, n uint8, plain []byte) eventlog.Section {
	data := s.Seal(nil, plain, seal.Context{Tenant: tenant, Type: uint16(typ), Section: n})
	return eventlog.NewSection(data)
}

func (e *Engine) sealJSON(tenant string, typ eventlog.Type, n uint8, v any) (eventlog.Section, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return eventlog.Section{}, err
	}
	s, err := e.cfg.Keyring.Sealer(tenant)
	if err != nil {
		return eventlog.Section{}, err
	}
	return sealSection(s, tenant, typ, n, b), nil
}
