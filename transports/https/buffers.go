package https

import "sync"

const (
	readBuffer  = 4 << 10
	writeBuffer = 4 << 10
)

// buffers lends read and write buffers, so that an idle connection holds none.
type buffers struct{ read, write sync.Pool }

func (b *buffers) getRead() []byte {
	if p, ok := b.read.Get().(*[readBuffer]byte); ok {
		return p[:]
	}
	return make([]byte, readBuffer)
}

// putRead keeps buffers of the common size only; grown ones are the collector's.
func (b *buffers) putRead(buf []byte) {
	if len(buf) == readBuffer {
		b.read.Put((*[readBuffer]byte)(buf))
	}
}

func (b *buffers) getWrite() *[]byte {
	if p, ok := b.write.Get().(*[]byte); ok {
		return p
	}
	p := make([]byte, 0, writeBuffer)
	return &p
}

func (b *buffers) putWrite(p *[]byte) {
	if cap(*p) <= 2*maxRecord {
		*p = (*p)[:0]
		b.write.Put(p)
	}
}
