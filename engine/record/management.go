package record

import (
	"slices"

	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/eventlog"
)

// Bounds of what facts may hold.
const (
	MaxWaits    = 50
	MaxWarnings = 9
)

// ProfileDefined is a version of a profile. Section 0: its content, as it was given. It is written as version 1 while
// the fields of version 2 are zero, so that what older logs hold keeps its digest.
type ProfileDefined struct {
	Name           string
	Version        uint32
	Hash           [32]byte // SHA-256 of the content
	TimeoutMS      uint32
	Schedule       schedule.Schedule
	DisableOnFail  bool   // an exhausted delivery disables its endpoint
	SuppressAfter  uint32 // consecutive failed attempts that suppress an endpoint; 0 = never
	HTTPSOnly      bool
	GoneDisables   bool
	ReservedPolicy uint64 // 0

	// Since version 2.
	RetryAfterCapMS uint64  // longest wait that a receiver's Retry-After may ask for; 0 = it is not honoured
	WarnAt          []uint8 // percent of the way to the failure policy's end, 1 to 99, rising; at most MaxWarnings
}

func (p *ProfileDefined) layout() byte {
	if p.RetryAfterCapMS == 0 && len(p.WarnAt) == 0 {
		return 1
	}
	return 2
}

func (p *ProfileDefined) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	version := p.layout()
	e.version(version)
	e.s(p.Name)
	e.u(uint64(p.Version))
	e.raw(p.Hash[:])
	e.u(uint64(p.TimeoutMS))
	e.schedule(p.Schedule)
	e.flag(p.DisableOnFail)
	e.u(uint64(p.SuppressAfter))
	e.flag(p.HTTPSOnly)
	e.flag(p.GoneDisables)
	e.u(p.ReservedPolicy)
	if version >= 2 {
		e.u(p.RetryAfterCapMS)
		e.u(uint64(len(p.WarnAt)))
		e.raw(p.WarnAt)
	}
	return e
}

func (p *ProfileDefined) Decode(b []byte) error {
	d := decoder{b: b}
	version, err := d.upTo(2, "profile.defined")
	if err != nil {
		return err
	}
	p.Name = d.s()
	p.Version = d.u32()
	p.Hash = d.hash32()
	p.TimeoutMS = d.u32()
	p.Schedule = d.schedule()
	p.DisableOnFail = d.flag()
	p.SuppressAfter = d.u32()
	p.HTTPSOnly = d.flag()
	p.GoneDisables = d.flag()
	p.ReservedPolicy = d.u()
	p.RetryAfterCapMS, p.WarnAt = 0, nil
	if version >= 2 {
		p.RetryAfterCapMS = d.u()
		if n := d.n(1); n > MaxWarnings {
			d.fail()
		} else if n > 0 {
			p.WarnAt = slices.Clone(d.take(uint64(n)))
		}
	}
	return d.end("profile.defined")
}

// Waits are stored in whole ms, jitter in millionths, the limit in ms.
func (e *encoder) schedule(s schedule.Schedule) {
	e.u(uint64(len(s.Waits)))
	for _, w := range s.Waits {
		e.u(uint64(w.Milliseconds()))
	}
	e.u(uint64(s.Jitter*1e6 + 0.5))
	e.u(uint64(s.Limit.Milliseconds()))
}

func (d *decoder) schedule() (s schedule.Schedule) {
	n := d.n(1)
	if n > MaxWaits {
		d.fail()
		return s
	}
	for range n {
		s.Waits = append(s.Waits, d.ms())
	}
	s.Jitter = float64(d.max(1e6)) / 1e6
	s.Limit = d.ms()
	return s
}

// KeyCreated is an API key: only its hash is kept.
type KeyCreated struct {
	Hash [32]byte // SHA-256 of the key
}

func (k *KeyCreated) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.raw(k.Hash[:])
	return e
}

func (k *KeyCreated) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "key.created"); err != nil {
		return err
	}
	k.Hash = d.hash32()
	return d.end("key.created")
}

// Tenant is tenant.created and tenant.updated, which replaces everything. The id is the record's tenant.
// Section 0: TenantPrivate.
type Tenant struct {
	Profile          eventlog.Seq // of its profile.defined
	ManagementEvents bool
}

func (t *Tenant) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.u(uint64(t.Profile))
	e.flag(t.ManagementEvents)
	return e
}

func (t *Tenant) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "tenant"); err != nil {
		return err
	}
	t.Profile = eventlog.Seq(d.u())
	t.ManagementEvents = d.flag()
	return d.end("tenant")
}

