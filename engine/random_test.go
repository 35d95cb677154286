package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

// walk is a random life of an engine: everything a person can do, at any moment, with receivers and plugins of all
// moods and clean restarts in between.
type walk struct {
	*rig
	rnd        *rand.Rand
	endpoints  []Endpoint
	deliveries []string
}

// In a random life nothing is lost, nothing is in limbo, nothing is sent that is not recorded, attempts are numbered
// without a gap, and the state stays the fold of the log.
func TestRandomLife(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := &walk{rig: newRig(t, func(c *Config) { c.MaxInFlight = 8 }), rnd: rand.New(rand.NewPCG(seed, 1))}
			w.mood(seed, true)
			w.tenant("osir", "osir")
			w.tenant("dnsimple", "dnsimple")
			for range 150 {
				w.step()
			}
			w.mood(seed, false)
			w.until("the waits of our own are over", func() bool { return w.ownWaits() == 0 }) // no advance waits for the long ones
			for range 3 {
				w.advance(30 * 24 * time.Hour)
			}
			w.checkFold()
			w.checkRoutes()
			w.checkLife()
			w.checkRecoveries()
		})
	}
}

func (w *walk) ownWaits() (n int) {
	err := w.do(w.t.Context(), func(s *sequencer) error { n = len(s.own.short) + len(s.own.long); return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// mood makes receivers answer as they like; faults of ours only if wanted.
func (w *walk) mood(seed uint64, faults bool) {
	var mu sync.Mutex
	rnd := rand.New(rand.NewPCG(seed, 2))
	w.net.answers(func(int, *transports.Request) (transports.Result, error) {
		mu.Lock()
		n := rnd.IntN(100)
		mu.Unlock()
		switch {
		case n < 10 && faults:
			return transports.Result{}, transports.ErrInterrupted
		case n < 20:
			return transports.Result{Outcome: transports.TimedOut, Kind: transports.KindTimeoutResponse}, nil
		case n < 25:
			return status(410), nil
		case n < 60:
			return status(500), nil
		}
		return status(200), nil
	})
}

func (w *walk) step() {
	ctx, by := w.t.Context(), Actor{"walk"}
	ep, d := w.anyEndpoint(), w.anyDelivery()
	var err error
	switch n := w.rnd.IntN(100); {
	case n < 30:
		w.someEvents()
	case n < 50:
		w.advance(time.Duration(w.rnd.Int64N(int64(2 * time.Hour))))
	case n < 62 && len(w.endpoints) < 8:
		tenant := []string{"osir", "dnsimple"}[w.rnd.IntN(2)]
		ep := w.endpoint(tenant, EndpointInput{Concurrency: Some(1 + w.rnd.IntN(3)), Description: Some(tenant)})
		w.endpoints = append(w.endpoints, ep)
	case n < 66 && ep != nil:
		err = w.DeleteEndpoint(ctx, by, ep.Description, ep.ID)
		*ep = w.endpoints[len(w.endpoints)-1]
		w.endpoints = w.endpoints[:len(w.endpoints)-1]
	case n < 70 && ep != nil:
		_, err = w.DisableEndpoint(ctx, by, ep.Description, ep.ID)
	case n < 80 && ep != nil:
		_, err = w.EnableEndpoint(ctx, by, ep.Description, ep.ID)
	case n < 82 && ep != nil:
		_, err = w.UpdateEndpoint(ctx, by, ep.Description, ep.ID, EndpointInput{Concurrency: Some(1 + w.rnd.IntN(3)), RateLimit: w.someRate()})
	case n < 84 && ep != nil:
		err = w.someRecovery(ep)
	case n < 85 && ep != nil:
		on := w.rnd.IntN(2) == 0
		_, err = w.UpdateTenant(ctx, by, ep.Description, TenantInput{ManagementEvents: &on})
	case n < 88 && d != nil:
		_, err = w.CancelDelivery(ctx, by, d[0], d[1])
	case n < 96 && d != nil:
		var again Delivery
		if again, err = w.ResendDelivery(ctx, by, d[0], d[1]); err == nil {
			w.deliveries = append(w.deliveries, d[0]+" "+again.ID)
		}
	case n >= 97:
		w.stop()
		if n == 99 {
			w.removeDerived()
		}
		w.start()
	}
	if e := (*Error)(nil); err != nil && (!errors.As(err, &e) || e.Code != CodeConflict && e.Code != CodeNotFound) {
		w.t.Fatal(err)
	}
}

func (w *walk) anyEndpoint() *Endpoint {
	if len(w.endpoints) == 0 {
		return nil
	}
	return &w.endpoints[w.rnd.IntN(len(w.endpoints))]
}

// anyDelivery is a tenant and a delivery's id.
func (w *walk) anyDelivery() []string {
	if len(w.deliveries) == 0 {
		return nil
	}
	tenant, id, _ := bytes.Cut([]byte(w.deliveries[w.rnd.IntN(len(w.deliveries))]), []byte(" "))
	return []string{string(tenant), string(id)}
}

func (w *walk) someEvents() {
	for _, tenant := range []string{"osir", "dnsimple"} {
		in := make([]PublishInput, 1+w.rnd.IntN(4))
		for i := range in {
			in[i] = PublishInput{Type: "domain.registered", Data: json.RawMessage(fmt.Sprintf(`{"n":%d}`, w.rnd.Uint64()))}
		}
		for _, res := range must(w.Publish(w.t.Context(), tenant, in))(w.t) {
			for _, m := range res.Published.Matched {
				w.deliveries = append(w.deliveries, tenant+" "+m.DeliveryID)
			}
		}
	}
}

// life is what the log tells.
type life struct {
	made  map[record.Ref]int // attempts
	ended map[record.Ref]record.Status
	open  []record.Ref // that ever were
	sent  int          // attempts recorded, interrupted ones included
}

// checkLife reads the whole log and compares it with what was sent.
func (w *walk) checkLife() {
	l := life{made: map[record.Ref]int{}, ended: map[record.Ref]record.Status{}}
	for r, err := range w.log.Read(w.t.Context(), 0) {
		if err == nil {
			err = l.tell(&r)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	canceled := 0
	for _, ref := range l.open {
		switch l.ended[ref] {
		case 0:
			w.t.Errorf("delivery %v has no end", ref)
		case record.Canceled:
			canceled++
		}
	}
	seen, bodies := w.net.requests(), map[string][]byte{}
	// What was interrupted after its delivery had been canceled leaves no record.
	if len(seen) < l.sent || len(seen) > l.sent+canceled {
		w.t.Errorf("%d requests, %d recorded, %d canceled", len(seen), l.sent, canceled)
	}
	for i := range seen {
		if b, ok := bodies[seen[i].EventID]; ok && !bytes.Equal(b, seen[i].Body) {
			w.t.Errorf("event %s was sent with two bodies", seen[i].EventID)
		}
		bodies[seen[i].EventID] = seen[i].Body
	}
	w.t.Logf("%d deliveries, %d requests", len(l.open), len(seen))
}

func (l *life) tell(r *eventlog.Record) error {
	switch r.Type {
	case record.TypeEventPublished:
		var ev record.EventPublished
		if err := ev.Decode(r.Facts); err != nil {
			return err
		}
		for i := range ev.Matches {
			l.open = append(l.open, record.Ref{Seq: r.Seq, Ord: uint16(i)})
		}
	case record.TypeDeliveryCreated:
		l.open = append(l.open, record.Ref{Seq: r.Seq})
	case record.TypeAttemptInterrupted:
		l.sent++
	case record.TypeAttemptFinished:
		return l.attempt(r)
	case record.TypeDeliverySkipped, record.TypeDeliveryCanceled:
		var e record.DeliveriesEnded
		if err := e.Decode(r.Facts); err != nil {
			return err
		}
		for _, ref := range e.Deliveries {
			if l.ended[ref] != 0 {
				return fmt.Errorf("seq %d: %v ends twice", r.Seq, ref)
			}
			if l.ended[ref] = record.Canceled; r.Type == record.TypeDeliverySkipped {
				l.ended[ref] = record.Skipped
			}
		}
	}
	return nil
}

func (l *life) attempt(r *eventlog.Record) error {
	var a record.AttemptFinished
	if err := a.Decode(r.Facts); err != nil {
		return err
	}
	l.sent++
	if l.made[a.Delivery]++; int(a.Number) != l.made[a.Delivery] {
		return fmt.Errorf("seq %d: attempt %d of %v, want %d", r.Seq, a.Number, a.Delivery, l.made[a.Delivery])
	}
	if was := l.ended[a.Delivery]; was != 0 && (was != record.Canceled || a.Status != record.Canceled) {
		return fmt.Errorf("seq %d: an attempt (%s) after the end of %v as %s", r.Seq, a.Status, a.Delivery, was)
	}
	if a.Status != record.Pending {
		l.ended[a.Delivery] = a.Status
	}
	return nil
}
