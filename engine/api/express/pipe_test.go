package express

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener without a network: what is written in one call is read in one, and time may be a bubble's.
type pipes struct {
	conns  chan net.Conn
	faults chan error
	done   chan struct{}
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), faults: make(chan error), done: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case err := <-p.faults:
		return nil, err
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.done:
	default:
		close(p.done)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// counted counts how often a deadline is set.
type counted struct {
	net.Conn
	deadlines *atomic.Int64
}

func (c counted) SetReadDeadline(t time.Time) error {
	c.deadlines.Add(1)
	return c.Conn.SetReadDeadline(t)
}

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

// inBubble serves with the front inside a bubble of its own time.
func inBubble(t *testing.T, handler http.HandlerFunc, f func(t *testing.T, r *rig, l *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		f(t, startOn(t, l, true, handler), l)
	})
}

// say writes pieces, each seen by the server before the next.
func say(c net.Conn, pieces ...string) error {
	for _, p := range pieces {
		if _, err := io.WriteString(c, p); err != nil {
			return err
		}
	}
	return nil
}

// answerOf reads one answer of a few bytes; pipes keep writes apart.
func answerOf(t *testing.T, c net.Conn) string {
	t.Helper()
	b := make([]byte, 4096)
	n, err := c.Read(b)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return string(b[:n])
}

// endsAfter tells when the server closes a connection that says nothing more.
func endsAfter(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	began := time.Now()
	rest, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatal(err)
	}
	if len(rest) > 0 && !bytes.Contains(rest, []byte("unexpected")) && !bytes.Contains(rest, []byte("timeout")) {
		t.Errorf("a last word: %q", rest)
	}
	return time.Since(began)
}

// However the bytes are cut into segments, the answers are those to the whole.
func TestSegments(t *testing.T) {
	plain := start(t, false, http.HandlerFunc(mirror))
	const probe = "GET /probe HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	for _, c := range corpus() {
		if strings.Contains(c.name, "cut") || len(c.text) > 100_000 || c.name == "a word" || c.name == "nothing" {
			continue // these need a half-closed connection, or are long
		}
		text := c.text + probe
		want := plain.ask(t, []byte(text))
		for seed := range uint64(4) {
			inBubble(t, mirror, func(t *testing.T, _ *rig, l *pipes) {
				rnd := rand.New(rand.NewPCG(seed, 1))
				conn := l.dial()
				wrote := make(chan struct{})
				go func() {
					defer close(wrote)
					for rest := text; rest != ""; {
						n := min(len(rest), 1+rnd.IntN(1<<(1+rnd.IntN(12))))
						if say(conn, rest[:n]) != nil {
							return
						}
						rest = rest[n:]
					}
				}()
				back, err := io.ReadAll(conn)
				if err != nil {
					t.Error(err)
				}
				if got := answers([]byte(text), back); !same(got, want) {
					t.Errorf("%s, seed %d:\ngot  %.2000v\nwant %.2000v", c.name, seed, got, want)
				}
				conn.Close()
				<-wrote
			})
		}
	}
}

func TestTimeLimits(t *testing.T) {
	const begun = "POST /x/a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n"
	ends := func(name string, want time.Duration, f func(t *testing.T, c net.Conn)) {
		inBubble(t, mirror, func(t *testing.T, _ *rig, l *pipes) {
			c := l.dial()
			f(t, c)
			if got := endsAfter(t, c); got != want {
				t.Errorf("%s: ended after %v, want %v", name, got, want)
			}
		})
	}
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ends("a connection without a word", 10*time.Second, func(*testing.T, net.Conn) {})
	ends("half a first head", 7*time.Second, func(t *testing.T, c net.Conn) {
		time.Sleep(2 * time.Second)
		must(t, say(c, good[:20]))
		time.Sleep(time.Second)
		must(t, say(c, good[20:40]))
	})
	ends("half a second head", 8*time.Second, func(t *testing.T, c net.Conn) {
		must(t, say(c, good))
		answerOf(t, c)
		time.Sleep(100 * time.Second)
		must(t, say(c, good[:20]))
		time.Sleep(2 * time.Second)
		must(t, say(c, good[20:40]))
	})
	ends("idle", 2*time.Minute, func(t *testing.T, c net.Conn) {
		must(t, say(c, good[:30], good[30:]))
		answerOf(t, c)
	})
	ends("idle after a second answer soon after the first", 110*time.Second, func(t *testing.T, c net.Conn) {
		must(t, say(c, good))
		answerOf(t, c)
		time.Sleep(10 * time.Second)
		must(t, say(c, good))
		answerOf(t, c)
	})
	ends("a body that nobody wants", 500*time.Millisecond, func(t *testing.T, c net.Conn) {
		must(t, say(c, good))
		answerOf(t, c)
		must(t, say(c, post("/x/refuse", strings.Repeat("b", 1000))[:500]))
		if got := answerOf(t, c); !strings.Contains(got, "401 Unauthorized") || !strings.Contains(got, "\r\nConnection: close\r\n") {
			t.Errorf("not refused before its body: %q", got)
		}
		must(t, say(c, "more of it"))
	})
	ends("a body that pauses", 2*time.Minute, func(t *testing.T, c net.Conn) {
		must(t, say(c, begun[:9], begun[9:], "12"))
		for range 7 {
			time.Sleep(100 * time.Second)
			must(t, say(c, "3"))
		}
	})
	ends("a slow body", 2*time.Minute, func(t *testing.T, c net.Conn) {
		must(t, say(c, begun, "12"))
		for range 8 {
			time.Sleep(100 * time.Second)
			must(t, say(c, "3"))
		}
		if got := answerOf(t, c); !strings.Contains(got, "202 Accepted") || !strings.Contains(got, `"1233333333"`) {
			t.Errorf("a slow body is refused: %q", got)
		}
	})
}

// Deadlines cost; a busy connection rarely sets one.
func TestDeadlinesAreRarelySet(t *testing.T) {
	inBubble(t, mirror, func(t *testing.T, _ *rig, l *pipes) {
		var deadlines atomic.Int64
		c, theirs := net.Pipe()
		l.conns <- counted{theirs, &deadlines}
		const requests = 3000 // 300 s
		for range requests {
			if err := say(c, good); err != nil {
				t.Fatal(err)
			}
			answerOf(t, c)
			time.Sleep(100 * time.Millisecond)
		}
		if n := deadlines.Load(); n < 2 || n > 25 {
			t.Errorf("%d deadlines set for %d requests", n, requests)
		}
		c.Close()
	})
}

func TestAcceptTriesAgain(t *testing.T) {
	inBubble(t, mirror, func(t *testing.T, _ *rig, l *pipes) {
		began := time.Now()
		for range 3 {
			l.faults <- &net.OpError{Op: "accept", Err: outOfDescriptors{}}
		}
		c := l.dial()
		if err := say(c, good); err != nil {
			t.Fatal(err)
		}
		answerOf(t, c)
		if took := time.Since(began); took != 35*time.Millisecond {
			t.Errorf("paused %v, want 5+10+20 ms", took)
		}
		c.Close()
	})
}

type outOfDescriptors struct{}

func (outOfDescriptors) Error() string   { return "too many open files" }
func (outOfDescriptors) Temporary() bool { return true }
func (outOfDescriptors) Timeout() bool   { return false }
