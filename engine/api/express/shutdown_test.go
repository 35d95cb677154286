package express

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Shutdown closes what is idle at once, lets requests under way finish, and serves nothing that begins later.
func TestShutdownWaitsForRequests(t *testing.T) {
	var release chan struct{}
	slow := func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/slow") {
			<-release
		}
		mirror(w, r)
	}
	for _, path := range []string{"/x/slow", "/y/slow"} { // ours, net/http's
		inBubble(t, slow, func(t *testing.T, r *rig, l *pipes) {
			release = make(chan struct{}) // of this bubble
			quiet, fresh, half, running := l.dial(), l.dial(), l.dial(), l.dial()
			if err := errors.Join(say(quiet, good), say(half, good[:20]), say(running, post(path, "b"))); err != nil {
				t.Fatal(err)
			}
			answerOf(t, quiet)
			synctest.Wait()
			done := make(chan error, 1)
			go func() { done <- r.shutdown(context.Background()) }()
			for _, c := range []net.Conn{quiet, fresh} {
				if took := endsAfter(t, c); took != 0 {
					t.Errorf("an idle connection lived on for %v", took)
				}
			}
			if err := say(half, good[20:]); err != nil {
				t.Errorf("a connection with half a head is cut: %v", err)
			}
			if rest, err := io.ReadAll(half); len(rest) > 0 || err != nil {
				t.Errorf("served after the shutdown: %q %v", rest, err)
			}
			synctest.Wait()
			select {
			case err := <-done:
				t.Fatalf("Shutdown does not wait: %v", err)
			default:
			}
			close(release)
			if got := answerOf(t, running); !strings.Contains(got, "202 Accepted") || !strings.Contains(got, "\r\nConnection: close\r\n") {
				t.Errorf("the request under way: %q", got)
			}
			if endsAfter(t, running); <-done != nil {
				t.Error("Shutdown failed")
			}
			if err := r.server.Serve(newPipes()); err != http.ErrServerClosed {
				t.Errorf("Serve after it: %v", err)
			}
		})
	}
}

// A shutdown is bounded by its context, and Close ends the rest: their requests' context is canceled.
func TestShutdownIsBounded(t *testing.T) {
	stuck := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	inBubble(t, stuck, func(t *testing.T, r *rig, l *pipes) {
		c := l.dial()
		if err := say(c, good); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		if err := r.shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 5*time.Second {
			t.Errorf("Shutdown: %v after %v", err, time.Since(began))
		}
		if err := r.server.Close(); err != nil {
			t.Error(err)
		}
		endsAfter(t, c)
	})
}

// In the middle of traffic: who was served gets the whole answer, and nobody half of one.
func TestShutdownUnderLoad(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var handled, answered atomic.Int64
	enough := make(chan struct{})
	r := startOn(t, l, true, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handled.Add(1) == 500 {
			close(enough)
		}
		mirror(w, r)
	}))
	var wg sync.WaitGroup
	for i := range 32 {
		text := good + good
		if i%4 == 0 {
			text = "GET /y HTTP/1.1\r\nHost: h\r\n\r\n"
		}
		wg.Go(func() {
			for {
				c, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					return
				}
				n, again := converse(t, c, text)
				answered.Add(n)
				if !again {
					return
				}
			}
		})
	}
	<-enough
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	wg.Wait()
	if h, a := handled.Load(), answered.Load(); h != a {
		t.Errorf("%d requests handled, %d answered", h, a)
	}
}

// converse says a text again and again and counts whole answers; it leaves after some, or when the server does.
func converse(t *testing.T, c net.Conn, text string) (answered int64, again bool) {
	defer c.Close()
	in := bufio.NewReader(c)
	for range 20 {
		if say(c, text) != nil {
			return answered, false
		}
		for range strings.Count(text, " HTTP/1.1\r\n") {
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				if in.Buffered() > 0 {
					t.Errorf("half an answer: %v", err)
				}
				return answered, false
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusAccepted {
				t.Errorf("answer %d: %v", resp.StatusCode, err)
			}
			answered++
		}
	}
	return answered, true
}

// locked is a log that may be read while it is written.
type locked struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func TestPanicEndsTheConnectionOnly(t *testing.T) {
	inBubble(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			_, _ = io.WriteString(w, "half")
			panic("boom")
		}
		mirror(w, r)
	}, func(t *testing.T, r *rig, l *pipes) {
		logged := &locked{}
		r.server.Web.ErrorLog = log.New(logged, "", 0)
		c := l.dial()
		if err := say(c, post("/x/a", "")); err != nil {
			t.Fatal(err)
		}
		endsAfter(t, c)
		if text := logged.String(); !strings.Contains(text, "boom") || !strings.Contains(text, "shutdown_test.go") {
			t.Errorf("logged %q", text)
		}
		c = l.dial()
		if err := say(c, good); err != nil {
			t.Fatal(err)
		}
		answerOf(t, c)
		c.Close()
	})
}
