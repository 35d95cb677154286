package transporttest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Exchange is one request as it was on the wire, and the connection to answer on as well or as badly as a test wants.
type Exchange struct {
	net.Conn                 // plain bytes in and out; TLS is below
	TCP      *net.TCPConn    // what lies under it
	Number   int             // on this connection, from 1
	Line     string          // request line
	Fields   [][2]string     // names as sent
	Body     []byte          // valid until the handler returns
	Stopped  <-chan struct{} // closed when the receiver shuts down
}

// Field is a header's value, or "".
func (x *Exchange) Field(name string) string {
	for _, f := range x.Fields {
		if strings.EqualFold(f[0], name) {
			return f[1]
		}
	}
	return ""
}

// Handler answers one exchange; false closes the connection.
type Handler func(x *Exchange) bool

// Answer is a handler that writes the same bytes every time.
func Answer(raw string) Handler {
	b := []byte(raw)
	return func(x *Exchange) bool {
		_, err := x.Write(b)
		return err == nil
	}
}

// OK answers 200 with a short body.
func OK() Handler {
	return Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok")
}

// Receiver is a customer's endpoint on loopback, at the level of bytes.
type Receiver struct {
	URL string

	listener net.Listener
	tls      *tls.Config // nil: plain
	handler  Handler
	early    Handler // answers after the head, before the body is read; nil: nobody does
	requests atomic.Int64
	conns    atomic.Int64
	stopped  chan struct{}
	wg       sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// NewReceiver listens on 127.0.0.1 with a certificate for that address, until the test ends.
func NewReceiver(tb testing.TB, ca *CA, h Handler) *Receiver {
	tb.Helper()
	cert := ca.Issue(tb, time.Now().Add(time.Hour), "127.0.0.1")
	return NewReceiverTLS(tb, &tls.Config{Certificates: []tls.Certificate{cert}}, h)
}

// NewReceiverTLS listens with the given TLS configuration; nil speaks plain HTTP.
func NewReceiverTLS(tb testing.TB, cfg *tls.Config, h Handler) *Receiver {
	tb.Helper()
	return newReceiver(tb, cfg, h, nil)
}

func newReceiver(tb testing.TB, cfg *tls.Config, h, early Handler) *Receiver {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	scheme := "http"
	if cfg != nil {
		scheme = "https"
	}
	r := &Receiver{
		URL: fmt.Sprintf("%s://%s/in", scheme, l.Addr()), listener: l, tls: cfg, handler: h, early: early,
		stopped: make(chan struct{}), open: make(map[net.Conn]struct{}),
	}
	r.wg.Go(r.accept)
	tb.Cleanup(r.Close)
	return r
}

// Requests is how many whole requests came in; Connections how many connections were opened.
func (r *Receiver) Requests() int    { return int(r.requests.Load()) }
func (r *Receiver) Connections() int { return int(r.conns.Load()) }

// Close ends every connection and waits for the handlers.
func (r *Receiver) Close() {
	r.mu.Lock()
	select {
	case <-r.stopped:
	default:
		close(r.stopped)
	}
	_ = r.listener.Close()
	for c := range r.open {
		_ = c.Close()
	}
	r.mu.Unlock()
	r.wg.Wait()
}

func (r *Receiver) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.conns.Add(1)
		r.mu.Lock()
		r.open[c] = struct{}{}
		select {
		case <-r.stopped:
			_ = c.Close()
		default:
		}
		r.mu.Unlock()
		r.wg.Go(func() {
			r.serve(c)
			_ = c.Close()
			r.mu.Lock()
			delete(r.open, c)
			r.mu.Unlock()
		})
	}
}

func (r *Receiver) serve(c net.Conn) {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	if r.tls != nil {
		t := tls.Server(c, r.tls)
		if t.Handshake() != nil {
			return
		}
		c = t
	}
	in := bufio.NewReaderSize(c, 4<<10)
	x := &Exchange{Conn: c, TCP: tcp, Stopped: r.stopped}
	for {
		length, err := x.readHead(in)
		if err != nil {
			return
		}
		x.Number++
		if r.early != nil && !r.early(x) {
			return
		}
		if err := x.readBody(in, length); err != nil {
			return
		}
		r.requests.Add(1)
		if !r.handler(x) {
			return
		}
	}
}

// readHead returns how long the body will be.
func (x *Exchange) readHead(in *bufio.Reader) (int, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	x.Line = string(bytes.TrimRight(line, "\r\n"))
	x.Fields = x.Fields[:0]
	length := 0
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return 0, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			return length, nil
		}
		name, value, ok := strings.Cut(string(line), ": ")
		if !ok {
			return 0, errors.New("malformed header line")
		}
		x.Fields = append(x.Fields, [2]string{name, value})
		if strings.EqualFold(name, "content-length") {
			if length, err = strconv.Atoi(value); err != nil {
				return 0, err
			}
		}
	}
}

func (x *Exchange) readBody(in *bufio.Reader, length int) error {
	if cap(x.Body) < length {
		x.Body = make([]byte, length)
	}
	x.Body = x.Body[:length]
	_, err := io.ReadFull(in, x.Body)
	return err
}
