package record

import "github.com/hookline/hookline/eventlog"

// EventPublished is an event with its matches: the routing decision is part of the fact.
// Sections: 0 the rendered body; 1, when the publish had any of it, EventPrivate.
type EventPublished struct {
	ID           string // what receivers see
	Type         string
	Profile      eventlog.Seq // whose rules rendered it
	RouteVersion uint64       // of the tenant's subscriptions when it was routed
	OccurredAt   int64        // Unix ms
	NotBefore    int64        // Unix ms; 0 = at once
	BodyLen      uint32
	Payload      bool // the publisher's own body, no envelope put around
	HasDedupe    bool
	Dedupe       [16]byte // keyed hash of the idempotency key, or of type and id; with HasDedupe
	Fingerprint  [16]byte // keyed hash of what was sent; with HasDedupe
	OrderKey     [16]byte // keyed hash of the order key; zero = none
	HasOrderKey  bool
	Matches      []Match
	Failed       []eventlog.Seq // subscriptions whose filter could not be evaluated
}

// Match is one delivery of a published event: its ordinal is its place in the list. Subscriptions are those that
// matched, oldest first.
type Match struct {
	Endpoint      eventlog.Seq
	MaxAttempts   uint8 // by the schedule that the delivery begins with
	Subscriptions []eventlog.Seq
}

const (
	flagPayload = 1 << iota
	flagDedupe
	flagOrderKey
)

func (p *EventPublished) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	var flags byte
	if p.Payload {
		flags |= flagPayload
	}
	if p.HasDedupe {
		flags |= flagDedupe
	}
	if p.HasOrderKey {
		flags |= flagOrderKey
	}
	e.u8(flags)
	e.s(p.ID)
	e.s(p.Type)
	e.u(uint64(p.Profile))
	e.u(p.RouteVersion)
	e.i(p.OccurredAt)
	e.i(p.NotBefore)
	e.u(uint64(p.BodyLen))
	if p.HasDedupe {
		e.raw(p.Dedupe[:])
		e.raw(p.Fingerprint[:])
	}
	if p.HasOrderKey {
		e.raw(p.OrderKey[:])
	}
	e.u(uint64(len(p.Matches)))
	for i := range p.Matches {
		m := &p.Matches[i]
		e.u(uint64(m.Endpoint))
		e.u8(m.MaxAttempts)
		e.u(uint64(len(m.Subscriptions)))
		for _, s := range m.Subscriptions {
			e.u(uint64(s))
		}
	}
	e.u(uint64(len(p.Failed)))
	for _, s := range p.Failed {
		e.u(uint64(s))
	}
	return e
}

// Decode reads facts; it reuses the slices of Matches.
func (p *EventPublished) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "event.published"); err != nil {
		return err
	}
	flags := d.u8()
	if flags&^(flagPayload|flagDedupe|flagOrderKey) != 0 {
		d.fail()
	}
	p.Payload, p.HasDedupe, p.HasOrderKey = flags&flagPayload != 0, flags&flagDedupe != 0, flags&flagOrderKey != 0
	p.ID = d.s()
	p.Type = d.s()
	p.Profile = eventlog.Seq(d.u())
	p.RouteVersion = d.u()
	p.OccurredAt = d.i()
	p.NotBefore = d.i()
	p.BodyLen = d.u32()
	p.Dedupe, p.Fingerprint, p.OrderKey = [16]byte{}, [16]byte{}, [16]byte{}
	if p.HasDedupe {
		p.Dedupe = d.hash16()
		p.Fingerprint = d.hash16()
	}
	if p.HasOrderKey {
		p.OrderKey = d.hash16()
	}
	n := d.n(3)
	if n > 0xffff {
		d.fail()
		n = 0
	}
	if cap(p.Matches) < n {
		p.Matches = make([]Match, n)
	}
	p.Matches = p.Matches[:n]
	for i := range p.Matches {
		m := &p.Matches[i]
		m.Endpoint = eventlog.Seq(d.u())
		m.MaxAttempts = d.u8()
		m.Subscriptions = m.Subscriptions[:0]
		for range d.n(1) {
			m.Subscriptions = append(m.Subscriptions, eventlog.Seq(d.u()))
		}
	}
	p.Failed = p.Failed[:0]
	for range d.n(1) {
		p.Failed = append(p.Failed, eventlog.Seq(d.u()))
	}
	return d.end("event.published")
}
