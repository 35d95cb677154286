package proto

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/hookline/hookline/transports"
)

// Wire types of protobuf's encoding.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

func sizeVarint(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

// Every field number here is below 16, so a tag is one byte.

func sizeUint(v uint64) int {
	if v == 0 {
		return 0
	}
	return 1 + sizeVarint(v)
}

func sizeBytes(n int) int {
	if n == 0 {
		return 0
	}
	return sizeNested(n)
}

func sizeNested(n int) int { return 1 + sizeVarint(uint64(n)) + n }

func appendTag(b []byte, field, wire byte) []byte { return append(b, field<<3|wire) }

func appendUint(b []byte, field byte, v uint64) []byte {
	if v == 0 {
		return b
	}
	return binary.AppendUvarint(appendTag(b, field, wireVarint), v)
}

func appendString[T string | []byte](b []byte, field byte, s T) []byte {
	if len(s) == 0 {
		return b
	}
	return append(appendNested(b, field, len(s)), s...)
}

func appendNested(b []byte, field byte, n int) []byte {
	return binary.AppendUvarint(appendTag(b, field, wireBytes), uint64(n))
}

func sizeHeaders(hs []transports.Header) int {
	n := 0
	for i := range hs {
		n += sizeNested(sizeHeader(&hs[i]))
	}
	return n
}

func sizeHeader(h *transports.Header) int { return sizeBytes(len(h.Name)) + sizeBytes(len(h.Value)) }

func appendHeaders(b []byte, field byte, hs []transports.Header) []byte {
	for i := range hs {
		h := &hs[i]
		b = appendNested(b, field, sizeHeader(h))
		b = appendString(b, 1, h.Name)
		b = appendString(b, 2, h.Value)
	}
	return b
}

// valid makes text out of anything: protobuf strings are UTF-8.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// fields walks over an encoded message: for f.next() { switch { case f.is(...) } }, then f.err.
type fields struct {
	rest []byte
	num  int
	wire byte
	v    uint64 // of a varint
	b    []byte // of a length-delimited field
	err  error
}

// next reads one field; false at the end or on an error.
func (f *fields) next() bool {
	if len(f.rest) == 0 || f.err != nil {
		return false
	}
	tag, ok := f.uvarint()
	if !ok || tag>>3 == 0 || tag>>3 > 1<<29-1 {
		return f.fail("field tag")
	}
	f.num, f.wire, f.v, f.b = int(tag>>3), byte(tag&7), 0, nil
	switch f.wire {
	case wireVarint:
		if f.v, ok = f.uvarint(); !ok {
			return f.fail("varint")
		}
	case wireBytes:
		n, ok := f.uvarint()
		if !ok || n > uint64(len(f.rest)) {
			return f.fail("length")
		}
		f.b, f.rest = f.rest[:n:n], f.rest[n:]
	case wire64, wire32:
		n := 8
		if f.wire == wire32 {
			n = 4
		}
		if len(f.rest) < n {
			return f.fail("fixed-size field")
		}
		f.rest = f.rest[n:]
	default:
		return f.fail("wire type")
	}
	return true
}

func (f *fields) fail(what string) bool {
	f.err = fmt.Errorf("%w: bad %s", ErrMalformed, what)
	return false
}

func (f *fields) uvarint() (uint64, bool) {
	v, n := binary.Uvarint(f.rest)
	if n <= 0 {
		return 0, false
	}
	f.rest = f.rest[n:]
	return v, true
}

// is tells whether the present field has this number and type; one of another type is skipped like an unknown field.
func (f *fields) is(num int, wire byte) bool { return f.num == num && f.wire == wire }

// alias makes a string of bytes that nobody changes while it is in use.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// decodeHeader appends one header whose strings alias b.
func decodeHeader(hs []transports.Header, b []byte) ([]transports.Header, error) {
	if len(hs) >= maxHeaders {
		return hs, fmt.Errorf("%w: more than %d header fields", ErrMalformed, maxHeaders)
	}
	var h transports.Header
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.is(1, wireBytes):
			h.Name = alias(f.b)
		case f.is(2, wireBytes):
			h.Value = alias(f.b)
		}
	}
	return append(hs, h), f.err
}
