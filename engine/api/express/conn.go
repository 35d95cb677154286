package express

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// bufferSize is what a connection reads into: a whole head fits.
const bufferSize = 8 << 10

// States of a connection. Only from idle it may be closed without loss.
const (
	idle int32 = iota
	busy
	closed
)

// conn is one connection and everything that its requests use again. All but state belong to its goroutine.
type conn struct {
	server   *Server
	nc       net.Conn
	remote   string
	state    atomic.Int32
	buffer   *[bufferSize]byte
	r, w     int       // what is read and not yet used: buffer[r:w]
	now      time.Time // lately
	deadline time.Time // for reading, as it is set
	headBy   time.Time // when the head must be complete; zero before its first byte
	posted   bool      // a request was served here
	forgiven int       // line ends before this one
	head     head
	blank    *http.Request // with the context
	request  http.Request
	url      url.URL // of the request: a handler may change it
	body     body
	answer   answer
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{server: s, nc: nc, remote: nc.RemoteAddr().String(), blank: new(http.Request).WithContext(s.ctx)}
	c.head.fields = http.Header{}
	c.answer = answer{conn: c, fields: http.Header{}}
	c.body.conn = c
	return c
}

// serve owns the connection until it ends or is handed over.
func (c *conn) serve() {
	c.buffer = c.server.buffers.Get().(*[bufferSize]byte)
	over := false
	defer func() {
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			c.server.logf("http: panic serving %v: %v\n%s", c.remote, v, debug.Stack())
		}
		if !over {
			_ = c.nc.Close()
		}
		c.server.buffers.Put(c.buffer)
		c.server.forget(c)
	}()
	c.now = time.Now()
	c.expectHead()
	for c.await() {
		switch c.readHead() {
		case ours:
			if c.server.stopping.Load() || !c.run() {
				return
			}
		case theirs:
			over = c.handOver()
			return
		case nobodys:
			return
		}
	}
}

// peeked is how many bytes net/http waits for between requests before it takes them for one.
const peeked = 4

// await waits for a byte of the next request. False: the connection ends. Line ends behind the body of a POST are
// forgiven, as many as net/http forgives (RFC 9112, section 2.2).
func (c *conn) await() bool {
	for c.forgiven = 0; ; {
		for c.posted && c.forgiven < peeked && c.r < c.w && (c.buffer[c.r] == '\r' || c.buffer[c.r] == '\n') {
			c.r++
			c.forgiven++
		}
		if c.r < c.w {
			return !c.server.stopping.Load()
		}
		c.r, c.w = 0, 0
		c.state.Store(idle)
		if c.server.stopping.Load() {
			return false
		}
		if c.posted {
			c.renew()
		}
		n, err := c.nc.Read(c.buffer[:])
		if n == 0 || err != nil || !c.state.CompareAndSwap(idle, busy) {
			return false
		}
		c.w = n
	}
}

// renew lets the next read wait for the idle time. A deadline that is nearly as far stays: setting one costs.
func (c *conn) renew() {
	limit := c.server.Web.IdleTimeout
	if limit <= 0 {
		if !c.deadline.IsZero() {
			c.setDeadline(time.Time{})
		}
		return
	}
	if by := c.now.Add(limit); c.deadline.Before(by.Add(-limit / 8)) {
		c.setDeadline(by)
	}
}

func (c *conn) setDeadline(t time.Time) {
	c.deadline = t
	_ = c.nc.SetReadDeadline(t) // an error is the read's too
}

// expectHead starts the time that a head may take.
func (c *conn) expectHead() {
	if limit := c.server.Web.ReadHeaderTimeout; limit > 0 {
		c.headBy = c.now.Add(limit)
		c.setDeadline(c.headBy)
	}
}

// Whose a request is.
const (
	ours    = iota
	theirs  // net/http's
	nobodys // the connection ended or took too long
)

// readHead reads on until it knows whose the request is.
func (c *conn) readHead() int {
	for seen := 0; ; {
		data := c.buffer[c.r:c.w]
		whole := !c.posted || c.forgiven+len(data) >= peeked
		if whole && !mayTake(data) {
			return theirs
		}
		if end := bytes.Index(data[max(seen-3, 0):], []byte("\r\n\r\n")); end >= 0 {
			end += max(seen-3, 0) + len(newline)
			if !c.head.parse(string(data[:end]), c.server.Takes) {
				return theirs
			}
			c.r += end + len(newline)
			c.headBy = time.Time{}
			return ours
		}
		if len(data) == maxHead || whole && bareNewline(data, seen) {
			return theirs
		}
		if whole {
			seen = len(data)
		}
		switch err := c.more(); {
		case err == nil:
		case err == io.EOF && whole:
			return theirs // who tell the client, if it still listens
		default:
			return nobodys
		}
	}
}

// bareNewline finds a line end that net/http takes and we don't: it may end the head, so waiting for ours could be in vain.
func bareNewline(data []byte, from int) bool {
	for i := from; i < len(data); i++ {
		n := bytes.IndexByte(data[i:], '\n')
		if n < 0 {
			return false
		}
		if i += n; i == 0 || data[i-1] != '\r' {
			return true
		}
	}
	return false
}

// more reads more of a head that has begun.
func (c *conn) more() error {
	if c.headBy.IsZero() {
		c.now = time.Now()
		c.expectHead()
	}
	if c.r > 0 {
		c.w = copy(c.buffer[:], c.buffer[c.r:c.w])
		c.r = 0
	}
	n, err := c.nc.Read(c.buffer[c.w:])
	c.w += n
	return err
}

// handOver gives the connection and what was read of it to net/http. False: nobody takes it.
func (c *conn) handOver() bool {
	if c.server.stopping.Load() || c.nc.SetReadDeadline(time.Time{}) != nil {
		return false
	}
	return c.server.over.give(&replayed{Conn: c.nc, read: bytes.Clone(c.buffer[c.r:c.w])})
}

// run serves the request whose head was read. False: the connection ends.
func (c *conn) run() bool {
	c.posted = true
	c.body.start(c.head.length)
	c.request = *c.blank
	r := &c.request
	c.url = c.head.url
	r.Method, r.URL, r.RequestURI = http.MethodPost, &c.url, c.head.target
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	r.Header, r.Host, r.Close, r.RemoteAddr = c.head.fields, c.head.host, c.head.close, c.remote
	r.ContentLength, r.Body = c.head.length, &c.body
	if c.head.length == 0 {
		r.Body = http.NoBody
	}
	c.answer.start(c.head.close)
	c.server.Web.Handler.ServeHTTP(&c.answer, r)
	keep := c.answer.finish()
	if c.body.left > 0 && c.body.err == nil {
		c.linger()
	}
	c.body.end()
	return keep
}

// linger lets a client that still sends see the answer: closing at once would reset the connection under it.
func (c *conn) linger() {
	const longest = 500 * time.Millisecond
	if closeWrite(c.nc) != nil || c.nc.SetReadDeadline(time.Now().Add(longest)) != nil {
		return
	}
	for left := c.body.left - int64(c.w-c.r); left > 0; {
		n, err := c.nc.Read(c.buffer[:])
		if err != nil {
			return
		}
		left -= int64(n)
	}
}
