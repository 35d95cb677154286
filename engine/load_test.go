package engine

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/transports"
)

// With the real clock, publishers at once and clean stops in between: every event reaches every endpoint, and none is
// acknowledged twice (promise 4).
func TestRealClockUnderLoad(t *testing.T) {
	const publishers, batches, size, endpoints = 4, 15, 10, 3
	r := newRig(t, func(c *Config) { c.ManualClock, c.RestartRate = false, 100_000 })
	r.net.answers(func(int, *transports.Request) (transports.Result, error) {
		if rand.IntN(3) == 0 {
			return status(500), nil
		}
		return status(200), nil
	})
	r.tenant("acc", "dnsimple")
	waits := []string{"0s", "1ms", "5ms", "5ms", "5ms", "5ms", "5ms", "5ms", "5ms", "5ms", "5ms", "5ms", "5ms", "5ms", "5ms"}
	for range endpoints {
		r.endpoint("acc", EndpointInput{Schedule: Some(waits), Concurrency: Some(4)})
	}
	for range 3 {
		r.publishAtOnce(publishers, batches, size)
		r.stop() // retries that are not due yet wait for the next start
		r.start()
	}
	r.until("all are delivered", func() bool {
		n := 0
		must[any](nil, r.do(t.Context(), func(s *sequencer) error { n = s.st.Pending.Len(); return nil }))(t)
		return n == 0
	})
	l := life{made: map[record.Ref]int{}, ended: map[record.Ref]record.Status{}}
	for rec, err := range r.log.Read(t.Context(), 0) {
		if err == nil {
			err = l.tell(&rec)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := 3 * publishers * batches * size * endpoints; len(l.open) != want {
		t.Errorf("%d deliveries, want %d", len(l.open), want)
	}
	for ref, status := range l.ended {
		if status != record.Succeeded {
			t.Errorf("%v is %s", ref, status)
		}
	}
	r.requested(l.sent)
	r.checkFold()
}

func (r *rig) publishAtOnce(publishers, batches, size int) {
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for range publishers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			in := make([]PublishInput, size)
			for i := range in {
				in[i] = PublishInput{Type: "some.event", Data: []byte(`{"a":1}`)}
			}
			for range batches {
				if _, err := r.Publish(r.t.Context(), "acc", in); err != nil {
					failed.Store(&err)
				}
			}
		}()
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		r.t.Fatal(*err)
	}
}
