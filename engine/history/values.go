package history

import (
	"encoding/binary"
	"fmt"
)

// Versions of a delivery say only what their record says; reading one puts them together, newest first. So applying a
// record never reads. The first byte is the kind.
const (
	versionAttempt     = iota + 1 // status, reason, number, due
	versionInterrupted            // held, number, due
	versionEnded                  // status, reason
	versionReleased               // due
)

// values writes fields into a buffer that is used again.
type values []byte

func (v *values) u8(x byte)  { *v = append(*v, x) }
func (v *values) u(x uint64) { *v = binary.AppendUvarint(*v, x) }
func (v *values) i(x int64)  { *v = binary.AppendVarint(*v, x) }
func (v *values) s(x string) { *v = append(binary.AppendUvarint(*v, uint64(len(x))), x...) }

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
