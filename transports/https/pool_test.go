package https

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func idleConn(key string, until time.Time) *conn {
	return &conn{key: key, wire: &wire{TCPConn: &net.TCPConn{}}, bufs: &buffers{}, idleUntil: until}
}

// The pool against a plain list: last in first out a host, both caps hold, the longest idle goes first.
func TestPoolModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const maxIdle, perHost = 6, 3
		p := newPool(maxIdle, perHost)
		defer p.shutdown()
		far := time.Now().Add(time.Hour)
		var model []*conn // oldest first
		drop := func(match func(*conn) bool) {
			for i, c := range model {
				if match(c) {
					model = append(model[:i:i], model[i+1:]...)
					return
				}
			}
		}
		hosts := rapid.SampledFrom([]string{"a", "b", "c"})
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			key := hosts.Draw(t, "host")
			if rapid.Bool().Draw(t, "put") {
				c := idleConn(key, far)
				if !p.add(c) {
					t.Fatal("pool is closed")
				}
				p.put(c)
				n := 0
				for _, m := range model {
					if m.key == key {
						n++
					}
				}
				if n == perHost {
					drop(func(m *conn) bool { return m.key == key })
				}
				if len(model) == maxIdle {
					model = model[1:]
				}
				model = append(model, c)
			} else {
				var want *conn
				for _, m := range model {
					if m.key == key {
						want = m
					}
				}
				got := p.take(key, time.Now())
				if got != want {
					t.Fatalf("host %s: another connection than the one used last", key)
				}
				if got != nil {
					drop(func(m *conn) bool { return m == got })
					p.drop(got)
				}
			}
			if p.all.n != len(model) {
				t.Fatalf("%d idle, want %d", p.all.n, len(model))
			}
		}
		if len(p.busy) != 0 {
			t.Fatalf("%d busy", len(p.busy))
		}
	})
}

// What idled too long is closed by the timer, without anybody asking, and no sooner; hosts leave no trace.
func TestPoolSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(10, 10)
		start := time.Now()
		for i := range 3 {
			c := idleConn(fmt.Sprint(i), start.Add(time.Duration(2+2*i)*time.Second))
			p.add(c)
			p.put(c)
		}
		for _, step := range []struct {
			at   time.Duration
			idle int
		}{{1900 * time.Millisecond, 3}, {3 * time.Second, 2}, {3900 * time.Millisecond, 2}, {5 * time.Second, 1}, {7 * time.Second, 0}} {
			time.Sleep(step.at - time.Since(start))
			synctest.Wait()
			p.mu.Lock()
			if p.all.n != step.idle || len(p.hosts) != step.idle {
				t.Errorf("after %s: %d idle, %d hosts, want %d", step.at, p.all.n, len(p.hosts), step.idle)
			}
			p.mu.Unlock()
		}
		c := idleConn("late", time.Now().Add(time.Second))
		p.add(c)
		p.put(c)
		time.Sleep(900 * time.Millisecond)
		if p.take("late", time.Now()) != c {
			t.Error("not handed out before its time")
		}
		c.idleUntil = time.Now()
		p.put(c)
		if p.take("late", time.Now()) != nil {
			t.Error("handed out after its time")
		}
		p.shutdown()
	})
}
