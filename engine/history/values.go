package history

import (
	"encoding/binary"
	"fmt"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Versions of a delivery say only what their record says; reading one puts them together, newest first. So applying a
// record never reads. The first byte is the kind.
const (
	versionCreated     = iota + 1 // ref.Seq-event, max attempts, due-created, created, resend of (seq, ord), event id, event type
	versionAttempt                // status, reason, number, due
	versionInterrupted            // held, number, due
	versionEnded                  // status, reason
	versionReleased               // due
)

// values writes fields into a buffer that is used again.
type values []byte

func (v *values) u8(x byte)    { *v = append(*v, x) }
func (v *values) u(x uint64)   { *v = binary.AppendUvarint(*v, x) }
func (v *values) i(x int64)    { *v = binary.AppendVarint(*v, x) }
func (v *values) s(x string)   { *v = append(binary.AppendUvarint(*v, uint64(len(x))), x...) }
func (v *values) raw(x []byte) { *v = append(*v, x...) }

// fields reads a value; after the first fault it yields zeroes. What bytes returns aliases the value.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) fail() { f.b, f.bad = nil, true }

func (f *fields) u8() byte {
	if len(f.b) == 0 {
		f.fail()
		return 0
	}
	x := f.b[0]
	f.b = f.b[1:]
	return x
}

func (f *fields) u() uint64 {
	x, n := binary.Uvarint(f.b)
	if n <= 0 {
		f.fail()
		return 0
	}
	f.b = f.b[n:]
	return x
}

func (f *fields) i() int64 {
	x, n := binary.Varint(f.b)
	if n <= 0 {
		f.fail()
		return 0
	}
	f.b = f.b[n:]
	return x
}

func (f *fields) take(n uint64) []byte {
	if n > uint64(len(f.b)) {
		f.fail()
		return nil
	}
	x := f.b[:n:n]
	f.b = f.b[n:]
	return x
}

func (f *fields) bytes() []byte { return f.take(f.u()) }

func (f *fields) end(what string) error {
	if f.bad || len(f.b) != 0 {
		return fmt.Errorf("%w: %s", ErrMalformed, what)
	}
	return nil
}

// eventValue is what an e key holds. typ and endpoints alias the value.
type eventValue struct {
	time      int64
	typ       []byte
	count     int
	endpoints fields
}

func (e *eventValue) decode(b []byte) error {
	f := fields{b: b}
	e.time = f.i()
	e.typ = f.bytes()
	n := f.u()
	e.endpoints = fields{b: f.b}
	if f.bad || n > uint64(len(f.b)) {
		return fmt.Errorf("%w: event", ErrMalformed)
	}
	e.count = int(n)
	return nil
}

// attemptValue is what an a or f key holds, and a b or g key behind the endpoint.
type attemptValue struct {
	outcome  uint8
	trigger  record.Trigger
	number   uint16
	delivery record.Ref   // zero for a test
	event    eventlog.Seq // zero for a test
	started  int64        // Unix ms
	took     uint32       // ms
	time     int64        // of the record, Unix ms
}

func (a *attemptValue) append(v *values, seq eventlog.Seq) {
	v.u8(a.outcome)
	v.u8(byte(a.trigger))
	v.u(uint64(a.number))
	v.i(a.started)
	v.u(uint64(a.took))
	v.i(a.time - a.started - int64(a.took))
	if a.delivery.Seq == 0 {
		v.u(0)
		return
	}
	v.u(uint64(seq - a.delivery.Seq))
	v.u(uint64(a.delivery.Ord))
	v.i(int64(a.delivery.Seq - a.event))
}

func (a *attemptValue) decode(b []byte, seq eventlog.Seq) error {
	f := fields{b: b}
	a.outcome = f.u8()
	a.trigger = record.Trigger(f.u8())
	a.number = uint16(f.u())
	a.started = f.i()
	a.took = uint32(f.u())
	a.time = a.started + int64(a.took) + f.i()
	a.delivery, a.event = record.Ref{}, 0
	if back := f.u(); back != 0 {
		a.delivery.Seq = seq - eventlog.Seq(back)
		a.delivery.Ord = uint16(f.u())
		a.event = a.delivery.Seq - eventlog.Seq(f.i())
	}
	return f.end("attempt")
}

// dedupeValue is what a k key holds.
type dedupeValue struct {
	seq         eventlog.Seq
	time        int64
	fingerprint [16]byte
}

func (d *dedupeValue) append(v *values) {
	v.u(uint64(d.seq))
	v.i(d.time)
	v.raw(d.fingerprint[:])
}

func (d *dedupeValue) decode(b []byte) error {
	f := fields{b: b}
	d.seq = eventlog.Seq(f.u())
	d.time = f.i()
	copy(d.fingerprint[:], f.take(16))
	return f.end("idempotency key")
}
