package transporttest

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hookline/hookline/transports"
)

// Connections are kept and used again unless the receiver says otherwise.
func testKeepAlive(t *testing.T, s *suite) {
	for _, c := range []struct {
		name, fields string
		connections  int
	}{
		{"kept", "", 1},
		{"announced", "Keep-Alive: timeout=60, max=100\r\n", 1},
		{"announced too short", "Keep-Alive: timeout=1\r\n", 5},
		{"close", "Connection: close\r\n", 5},
		{"close among others", "Connection: x, Close\r\n", 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.receiver(t, Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"+c.fields+"\r\nok"))
			tr := s.transport(t)
			for i := range 5 {
				res := deliver(t, tr, newRequest(r.URL, "{}"))
				yes(false).check(t, res)
				fresh := res.Timings.Connect > 0 && res.Timings.TLS > 0
				if fresh != (i == 0 || c.connections == 5) {
					t.Errorf("attempt %d: connect %s, TLS %s", i, res.Timings.Connect, res.Timings.TLS)
				}
				if res.Timings.Wait <= 0 {
					t.Error("no time waited for the answer")
				}
			}
			if n := r.Connections(); n != c.connections {
				t.Errorf("%d connections, want %d", n, c.connections)
			}
		})
	}
}

// An attempt whose request went out on a kept connection and got no answer is a failure, never sent again: promise 4 names no
// such duplicate.
func testNeverSentTwice(t *testing.T, s *suite) {
	r := s.receiver(t, func(x *Exchange) bool { return x.Number == 1 && OK()(x) })
	tr := s.transport(t)
	yes(false).check(t, deliver(t, tr, newRequest(r.URL, "{}")))
	unreachable(transports.KindConnectionReset).check(t, deliver(t, tr, newRequest(r.URL, "{}")))
	if n := r.Requests(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// A kept connection that the receiver closed, or on which it said something unasked, is not used again.
func testDeadIdleConnection(t *testing.T, s *suite) {
	for name, after := range map[string]func(x *Exchange) bool{
		"closed":         func(x *Exchange) bool { _ = x.Close(); return false },
		"reset":          func(x *Exchange) bool { _ = x.TCP.SetLinger(0); _ = x.TCP.Close(); return false },
		"half closed":    func(x *Exchange) bool { _ = x.TCP.CloseWrite(); return true },
		"unasked answer": func(x *Exchange) bool { return Answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")(x) },
	} {
		t.Run(name, func(t *testing.T) {
			did := make(chan struct{})
			r := s.receiver(t, func(x *Exchange) bool {
				if !OK()(x) {
					return false
				}
				defer func() { did <- struct{}{} }()
				return after(x)
			})
			tr := s.transport(t)
			for range 3 {
				yes(false).check(t, deliver(t, tr, newRequest(r.URL, "{}")))
				<-did
			}
			if c, n := r.Connections(), r.Requests(); c != 3 || n != 3 {
				t.Errorf("%d connections and %d requests, want 3 of each", c, n)
			}
		})
	}
}

// A receiver may answer without reading a long body and hang up; its answer is heard.
func testEarlyAnswer(t *testing.T, s *suite) {
	cert := s.ca.Issue(t, time.Now().Add(time.Hour), "127.0.0.1")
	r := newReceiver(t, serverTLS(cert), OK(), func(x *Exchange) bool {
		Answer("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")(x)
		return false
	})
	tr := s.transport(t)
	for range 20 {
		res := deliver(t, tr, newRequest(r.URL, repeat("x", 4<<20)))
		if res.Status != 413 || res.Outcome != transports.Rejected {
			t.Fatalf("status %d, %s, %s", res.Status, res.Outcome, res.Error)
		}
	}
}

// Promise 7: receivers that hang delay nobody else.
func testNoisyNeighbour(t *testing.T, s *suite) {
	const noisy = 100
	arrived := make(chan struct{}, noisy)
	hanging := s.receiver(t, func(x *Exchange) bool {
		arrived <- struct{}{}
		<-x.Stopped
		return false
	})
	healthy := s.receiver(t, OK())
	tr := s.transport(t)
	var wg sync.WaitGroup
	for i := range noisy {
		wg.Go(func() {
			res, err := tr.Deliver(t.Context(), newRequest(hanging.URL+"/"+strconv.Itoa(i), "{}"))
			if err != nil || res.Kind != transports.KindConnectionReset {
				t.Errorf("hanging receiver: %s %s, %v", res.Outcome, res.Kind, err)
			}
		})
	}
	for range noisy {
		<-arrived
	}
	for range 50 {
		res := deliver(t, tr, newRequest(healthy.URL, "{}"))
		yes(false).check(t, res)
		if res.Took > 2*time.Second {
			t.Errorf("a healthy receiver waited %s", res.Took)
		}
	}
	hanging.Close()
	wg.Wait()
}
