package https

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// conn is one connection to one host. While idle nobody touches it; while busy one attempt owns it.
type conn struct {
	key  string
	wire *wire
	nc   net.Conn // what is written to and read from: wire, or TLS over it
	raw  syscall.RawConn

	inHost, inAll links
	idleUntil     time.Time

	bufs *buffers
	buf  []byte // read buffer, held only while busy; unread bytes are buf[r:w]
	r, w int

	peek   func(fd uintptr) bool // made once: alive runs before every reuse
	peeked [1]byte
	quiet  bool // what peek saw: open and nothing to read

	halt func() // interrupt, made once
}

// newConn wraps a fresh TCP connection; TLS comes later.
func newConn(key string, tcp *net.TCPConn, bufs *buffers) (*conn, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &conn{key: key, wire: &wire{TCPConn: tcp, records: strings.HasPrefix(key, "https:")}, raw: raw, bufs: bufs}
	c.nc = c.wire
	c.halt = c.interrupt
	c.peek = func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), c.peeked[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		c.quiet = errors.Is(err, syscall.EAGAIN)
		return true
	}
	return c, nil
}

// interrupt makes what is under way on the connection fail at once. Safe from any goroutine.
func (c *conn) interrupt() { _ = c.wire.SetDeadline(time.Unix(1, 0)) }

// close closes without ceremony: a TLS close_notify would be a write that may block.
func (c *conn) close() {
	c.release()
	_ = c.wire.Close()
}

// drained says that everything the other side has sent so far, as far as it was read, belonged to answers.
func (c *conn) drained() bool { return c.r == c.w && c.wire.between() }

// alive peeks at an idle connection: it is good only if the other side has neither closed it nor sent anything. What a
// TLS server sends late (a ticket, an alert) counts as not good too; a fresh connection is the safe answer.
func (c *conn) alive() bool {
	c.quiet = false
	return c.raw.Read(c.peek) == nil && c.quiet
}

func (c *conn) acquire() {
	if c.buf == nil {
		c.buf = c.bufs.getRead()
		c.r, c.w = 0, 0
	}
}

func (c *conn) release() {
	if c.buf != nil {
		c.bufs.putRead(c.buf)
		c.buf = nil
	}
}

// fill reads once more behind the unread bytes, growing the buffer up to limit bytes of unread data.
func (c *conn) fill(limit int) error {
	if c.r > 0 {
		copy(c.buf, c.buf[c.r:c.w])
		c.w -= c.r
		c.r = 0
	}
	if c.w == len(c.buf) {
		if c.w >= limit {
			return errTooLong
		}
		bigger := make([]byte, min(2*len(c.buf), limit))
		copy(bigger, c.buf[:c.w])
		c.bufs.putRead(c.buf)
		c.buf = bigger
	}
	n, err := c.nc.Read(c.buf[c.w:])
	c.w += n
	if n > 0 {
		return nil // an error that comes with data comes again
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

var errTooLong = errors.New("https: longer than the buffer's limit")

// write sends head and body. Up to one TLS record they go as one write; of a longer body the first record is filled up
// and the rest is written from where it lies.
func (c *conn) write(head, body []byte) error {
	if room := maxRecord - len(head); room > 0 {
		n := min(room, len(body))
		head, body = append(head, body[:n]...), body[n:]
	}
	if _, err := c.nc.Write(head); err != nil {
		return err
	}
	if len(body) == 0 {
		return nil
	}
	_, err := c.nc.Write(body)
	return err
}

// maxRecord is the most plaintext a TLS record carries (RFC 8446 section 5.1).
const maxRecord = 16 << 10
