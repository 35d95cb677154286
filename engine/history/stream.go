package history

import (
	"errors"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// stream yields deliveries in a span's order. next says false at the end, or on a fault, which close tells.
type stream interface {
	next() (endpoint eventlog.Seq, ref record.Ref, ok bool)
	close() error
}

// walk moves an iterator that is bounded to what is wanted from one end to the other.
type walk struct {
	it    *projection.Iter
	desc  bool
	begun bool
}

func (w *walk) next() bool {
	switch {
	case w.begun && w.desc:
		return w.it.Prev()
	case w.begun:
		return w.it.Next()
	}
	w.begun = true
	if w.desc {
		return w.it.Last()
	}
	return w.it.First()
}

// endpointStream yields all deliveries of one endpoint. The cursor stays its owner's.
type endpointStream struct {
	c        *deliveryCursor
	endpoint eventlog.Seq
	span     span
	at       record.Ref // where to look next
	done     bool
}

func (c *deliveryCursor) all(endpoint eventlog.Seq, s span) *endpointStream {
	e := &endpointStream{c: c, endpoint: endpoint, span: s, at: s.lo, done: s.empty()}
	if s.desc {
		e.at = s.hi
	}
	return e
}

func (e *endpointStream) next() (eventlog.Seq, record.Ref, bool) {
	if e.done {
		return 0, record.Ref{}, false
	}
	ref, ok := e.c.step(e.endpoint, e.at)
	if !ok || before(ref, e.span.lo) || before(e.span.hi, ref) {
		e.done = true
		return 0, ref, false
	}
	if e.span.desc {
		e.at = prev(ref)
	} else {
		e.at = next(ref)
	}
	e.done = e.at == ref
	return e.endpoint, ref, true
}

func (e *endpointStream) close() error { return nil }

// refStream yields the deliveries that a list of keys ending in refs names.
type refStream struct {
	walk
	endpoint eventlog.Seq // 0 = in the values
	bad      error
}

// refs returns a stream over a list of an endpoint's deliveries, or of a tenant's when endpoint is 0. It reads the same
// state of the store as the cursor.
func (c *deliveryCursor) refs(l scopes, tenant string, endpoint eventlog.Seq, s span) (stream, error) {
	if s.empty() {
		return none{}, nil
	}
	var lower, upper []byte
	if endpoint != 0 {
		lower = appendEndpointRef(nil, l.endpoint, endpoint, s.lo)
		upper = append(appendEndpointRef(nil, l.endpoint, endpoint, s.hi), 0)
	} else {
		lower = appendTenantRef(nil, l.tenant, tenant, s.lo)
		upper = append(appendTenantRef(nil, l.tenant, tenant, s.hi), 0)
	}
	it, err := c.it.Clone(lower, upper)
	if err != nil {
		return nil, err
	}
	return &refStream{walk: walk{it: it, desc: s.desc}, endpoint: endpoint}, nil
}

func (r *refStream) next() (endpoint eventlog.Seq, ref record.Ref, ok bool) {
	if r.bad != nil || !r.walk.next() {
		return 0, ref, false
	}
	k := r.it.Key()
	ref = refAt(k[len(k)-refLen:])
	if r.endpoint != 0 {
		return r.endpoint, ref, true
	}
	f := fields{b: r.it.Value()}
	endpoint = eventlog.Seq(f.u())
	r.bad = f.end("delivery of a tenant")
	return endpoint, ref, r.bad == nil
}

func (r *refStream) close() error { return errors.Join(r.it.Close(), r.bad) }

// tenantStream yields all deliveries of a tenant: those of its events by the events' keys, and those that were created
// afterwards.
type tenantStream struct {
	events, created walk
	span            span
	typ             string // events of other types are passed over; "" = none are
	stop            func() error
	skip            map[record.Ref]bool // passed over
	bad             error

	begun     bool
	event     eventlog.Seq // whose deliveries are being yielded
	endpoints []eventlog.Seq
	left      int        // how many of them
	later     record.Ref // the next delivery created afterwards; zero = no more
	laterOf   eventlog.Seq
}

// allOf returns a stream over a tenant's deliveries. stop is asked now and then whether to give up: passing over events
// of other types may take long.
func (c *deliveryCursor) allOf(tenant, typ string, s span, stop func() error) (*tenantStream, error) {
	// An event at either end may have deliveries within.
	events, err := c.it.Clone(appendTenantSeq(nil, keyEvent, tenant, s.lo.Seq), append(appendTenantSeq(nil, keyEvent, tenant, s.hi.Seq), 0))
	if err != nil {
		return nil, err
	}
	created, err := c.it.Clone(appendTenantSeq(nil, keyCreated, tenant, s.lo.Seq), append(appendTenantSeq(nil, keyCreated, tenant, s.hi.Seq), 0))
	if err != nil {
		return nil, errors.Join(err, events.Close())
	}
	return &tenantStream{events: walk{it: events, desc: s.desc}, created: walk{it: created, desc: s.desc}, span: s, typ: typ, stop: stop}, nil
}

func (t *tenantStream) next() (endpoint eventlog.Seq, ref record.Ref, ok bool) {
	if !t.begun {
		t.begun = true
		t.nextEvent()
		t.nextLater()
	}
	for t.bad == nil {
		// The two lists never share a seq.
		switch earlier := (t.event < t.later.Seq) != t.span.desc; {
		case t.left == 0 && t.later.Seq == 0:
			return 0, ref, false
		case t.later.Seq == 0 || t.left > 0 && earlier:
			ord := len(t.endpoints) - t.left
			if t.span.desc {
				ord = t.left - 1
			}
			endpoint, ref = t.endpoints[ord], record.Ref{Seq: t.event, Ord: uint16(ord)}
			if t.left--; t.left == 0 {
				t.nextEvent()
			}
		default:
			endpoint, ref = t.laterOf, t.later
			t.nextLater()
		}
		if !before(ref, t.span.lo) && !before(t.span.hi, ref) && !t.skip[ref] {
			return endpoint, ref, t.bad == nil
		}
	}
	return 0, ref, false
}

// nextEvent goes to the next event with deliveries.
func (t *tenantStream) nextEvent() {
	var e eventValue
	t.left = 0
	for n := 1; t.left == 0 && t.bad == nil && t.events.next(); n++ {
		if n%checkEvery == 0 {
			if t.bad = t.stop(); t.bad != nil {
				return
			}
		}
		if t.bad = e.decode(t.events.it.Value()); t.bad != nil || t.typ != "" && string(e.typ) != t.typ {
			continue
		}
		t.event, t.endpoints, t.left = lastSeq(t.events.it.Key()), t.endpoints[:0], e.count
		for range e.count {
			t.endpoints = append(t.endpoints, eventlog.Seq(e.endpoints.u()))
		}
		t.bad = e.endpoints.end("event")
	}
}

// nextLater goes to the next delivery that was created afterwards.
func (t *tenantStream) nextLater() {
	t.later = record.Ref{}
	if t.bad == nil && t.created.next() {
		f := fields{b: t.created.it.Value()}
		t.later.Seq, t.laterOf = lastSeq(t.created.it.Key()), eventlog.Seq(f.u())
		f.u()
		t.bad = f.end("delivery.created")
	}
}

func (t *tenantStream) close() error {
	return errors.Join(t.events.it.Close(), t.created.it.Close(), t.bad)
}

// chain yields one stream after the other.
type chain struct{ first, second stream }

func (c *chain) next() (eventlog.Seq, record.Ref, bool) {
	if endpoint, ref, ok := c.first.next(); ok {
		return endpoint, ref, ok
	}
	return c.second.next()
}

func (c *chain) close() error { return errors.Join(c.first.close(), c.second.close()) }

// none is the empty stream.
type none struct{}

func (none) next() (endpoint eventlog.Seq, ref record.Ref, ok bool) { return 0, ref, false }
func (none) close() error                                           { return nil }
