package state

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Digest is the sum of the hashes of all entities, lane by lane modulo 2^64: it is kept up to date by subtracting an
// entity's old hash and adding its new one, and does not depend on order. It finds differences between two folds; it is
// not a proof against somebody who may choose entities (the log's chain is).
type Digest [4]uint64

func (d Digest) String() string {
	var b [32]byte
	for i, v := range d {
		binary.BigEndian.PutUint64(b[i*8:], v)
	}
	return hex.EncodeToString(b[:])
}

func (d *Digest) add(o Digest) {
	for i := range d {
		d[i] += o[i]
	}
}

func (d *Digest) sub(o Digest) {
	for i := range d {
		d[i] -= o[i]
	}
}

func hashOf(encoded []byte) (d Digest) {
	sum := sha256.Sum256(encoded)
	for i := range d {
		d[i] = binary.BigEndian.Uint64(sum[i*8:])
	}
	return d
}

// Kinds of entities, first byte of their encoding in digests and snapshots. For ever.
const (
	kindProfile      = 1
	kindKey          = 2
	kindTenant       = 3
	kindEndpoint     = 4
	kindSubscription = 5
	kindDelivery     = 6
	kindEpoch        = 7
	kindPolicy       = 8
	kindIssuedKey    = 9
	kindSession      = 10
	kindRecovery     = 11
	kindRemoval      = 12
	kindVersion      = 13
)

func (s *State) hashDelivery(d *Delivery) Digest {
	b := s.appendDelivery(s.scratch[:0], d)
	s.scratch = b[:0]
	return hashOf(b)
}
