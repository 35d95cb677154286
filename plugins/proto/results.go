package proto

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/hookline/hookline/transports"
)

// ErrFault: what a plugin said of its own failure; the text is its own.
var ErrFault = errors.New("plugin fault")

// Ended is one attempt's end: a Result, or Err for a failure of the plugin itself.
type Ended struct {
	ID     uint64
	Result transports.Result
	Err    error
}

// Results is ResultBatch, on both sides.
type Results struct {
	Items  []Ended
	Window uint32 // 0: unchanged
}

func (r *Results) size() int {
	n := sizeUint(uint64(r.Window))
	for i := range r.Items {
		n += sizeNested(sizeEnded(&r.Items[i]))
	}
	return n
}

// SizeOfResult is how many bytes a result takes in a batch.
func SizeOfResult(e *Ended) int { return sizeNested(sizeEnded(e)) }

func sizeEnded(e *Ended) int {
	n := sizeUint(e.ID)
	if e.Err != nil {
		return n + sizeBytes(len(faultText(e.Err)))
	}
	r := &e.Result
	n += sizeUint(uint64(r.Outcome)) + sizeBytes(len(r.Kind)) + sizeBytes(len(valid(r.Error))) + sizeUint(uint64(r.Status)) +
		sizeHeaders(r.Headers) + sizeBytes(len(r.Body)) + sizeUint(uint64(r.Took))
	if r.Truncated {
		n += 2
	}
	if r.Timings != (transports.Timings{}) {
		n += sizeNested(sizeTimings(&r.Timings))
	}
	return n
}

func faultText(err error) string {
	if s := valid(err.Error()); s != "" {
		return s
	}
	return "the plugin named no reason"
}

func sizeTimings(t *transports.Timings) int {
	return sizeUint(uint64(t.DNS)) + sizeUint(uint64(t.Connect)) + sizeUint(uint64(t.TLS)) + sizeUint(uint64(t.Wait)) + sizeUint(uint64(t.Body))
}

func (r *Results) appendTo(b []byte) []byte {
	for i := range r.Items {
		e := &r.Items[i]
		b = appendNested(b, 1, sizeEnded(e))
		b = appendEnded(b, e)
	}
	return appendUint(b, 2, uint64(r.Window))
}

func appendEnded(b []byte, e *Ended) []byte {
	b = appendUint(b, 1, e.ID)
	if e.Err != nil {
		return appendString(b, 2, faultText(e.Err))
	}
	r := &e.Result
	b = appendUint(b, 3, uint64(r.Outcome))
	b = appendString(b, 4, string(r.Kind))
	b = appendString(b, 5, valid(r.Error))
	b = appendUint(b, 6, uint64(r.Status))
	b = appendHeaders(b, 7, r.Headers)
	b = appendString(b, 8, r.Body)
	if r.Truncated {
		b = appendUint(b, 9, 1)
	}
	if t := &r.Timings; *t != (transports.Timings{}) {
		b = appendNested(b, 10, sizeTimings(t))
		b = appendUint(b, 1, uint64(t.DNS))
		b = appendUint(b, 2, uint64(t.Connect))
		b = appendUint(b, 3, uint64(t.TLS))
		b = appendUint(b, 4, uint64(t.Wait))
		b = appendUint(b, 5, uint64(t.Body))
	}
	return appendUint(b, 11, uint64(r.Took))
}

func appendVarint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// decode replaces Items and Window. Each result's bytes are copied once, so that keeping one keeps nothing else alive.
func (r *Results) decode(b []byte) error {
	clear(r.Items)
	r.Items, r.Window = r.Items[:0], 0
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.is(1, wireBytes):
			if len(r.Items) >= MaxItems {
				return fmt.Errorf("%w: more than %d results in a batch", ErrMalformed, MaxItems)
			}
			r.Items = append(r.Items, Ended{})
			f.err = r.Items[len(r.Items)-1].decode(append([]byte(nil), f.b...))
		case f.is(2, wireVarint):
			r.Window = uint32(min(f.v, 1<<31))
		}
	}
	return f.err
}

// decode reads one result that may alias b from now on. What no plugin may say makes it a fault of the plugin.
func (e *Ended) decode(b []byte) error {
	r := &e.Result
	if n := countHeaders(b); n > 0 {
		r.Headers = make([]transports.Header, 0, min(n, maxHeaders))
	}
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.is(1, wireVarint):
			e.ID = f.v
		case f.is(2, wireBytes):
			if len(f.b) > 0 {
				e.Err = fmt.Errorf("%w: %s", ErrFault, f.b)
			}
		case f.is(3, wireVarint):
			r.Outcome = transports.Outcome(min(f.v, 255))
		case f.is(4, wireBytes):
			r.Kind = transports.ErrorKind(alias(f.b))
		case f.is(5, wireBytes):
			r.Error = alias(f.b)
		case f.is(6, wireVarint):
			r.Status = int(min(f.v, 1<<31-1))
		case f.is(7, wireBytes):
			r.Headers, f.err = decodeHeader(r.Headers, f.b)
		case f.is(8, wireBytes):
			r.Body = f.b
		case f.is(9, wireVarint):
			r.Truncated = f.v != 0
		case f.is(10, wireBytes):
			f.err = decodeTimings(&r.Timings, f.b)
		case f.is(11, wireVarint):
			r.Took = time.Duration(f.v)
		}
	}
	if f.err == nil && e.Err == nil {
		e.Err = e.check()
	}
	if e.Err != nil {
		e.Result = transports.Result{}
	}
	return f.err
}

// check holds a plugin to the contract of package transports.
func (e *Ended) check() error {
	r := &e.Result
	switch {
	case r.Outcome < transports.Acknowledged || r.Outcome > transports.Gone:
		return fmt.Errorf("%w: outcome %d is unknown", ErrFault, r.Outcome)
	case r.Status > 999:
		return fmt.Errorf("%w: status %d is above 999", ErrFault, r.Status)
	case !knownKind(r.Kind):
		return fmt.Errorf("%w: error_kind %q is unknown", ErrFault, r.Kind)
	case len(r.Body) > transports.MaxResponseBody:
		r.Body, r.Truncated = r.Body[:transports.MaxResponseBody], true
	}
	return nil
}

func knownKind(k transports.ErrorKind) bool {
	switch k {
	case transports.KindNone, transports.KindDNS, transports.KindRefusedAddress, transports.KindConnectRefused,
		transports.KindConnectionReset, transports.KindTLSUntrusted, transports.KindTLSName, transports.KindTLSOther,
		transports.KindTimeoutConnect, transports.KindTimeoutResponse, transports.KindStatus, transports.KindRedirect,
		transports.KindProtocol, transports.KindAuthToken:
		return true
	}
	return false
}

func countHeaders(b []byte) int {
	n := 0
	f := fields{rest: b}
	for f.next() {
		if f.is(7, wireBytes) {
			n++
		}
	}
	return n
}

func decodeTimings(t *transports.Timings, b []byte) error {
	f := fields{rest: b}
	for f.next() {
		if f.wire != wireVarint {
			continue
		}
		v := time.Duration(f.v)
		switch f.num {
		case 1:
			t.DNS = v
		case 2:
			t.Connect = v
		case 3:
			t.TLS = v
		case 4:
			t.Wait = v
		case 5:
			t.Body = v
		}
	}
	return f.err
}
