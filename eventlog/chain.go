package eventlog

import (
	"crypto/sha256"
	"encoding/binary"
)

// Prefixes that keep leaves, nodes and links of the chain apart; the first two are RFC 6962's.
const (
	leafPrefix = 0x00
	nodePrefix = 0x01
	linkPrefix = 0x02
)

// Hasher computes leaves and links of the chain, reusing memory. The zero value is ready. It belongs to one goroutine.
type Hasher struct {
	scratch []byte
	leaves  []Hash
}

// Chain returns the chain after b: SHA-256(0x02, b.Prev, batch header, Merkle root of the records' leaves). It covers
// everything of b but Chain itself and the sections' data, for which their sums stand.
func (h *Hasher) Chain(b *Batch) Hash {
	h.leaves = h.leaves[:0]
	for i := range b.Records {
		h.leaves = append(h.leaves, h.leaf(b.First+Seq(i), &b.Records[i]))
	}
	root := MerkleRoot(h.leaves)
	h.scratch = append(h.scratch[:0], linkPrefix)
	h.scratch = append(h.scratch, b.Prev[:]...)
	h.scratch = appendHeader(h.scratch, b)
	h.scratch = append(h.scratch, root[:]...)
	return sha256.Sum256(h.scratch)
}

// Leaf returns the Merkle leaf of r: SHA-256(0x00, seq, the record as stored in its batch).
func (h *Hasher) Leaf(r *Record) Hash { return h.leaf(r.Seq, r) }

func (h *Hasher) leaf(seq Seq, r *Record) Hash {
	h.scratch = append(h.scratch[:0], leafPrefix)
	h.scratch = binary.BigEndian.AppendUint64(h.scratch, uint64(seq))
	h.scratch = appendEntry(h.scratch, r)
	return sha256.Sum256(h.scratch)
}
