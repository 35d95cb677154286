package express

import (
	"io"
	"net/http"
	"time"
)

// body is what Content-Length says: first what the connection has read already, then straight from it.
type body struct {
	conn *conn
	left int64 // bytes that nobody has read yet
	err  error // why they never come
	done bool  // closed by the handler, or the handler has returned
}

func (b *body) start(length int64) { b.left, b.err, b.done = length, nil, false }

func (b *body) end() { b.left, b.done = 0, true }

// Read returns io.ErrUnexpectedEOF when the connection ends before the body.
func (b *body) Read(p []byte) (int, error) {
	switch {
	case b.done:
		return 0, http.ErrBodyReadAfterClose
	case b.left == 0:
		return 0, io.EOF
	}
	return b.read(p)
}

func (b *body) read(p []byte) (n int, err error) {
	c := b.conn
	p = p[:min(int64(len(p)), b.left)]
	switch {
	case b.err != nil:
		return 0, b.err
	case c.r < c.w:
		n = copy(p, c.buffer[c.r:c.w])
		c.r += n
	default:
		c.now = time.Now()
		c.renew()
		n, err = c.nc.Read(p)
	}
	b.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	b.err = err
	return n, err
}

// discard reads some of the rest and forgets it.
func (b *body) discard() error {
	c := b.conn
	if c.r < c.w && b.err == nil {
		n := min(int64(c.w-c.r), b.left)
		c.r += int(n)
		b.left -= n
		return nil
	}
	_, err := b.read(c.buffer[:]) // never more than is left of this body
	return err
}

// Close makes further reads fail. What is left is read before the answer.
func (b *body) Close() error {
	b.done = true
	return nil
}
