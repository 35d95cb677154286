package idempotency

import (
	"encoding/binary"
	"fmt"

	"github.com/hookline/hookline/eventlog"
)

const (
	keyDedupe = 'K'
	dayMS     = 24 * 60 * 60 * 1000
	// maxKeyTenant is what the length byte holds. The log bounds tenants to 64 bytes.
	maxKeyTenant = 255
)

func appendDay(dst []byte, day int64) []byte {
	return binary.BigEndian.AppendUint32(append(dst, keyDedupe), uint32(max(day, 0)))
}

func appendDedupe(dst []byte, day int64, tenant string, hash [16]byte) []byte {
	dst = appendDay(dst, day)
	n := min(len(tenant), maxKeyTenant)
	dst = append(append(dst, byte(n)), tenant[:n]...)
	return append(dst, hash[:]...)
}

// dayOf is the day in a key.
func dayOf(key []byte) int64 {
	if len(key) < 5 {
		return 0
	}
	return int64(binary.BigEndian.Uint32(key[1:]))
}

// use is the value of a key: the event that used it last.
type use struct {
	seq         eventlog.Seq
	time        int64
	fingerprint [16]byte
}

func (u *use) append(dst []byte) []byte {
	dst = binary.AppendVarint(binary.AppendUvarint(dst, uint64(u.seq)), u.time)
	return append(dst, u.fingerprint[:]...)
}

func (u *use) decode(b []byte) error {
	seq, n := binary.Uvarint(b)
	if n > 0 {
		b = b[n:]
		var m int
		if u.time, m = binary.Varint(b); m > 0 && len(b)-m == len(u.fingerprint) {
			u.seq = eventlog.Seq(seq)
			copy(u.fingerprint[:], b[m:])
			return nil
		}
	}
	return fmt.Errorf("%w: idempotency key", ErrMalformed)
}
