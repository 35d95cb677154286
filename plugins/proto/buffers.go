package proto

import (
	"math/bits"
	"sync"

	"google.golang.org/grpc/mem"
)

// buffers pools by powers of four, from 4 KiB to 4 MiB. gRPC's own pool clears a whole mebibyte for a batch of 33 KiB, which
// costs more than encoding it; here every byte is written before it is read.
type buffers struct{ tiers [6]sync.Pool }

var _ mem.BufferPool = (*buffers)(nil)

const smallestBuffer = 12 // 4 KiB, as a power of two

// tier is the index of the smallest tier that holds n bytes.
func tier(n int) int { return max(0, (bits.Len(uint(max(n, 1)-1))-smallestBuffer+1)/2) }

// Get returns n bytes with anything in them.
func (b *buffers) Get(n int) *[]byte {
	t := tier(n)
	if t >= len(b.tiers) {
		p := make([]byte, n)
		return &p
	}
	if p, ok := b.tiers[t].Get().(*[]byte); ok {
		*p = (*p)[:n]
		return p
	}
	p := make([]byte, n, 1<<(smallestBuffer+2*t))
	return &p
}

// Put keeps what has exactly the size of a tier.
func (b *buffers) Put(p *[]byte) {
	if t := tier(cap(*p)); t < len(b.tiers) && cap(*p) == 1<<(smallestBuffer+2*t) {
		b.tiers[t].Put(p)
	}
}
