package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"
)

// ErrMalformed: facts that do not decode. It means a newer format or damage that the chain did not catch.
var ErrMalformed = errors.New("record: malformed facts")

// Facts are a version byte and then fields in fixed order: unsigned integers as uvarint, signed ones as zig-zag varint,
// strings and byte strings with a uvarint length before them, hashes as they are.

type encoder []byte

func (e *encoder) version(v byte) { e.u8(v) }
func (e *encoder) u8(v byte)      { *e = append(*e, v) }
func (e *encoder) u(v uint64)     { *e = binary.AppendUvarint(*e, v) }
func (e *encoder) i(v int64)      { *e = binary.AppendVarint(*e, v) }
func (e *encoder) s(v string)     { *e = append(binary.AppendUvarint(*e, uint64(len(v))), v...) }
func (e *encoder) raw(v []byte)   { *e = append(*e, v...) }
func (e *encoder) flag(v bool) {
	if v {
		*e = append(*e, 1)
	} else {
		*e = append(*e, 0)
	}
}

// decoder reads fields; after the first fault it yields zeroes and keeps the error.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) fail() { d.b, d.bad = nil, true }
func (d *decoder) u8() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) u() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) i() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// u16 and u32 refuse what their field cannot hold: cut down to fit, it would be another fact.
func (d *decoder) u16() uint16 { return uint16(d.max(math.MaxUint16)) }
func (d *decoder) u32() uint32 { return uint32(d.max(math.MaxUint32)) }

// ms reads a duration in whole ms.
func (d *decoder) ms() time.Duration {
	return time.Duration(d.max(uint64(math.MaxInt64/time.Millisecond))) * time.Millisecond
}

func (d *decoder) max(most uint64) uint64 {
	v := d.u()
	if v > most {
		d.fail()
		return 0
	}
	return v
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

// s returns a string that aliases the facts: valid as long as they are.
func (d *decoder) s() string {
	v := d.take(d.u())
	if len(v) == 0 {
		return ""
	}
	return unsafe.String(&v[0], len(v))
}

func (d *decoder) flag() bool {
	v := d.u8()
	if v > 1 {
		d.fail()
	}
	return v == 1
}

func (d *decoder) hash16() (h [16]byte) { copy(h[:], d.take(16)); return h }
func (d *decoder) hash32() (h [32]byte) { copy(h[:], d.take(32)); return h }

// n reads a count and refuses one that the remaining bytes cannot hold at min bytes an item.
func (d *decoder) n(min int) int {
	v := d.u()
	if v > uint64(len(d.b)/min) {
		d.fail()
		return 0
	}
	return int(v)
}

func (d *decoder) version(want byte, what string) error {
	if v := d.u8(); d.bad || v != want {
		return fmt.Errorf("%w: %s: version %d, this build reads %d", ErrMalformed, what, v, want)
	}
	return nil
}

// upTo reads the version of facts that have several.
func (d *decoder) upTo(most byte, what string) (byte, error) {
	v := d.u8()
	if d.bad || v < 1 || v > most {
		return 0, fmt.Errorf("%w: %s: version %d, this build reads 1 to %d", ErrMalformed, what, v, most)
	}
	return v, nil
}

func (d *decoder) end(what string) error {
	if d.bad {
		return fmt.Errorf("%w: %s: cut short or out of range", ErrMalformed, what)
	}
	if len(d.b) != 0 {
		return fmt.Errorf("%w: %s: %d bytes too many", ErrMalformed, what, len(d.b))
	}
	return nil
}
