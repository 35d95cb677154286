package history

import (
	"fmt"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// A row in a part: the seq's distance to the row before with the kind in the low bits (the first row has the seq of the
// key), the record time's distance (the first one's is the time itself), then by kind:
//
//	event    type, number of matches, their endpoints                                          tenant
//	later    endpoint, seq-event: a delivery that was created afterwards                       tenant
//	created  ordinal, seq-event, max attempts, due-time, resend of (seq, its ordinal), id, type  endpoint
//	attempt  outcome, trigger, number, took, time-finished, seq-delivery, ordinal, delivery-event  both
//	success  the same: the attempt that made its delivery succeeded, soon after the creation   both
//
// An attempt in a list of a tenant has its endpoint in front. A test has 0 for seq-delivery and ends there. An id is how
// many bytes it shares with the one before in the part, and the rest of it. A type is 0 and its text, later its number
// among the part's types, from 1.
type rowKind uint8

const (
	rowEvent rowKind = iota
	rowLater
	rowCreated
	rowAttempt
	rowSuccess
	kindBits = 3
)

// row is one row of a list. Its bytes alias what it was read from.
type row struct {
	kind rowKind
	seq  eventlog.Seq
	time int64 // record time, Unix ms

	typ       []byte // event, created
	count     int    // event: matches
	endpoints fields // event: of the matches

	endpoint eventlog.Seq // later; of an attempt in a list of a tenant
	event    eventlog.Seq // but of an event; 0 = a test
	ref      record.Ref   // created, later: the delivery; attempt: whose, zero = a test

	id       []byte // created, and what follows
	due      int64
	resendOf record.Ref
	max      uint8

	outcome uint8 // attempt, and what follows
	trigger record.Trigger
	number  uint16
	took    uint32
	started int64
}

// isAttempt says so of attempts that succeeded, too.
func (r *row) isAttempt() bool { return r.kind == rowAttempt || r.kind == rowSuccess }

func (r *row) attempt(endpoint eventlog.Seq) AttemptRow {
	if r.endpoint != 0 {
		endpoint = r.endpoint
	}
	return AttemptRow{
		Seq: r.seq, Endpoint: endpoint, Delivery: r.ref, Event: r.event, Number: r.number, Trigger: r.trigger,
		Outcome: r.outcome, StartedMS: r.started, TookMS: r.took, TimeMS: r.time,
	}
}

func (r *row) eventRow() EventRow {
	return EventRow{Seq: r.seq, Type: string(r.typ), TimeMS: r.time, Matches: r.count}
}

// partReader reads parts. Rows and what they point to are good until the next part; it keeps its memory.
type partReader struct {
	rows  []row
	value []byte
	f     fields
	types [][]byte
	id    []byte
	ids   []byte
}

// smallRow is how many bytes most rows have at least.
const smallRow = 12

// read takes a part in. The value is copied.
func (p *partReader) read(key, value []byte) error {
	p.rows, p.types, p.id, p.ids = p.rows[:0], p.types[:0], nil, p.ids[:0]
	p.value = append(p.value[:0], value...)
	if p.rows == nil {
		p.rows = make([]row, 0, min(len(value)/smallRow+1, 128))
	}
	p.f = fields{b: p.value}
	seq, time := lastSeq(key), int64(0)
	ofTenant := len(key) > 0 && (key[0] == allRows().tenant || key[0] == failedAttempts().tenant)
	for len(p.f.b) > 0 {
		head := p.f.u()
		seq += eventlog.Seq(head >> kindBits)
		time += p.f.i()
		p.rows = append(p.rows, row{kind: rowKind(head & (1<<kindBits - 1)), seq: seq, time: time})
		p.one(&p.rows[len(p.rows)-1], ofTenant)
	}
	if p.f.bad || len(p.rows) == 0 || seq < lastSeq(key) {
		p.rows = p.rows[:0]
		return fmt.Errorf("%w: part of a list, %d bytes at %x", ErrMalformed, len(value), key)
	}
	return nil
}

func (p *partReader) one(r *row, ofTenant bool) {
	f := &p.f
	switch r.kind {
	case rowEvent:
		r.typ = p.typ()
		n := f.u()
		if n > uint64(len(f.b)) {
			f.fail()
			return
		}
		from := f.b
		for range n {
			f.u()
		}
		r.count, r.endpoints = int(n), fields{b: from[:len(from)-len(f.b)]}
	case rowLater:
		r.endpoint = eventlog.Seq(f.u())
		r.event, r.ref.Seq = r.seq-eventlog.Seq(f.u()), r.seq
	case rowCreated:
		r.ref = record.Ref{Seq: r.seq, Ord: uint16(f.u())}
		r.event = r.seq - eventlog.Seq(f.u())
		r.max = uint8(f.u())
		r.due = r.time + f.i()
		if r.resendOf.Seq = eventlog.Seq(f.u()); r.resendOf.Seq != 0 {
			r.resendOf.Ord = uint16(f.u())
		}
		r.id, r.typ = p.nextID(), p.typ()
	case rowAttempt, rowSuccess:
		if ofTenant {
			r.endpoint = eventlog.Seq(f.u())
		}
		r.outcome, r.trigger, r.number, r.took = f.u8(), record.Trigger(f.u8()), uint16(f.u()), uint32(f.u())
		r.started = r.time - f.i() - int64(r.took)
		if back := f.u(); back != 0 {
			r.ref = record.Ref{Seq: r.seq - eventlog.Seq(back), Ord: uint16(f.u())}
			r.event = r.ref.Seq - eventlog.Seq(f.u())
		}
	default:
		f.fail()
	}
}

// typ and nextID read the fields that refer to earlier rows.
func (p *partReader) typ() []byte {
	n := p.f.u()
	if n == 0 {
		p.types = append(p.types, p.f.bytes())
		n = uint64(len(p.types))
	}
	if n > uint64(len(p.types)) {
		p.f.fail()
		return nil
	}
	return p.types[n-1]
}

func (p *partReader) nextID() []byte {
	shared, rest := p.f.u(), p.f.bytes()
	if shared > uint64(len(p.id)) {
		p.f.fail()
		return nil
	}
	from := len(p.ids)
	p.ids = append(append(p.ids, p.id[:shared]...), rest...)
	p.id = p.ids[from:len(p.ids):len(p.ids)]
	return p.id
}