// Endpoint is endpoint.created and endpoint.updated, which replaces everything but the number and the secret.
// Sections: 0 EndpointPrivate, 1 (created only) the secret.
type Endpoint struct {
	Endpoint    eventlog.Seq // of its endpoint.created; 0 in that record itself
	Number      uint64       // counts a tenant's endpoints from 1: the id at DNSimple's face
	Transport   string
	Concurrency uint16             // 0 = the default
	TimeoutMS   uint32             // 0 = the profile's
	Schedule    *schedule.Schedule // nil = the profile's
	RateLimit   uint16             // attempts a second; 0 = none. Version 2 only
}

func (p *Endpoint) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	version := byte(1)
	if p.RateLimit != 0 {
		version = 2
	}
	e.version(version)
	e.u(uint64(p.Endpoint))
	e.u(p.Number)
	e.s(p.Transport)
	e.u(uint64(p.Concurrency))
	e.u(uint64(p.TimeoutMS))
	e.flag(p.Schedule != nil)
	if p.Schedule != nil {
		e.schedule(*p.Schedule)
	}
	if version == 2 {
		e.u(uint64(p.RateLimit))
	}
	return e
}

func (p *Endpoint) Decode(b []byte) error {
	d := decoder{b: b}
	version, err := d.upTo(2, "endpoint")
	if err != nil {
		return err
	}
	p.Endpoint = eventlog.Seq(d.u())
	p.Number = d.u()
	p.Transport = d.s()
	p.Concurrency = d.u16()
	p.TimeoutMS = d.u32()
	p.Schedule = nil
	if d.flag() {
		s := d.schedule()
		p.Schedule = &s
	}
	p.RateLimit = 0
	if version == 2 {
		if p.RateLimit = d.u16(); p.RateLimit == 0 {
			d.fail() // version 1 says that
		}
	}
	return d.end("endpoint")
}

// EndpointChange is endpoint.deleted, .disabled, .enabled, .suppressed, .suppression_cleared and .secret_rotated.
// Sections: 0 of secret_rotated the secret, else optionally WhoPrivate.
type EndpointChange struct {
	Endpoint eventlog.Seq
	Reason   Reason
	Delivery Ref // the one whose end caused it; zero when a person did

	// Since version 2, which is written only where it is set: until when the secret that was replaced signs too, Unix ms;
	// 0 = not any more.
	Until int64
}

func (c *EndpointChange) layout() byte {
	if c.Until == 0 {
		return 1
	}
	return 2
}

func (c *EndpointChange) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(c.layout())
	e.u(uint64(c.Endpoint))
	e.u8(byte(c.Reason))
	e.u(uint64(c.Delivery.Seq))
	e.u(uint64(c.Delivery.Ord))
	if c.layout() >= 2 {
		e.i(c.Until)
	}
	return e
}

func (c *EndpointChange) Decode(b []byte) error {
	d := decoder{b: b}
	version, err := d.upTo(2, "endpoint change")
	if err != nil {
		return err
	}
	c.Endpoint = eventlog.Seq(d.u())
	c.Reason = Reason(d.u8())
	c.Delivery = d.ref()
	c.Until = 0
	if version >= 2 {
		c.Until = d.i()
	}
	return d.end("endpoint change")
}

func (d *decoder) ref() Ref {
	return Ref{Seq: eventlog.Seq(d.u()), Ord: d.u16()}
}

// SealedFor is the tenant whose key seals a record's sections: its own, but for tenant.erased, which says who did it after
// that tenant's keys are gone: there it is the system's.
func SealedFor(r *eventlog.Record) string {
	if r.Type == TypeTenantErased {
		return ""
	}
	return r.Tenant
}

// NeedsSections says whether the fold needs a record's sealed sections (it keeps them sealed). Records on the hot path
// do not, so that folding them never touches a body.
func NeedsSections(t eventlog.Type) bool {
	switch t {
	case TypeProfileDefined, TypeKeyIssued, TypeTenantCreated, TypeTenantUpdated, TypeEndpointCreated, TypeEndpointUpdated,
		TypeEndpointSecretRotated, TypeSubscriptionCreated, TypeSubscriptionUpdated:
		return true
	}
	return false
}

// Changes says whether every record of a type is a change that a person, a policy or the configuration made: what an
// audit asks for. What follows from changes, and what events bring about, is not. Of delivery.created and
// delivery.canceled those are that a person asked for, one by one.
func Changes(t eventlog.Type) bool {
	switch t {
	case EpochStarted, TypeKeyUsed, TypeEndpointTested, TypeEventPublished, TypeDeliveryCreated, TypeDeliverySkipped,
		TypeDeliveryCanceled, TypeRecoveryAdvanced, TypeAttemptFinished, TypeAttemptInterrupted, TypeBodyRemoved:
		return false
	}
	return names[t] != ""
}
