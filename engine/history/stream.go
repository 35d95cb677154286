package history

import (
	"errors"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// candidate is a delivery that a query may want.
type candidate struct {
	endpoint eventlog.Seq
	ref      record.Ref
	// unsuccessful says that it is known not to have succeeded, so that nobody need look whether it did.
	unsuccessful bool
}

// stream yields deliveries in a span's order. next says false at the end, or on a fault, which close tells.
type stream interface {
	next() (d candidate, ok bool)
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
	at       record.Ref          // where to look next
	skip     map[record.Ref]bool // passed over
	done     bool
}

func (c *deliveryCursor) all(endpoint eventlog.Seq, s span) *endpointStream {
	e := &endpointStream{c: c, endpoint: endpoint, span: s, at: s.lo, done: s.empty()}
	if s.desc {
		e.at = s.hi
	}
	return e
}

func (e *endpointStream) next() (d candidate, ok bool) {
	for d, ok = e.step(); ok && e.skip[d.ref]; d, ok = e.step() {
	}
	return d, ok
}

func (e *endpointStream) step() (d candidate, ok bool) {
	if e.done {
		return d, false
	}
	var ref record.Ref
	if near := e.c.near.of(e.endpoint); near != nil {
		ref, ok = near.step(e.endpoint, e.at, e.span.desc)
	}
	if !ok || before(ref, e.span.lo) || before(e.span.hi, ref) {
		e.done = true
		return d, false
	}
	if e.span.desc {
		e.at = prev(ref)
	} else {
		e.at = next(ref)
	}
	e.done = e.at == ref
	return candidate{endpoint: e.endpoint, ref: ref}, true
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

func (r *refStream) next() (d candidate, ok bool) {
	if r.bad != nil || !r.walk.next() {
		return d, false
	}
	k := r.it.Key()
	d = candidate{endpoint: r.endpoint, ref: refAt(k[len(k)-refLen:]), unsuccessful: true}
	if r.endpoint != 0 {
		return d, true
	}
	f := fields{b: r.it.Value()}
	d.endpoint = eventlog.Seq(f.u())
	r.bad = f.end("delivery of a tenant")
	return d, r.bad == nil
}

func (r *refStream) close() error { return errors.Join(r.it.Close(), r.bad) }

// tenantStream yields all deliveries of a tenant: those of its events, and those that were created afterwards.
type tenantStream struct {
	rows *rowWalk
	span span
	typ  string              // events of other types are passed over; "" = none are
	skip map[record.Ref]bool // passed over

	event     eventlog.Seq // whose deliveries are being yielded
	endpoints []eventlog.Seq
	left      int // how many of them
}

func (t *tenantStream) next() (d candidate, ok bool) {
	for {
		switch r := (*row)(nil); {
		case t.left > 0:
			ord := len(t.endpoints) - t.left
			if t.span.desc {
				ord = t.left - 1
			}
			t.left--
			d = candidate{endpoint: t.endpoints[ord], ref: record.Ref{Seq: t.event, Ord: uint16(ord)}}
		default:
			if r = t.rows.next(); r == nil {
				return d, false
			}
			switch {
			case r.kind == rowLater:
				d = candidate{endpoint: r.endpoint, ref: r.ref}
			case r.kind == rowEvent && (t.typ == "" || string(r.typ) == t.typ):
				t.take(r)
				continue
			default:
				continue
			}
		}
		if !before(d.ref, t.span.lo) && !before(t.span.hi, d.ref) && !t.skip[d.ref] {
			return d, true
		}
	}
}

func (t *tenantStream) take(r *row) {
	t.event, t.endpoints, t.left = r.seq, t.endpoints[:0], r.count
	for range r.count {
		t.endpoints = append(t.endpoints, eventlog.Seq(r.endpoints.u()))
	}
}

func (t *tenantStream) close() error { return t.rows.close() }

// chain yields one stream after the other.
type chain struct{ first, second stream }

func (c *chain) next() (candidate, bool) {
	if d, ok := c.first.next(); ok {
		return d, ok
	}
	return c.second.next()
}

func (c *chain) close() error { return errors.Join(c.first.close(), c.second.close()) }

// none is the empty stream.
type none struct{}

func (none) next() (d candidate, ok bool) { return d, false }
func (none) close() error                 { return nil }
