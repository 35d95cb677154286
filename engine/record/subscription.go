package record

import "github.com/hookline/hookline/eventlog"

// Subscription is subscription.created and subscription.updated, which replaces everything, and, with only the ids
// set, subscription.deleted. Section 0: SubscriptionPrivate. It is written as version 1 while the fields of version 2 are
// zero.
type Subscription struct {
	Subscription eventlog.Seq // of its subscription.created; 0 in that record itself
	Endpoint     eventlog.Seq
	EventTypes   []string

	// Since version 2.
	Shadow   bool         // it is evaluated and counted, and delivers nothing
	Restores eventlog.Seq // of its record whose content it has again; 0 = none
}

func (p *Subscription) layout() byte {
	if !p.Shadow && p.Restores == 0 {
		return 1
	}
	return 2
}

func (p *Subscription) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	version := p.layout()
	e.version(version)
	e.u(uint64(p.Subscription))
	e.u(uint64(p.Endpoint))
	e.u(uint64(len(p.EventTypes)))
	for _, t := range p.EventTypes {
		e.s(t)
	}
	if version >= 2 {
		e.flag(p.Shadow)
		e.u(uint64(p.Restores))
	}
	return e
}

func (p *Subscription) Decode(b []byte) error {
	d := decoder{b: b}
	version, err := d.upTo(2, "subscription")
	if err != nil {
		return err
	}
	p.Subscription = eventlog.Seq(d.u())
	p.Endpoint = eventlog.Seq(d.u())
	n := d.n(1)
	p.EventTypes = nil
	for range n {
		p.EventTypes = append(p.EventTypes, d.s())
	}
	p.Shadow, p.Restores = false, 0
	if version >= 2 {
		p.Shadow = d.flag()
		p.Restores = eventlog.Seq(d.u())
		if p.layout() != version {
			d.fail() // version 1 says that
		}
	}
	return d.end("subscription")
}
