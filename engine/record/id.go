package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/hookline/hookline/eventlog"
)

// Ref names a delivery within one log: the seq of the record that created it and its ordinal there.
type Ref struct {
	Seq eventlog.Seq
	Ord uint16
}

// ID is what a derived id says: no index is needed to find its object. The tag is its epoch's random number, so that an
// id never repeats, not even in a log that was moved or restored.
type ID struct {
	Partition uint16
	Seq       eventlog.Seq
	Ord       uint16
	Tag       uint32
}

// Prefixes of derived ids.
const (
	PrefixEvent        = "evu_"
	PrefixDelivery     = "dlv_"
	PrefixAttempt      = "att_"
	PrefixEndpoint     = "ep_"
	PrefixSubscription = "sub_"
	PrefixKey          = "key_"
	PrefixSession      = "pss_"
	PrefixRecovery     = "rec_"
)

// ErrID: not an id of the wanted kind.
var ErrID = errors.New("record: not an id of this kind")

const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

var decodeCrockford = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range crockford {
		t[crockford[i]] = int8(i)
	}
	return t
}()

const idDigits = 26 // 128 bits in base 32, the first digit holds 3 bits

// Append renders the id after a prefix: 26 Crockford base32 digits, lower case.
func (id ID) Append(dst []byte, prefix string) []byte {
	hi := uint64(id.Partition)<<48 | uint64(id.Seq)>>16
	lo := uint64(id.Seq)<<48 | uint64(id.Ord)<<32 | uint64(id.Tag)
	dst = append(dst, prefix...)
	for shift := 125; shift >= 0; shift -= 5 {
		var v uint64
		switch {
		case shift >= 64:
			v = hi >> (shift - 64)
		default:
			v = lo >> shift
			if shift > 59 {
				v |= hi << (64 - shift)
			}
		}
		dst = append(dst, crockford[v&31])
	}
	return dst
}

// Format renders the id as a string.
func (id ID) Format(prefix string) string {
	return string(id.Append(make([]byte, 0, len(PrefixEvent)+idDigits), prefix))
}

// ParseID reads an id with the given prefix.
func ParseID(prefix, s string) (ID, error) {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok || len(digits) != idDigits || digits[0] > '7' {
		return ID{}, fmt.Errorf("%w: want %s and %d digits", ErrID, prefix, idDigits)
	}
	var hi, lo uint64
	for i := range idDigits {
		v := decodeCrockford[digits[i]]
		if v < 0 {
			return ID{}, fmt.Errorf("%w: %q is no digit", ErrID, digits[i])
		}
		hi = hi<<5 | lo>>59
		lo = lo<<5 | uint64(v)
	}
	return ID{Partition: uint16(hi >> 48), Seq: eventlog.Seq(hi<<16 | lo>>48), Ord: uint16(lo >> 32), Tag: uint32(lo)}, nil
}

// AppendRef writes a ref big-endian, so that keys sort by it: 8 bytes seq, 2 bytes ordinal.
func AppendRef(dst []byte, r Ref) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint64(dst, uint64(r.Seq)), r.Ord)
}
