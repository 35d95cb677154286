package engine

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

func newBodies() *bodies { return &bodies{kept: map[eventlog.Seq]keptBody{}} }

// nothing is what all bodies here are cut from.
var nothing [bodyBudget]byte

func bodyOf(seq eventlog.Seq, n int) *eventBody {
	return &eventBody{id: fmt.Sprint(seq), typ: "a", body: nothing[:n]}
}

// A body is there for each of its first attempts, and not after the last of them, whether they start or their
// deliveries end in another way.
func TestBodiesForFirstAttempts(t *testing.T) {
	b := newBodies()
	b.put(1, bodyOf(1, 100), 3, 0)
	b.put(2, bodyOf(2, 100), 1, 0)
	for i := range 3 {
		if got := b.take(1); got == nil || got.id != "1" {
			t.Fatalf("first attempt %d: %+v", i, got)
		}
	}
	if got := b.take(1); got != nil {
		t.Error("a body is kept after its last first attempt")
	}
	if got := b.take(99); got != nil {
		t.Errorf("a body that was never put: %+v", got)
	}
	b.end(&state.Delivery{Event: 2, Made: 1}) // its first attempt took the body
	if len(b.kept) != 1 {
		t.Error("the end of a delivery that was attempted drops a body that others wait for")
	}
	b.end(&state.Delivery{Event: 2})
	if len(b.kept) != 0 || b.bytes != 0 {
		t.Errorf("%d bodies, %d bytes are left", len(b.kept), b.bytes)
	}
}

// Over the budget the newest is not kept, unless the oldest has waited for long: then that goes.
func TestBodiesBudget(t *testing.T) {
	const size, extra = 64 << 10, 100
	b, fits := newBodies(), bodyBudget/(size+bodyOverhead)
	has := func(seq int) bool { _, ok := b.kept[eventlog.Seq(seq)]; return ok }
	for seq := 1; seq <= fits+extra; seq++ {
		b.put(eventlog.Seq(seq), bodyOf(eventlog.Seq(seq), size), 1, 1000)
	}
	if len(b.kept) != fits || !has(1) || !has(fits) || has(fits+1) {
		t.Fatalf("%d bodies are kept, want the first %d", len(b.kept), fits)
	}
	next := fits + extra + 1
	if b.put(eventlog.Seq(next), bodyOf(1, size), 1, 1000+bodyStale-1); has(next) || !has(1) {
		t.Error("a body that did not wait for long went for a new one")
	}
	if b.put(eventlog.Seq(next), bodyOf(1, size), 1, 1000+bodyStale); !has(next) || has(1) || !has(2) {
		t.Error("not the oldest alone went for a new one")
	}
	if b.put(1, bodyOf(1, bodyBudget), 1, 1<<40); has(1) || len(b.kept) != 0 {
		t.Error("a body over the budget is kept")
	}
}

// What is small costs too: bodies of one byte for a blocked endpoint do not fill the memory.
func TestSmallBodiesAreBounded(t *testing.T) {
	b := newBodies()
	for seq := eventlog.Seq(1); seq <= bodyBudget/bodyOverhead+1000; seq++ {
		b.put(seq, bodyOf(seq, 1), 1, 0)
	}
	if most := bodyBudget / bodyOverhead; len(b.kept) > most {
		t.Errorf("%d bodies of one byte are kept, want at most %d", len(b.kept), most)
	}
}

// What a long-running engine leaves behind: nothing, though bodies are taken out of order.
func TestBodiesLeaveNothing(t *testing.T) {
	b := newBodies()
	for seq := eventlog.Seq(1); seq <= 60_000; seq++ {
		b.put(seq, bodyOf(seq, 10), 1, 0)
		if seq > 100 && seq%1000 != 0 {
			b.take(seq - 50)
		}
		if len(b.order) > 4096 {
			t.Fatalf("at %d the order holds %d", seq, len(b.order))
		}
	}
	if len(b.kept) > 500 || cap(b.order) > 16_384 {
		t.Errorf("%d bodies kept, room for %d", len(b.kept), cap(b.order))
	}
}

// Against a model: a body is there while first attempts of it are to come, if there was room for it and nobody needed
// its room since; the count of bytes is right.
func TestBodiesAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type body struct {
			starts, size int
			at           int64
		}
		b, model, now := newBodies(), map[eventlog.Seq]body{}, int64(0)
		total := func() (n int) {
			for _, x := range model {
				n += x.size + bodyOverhead
			}
			return n
		}
		oldest := func() (least eventlog.Seq) {
			for seq := range model {
				if least == 0 || seq < least {
					least = seq
				}
			}
			return least
		}
		put := func(seq eventlog.Seq, x body) {
			for total()+x.size+bodyOverhead > bodyBudget {
				old := oldest()
				if old == 0 || now-model[old].at < bodyStale {
					return
				}
				delete(model, old)
			}
			model[seq] = x
		}
		for seq := eventlog.Seq(1); seq <= eventlog.Seq(rapid.IntRange(1, 100).Draw(t, "events")); seq++ {
			now += rapid.Int64Range(0, 2*bodyStale/3).Draw(t, "ms")
			x := body{size: rapid.SampledFrom([]int{1, 256 << 10, 8 << 20, bodyBudget}).Draw(t, "size"), starts: rapid.IntRange(1, 3).Draw(t, "starts"), at: now}
			put(seq, x)
			b.put(seq, bodyOf(seq, x.size), x.starts, now)
			for range rapid.IntRange(0, 3).Draw(t, "takes") {
				which := eventlog.Seq(rapid.IntRange(1, int(seq)).Draw(t, "which"))
				got := b.take(which)
				want, ok := model[which]
				if (got != nil) != ok || ok && len(got.body) != want.size {
					t.Fatalf("take(%d) = %v, want %v, %+v", which, got != nil, ok, want)
				}
				if want.starts--; want.starts > 0 {
					model[which] = want
				} else {
					delete(model, which)
				}
			}
			if b.bytes != total() || len(b.kept) != len(model) {
				t.Fatalf("%d bytes of %d bodies are counted, want %d of %d", b.bytes, len(b.kept), total(), len(model))
			}
		}
	})
}
