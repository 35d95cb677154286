package blackbox

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load publishes from several goroutines until it is told to stop, over restarts of the server: each publisher repeats one
// event, under its own id, until it is acknowledged, and then goes to the next. The ledger holds what was acknowledged.
type load struct {
	path string
	api  atomic.Pointer[client]
	stop chan struct{}
	wg   sync.WaitGroup

	mu     sync.Mutex
	ledger map[string]string // event id -> uid
	wrong  []string          // answers that must never come
}

// startLoad starts the given number of publishers, each at most one event every pace.
func startLoad(n *tenant, publishers int, pace time.Duration) *load {
	l := &load{path: n.path("/events"), stop: make(chan struct{}), ledger: map[string]string{}}
	l.api.Store(n.s.api)
	for p := range publishers {
		l.wg.Go(func() { l.publisher(p, pace) })
	}
	return l
}

func (l *load) publisher(p int, pace time.Duration) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		id := fmt.Sprintf("evt_p%dn%d", p, i)
		for !l.publish(id) {
			<-tick.C
		}
	}
}

// publish tries once and says whether the event is settled.
func (l *load) publish(id string) bool {
	body := event{typ: "load.made", id: id, data: fmt.Sprintf(`{"id":%q}`, id)}.json()
	got, err := l.api.Load().send("POST", l.path, body)
	if err != nil {
		return false // the server is down or went down: nothing was promised
	}
	var p published
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case got.status == http.StatusAccepted && json.Unmarshal(got.body, &p) == nil && p.ID == id && p.UID != "":
		l.ledger[id] = p.UID
		return true
	case got.status >= 500 || got.status == http.StatusTooManyRequests:
		return false
	default:
		l.wrong = append(l.wrong, fmt.Sprintf("%s: %d %s", id, got.status, clip(got.body)))
		return true
	}
}

// end stops the publishers, each after its present event is acknowledged, and returns the ledger.
func (l *load) end(t testing.TB) map[string]string {
	t.Helper()
	close(l.stop)
	l.wg.Wait()
	for _, w := range l.wrong {
		t.Errorf("publish %s", w)
	}
	return l.ledger
}

// taker is a receiver's view of a load: when it answered 200 to which event.
type taker struct {
	sink *sink
	mu   sync.Mutex
	took map[string][]time.Time
}

// newTaker answers 200; the events whose id hashes to a multiple of oneIn get a 500 at their first request.
func newTaker(rc *receiver, name string, oneIn uint32) *taker {
	k := &taker{took: map[string][]time.Time{}}
	refused := map[string]bool{}
	k.sink = rc.sink(name, func(r request) answer {
		var body struct{ ID string }
		if json.Unmarshal(r.body, &body) != nil {
			return answer{status: http.StatusBadRequest}
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if oneIn > 0 && crc32.ChecksumIEEE([]byte(body.ID))%oneIn == 0 && !refused[body.ID] {
			refused[body.ID] = true
			return answer{status: http.StatusInternalServerError}
		}
		k.took[body.ID] = append(k.took[body.ID], r.at)
		return answer{status: http.StatusOK}
	})
	return k
}

// taken is how many different events were taken.
func (k *taker) taken() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.took)
}

// missing is one event of the ledger that never arrived; "" when all did.
func (k *taker) missing(ledger map[string]string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id := range ledger {
		if len(k.took[id]) == 0 {
			return id
		}
	}
	return ""
}

// extra are the second and further acceptances of one event: how many there are, and those whose predecessor was not
// taken within the given time before one of the moments (or after it, from a socket's buffer): they have no excuse.
func (k *taker) extra(moments []time.Time, before time.Duration) (count int, unexcused []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, times := range k.took {
		for _, at := range times[:len(times)-1] {
			count++
			excused := false
			for _, m := range moments {
				excused = excused || at.After(m.Add(-before)) && at.Before(m.Add(before))
			}
			if !excused {
				unexcused = append(unexcused, fmt.Sprintf("%s %s", id, at.Format(time.RFC3339Nano)))
			}
		}
	}
	return count, unexcused
}

// runFor lets a load run for a while.
func runFor(d time.Duration) { <-time.After(d) }
