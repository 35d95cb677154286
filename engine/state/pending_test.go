package state

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// crowd is the model of Pending: plain maps and slices, everything found by looking at everything.
type crowd struct {
	p    *Pending
	in   map[record.Ref]*Delivery // nothing but Seq, Ord and Due counts
	at   map[record.Ref]string    // queue, lane 0, lane 1, parked, taken, flying
	lane [3][]record.Ref          // two lanes and the parked ones, oldest first
	list [3]List
	next eventlog.Seq
	gone []record.Ref
}

func newCrowd() *crowd {
	c := &crowd{p: newPending(), in: map[record.Ref]*Delivery{}, at: map[record.Ref]string{}}
	c.p.Arm()
	return c
}

func (c *crowd) add(n int, due int64) {
	c.next++
	for ord := range n {
		d := Delivery{Seq: c.next, Ord: uint16(ord), Due: due}
		c.p.add(d)
		c.in[d.Ref()], c.at[d.Ref()] = &d, "queue"
	}
}

// refs are those in one of the places, oldest first, so that rapid draws the same again.
func (c *crowd) refs(places ...string) []record.Ref {
	var out []record.Ref
	for r := range c.in {
		if len(places) == 0 || slices.Contains(places, c.at[r]) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b record.Ref) int { return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Ord, b.Ord)) })
	return out
}

// firstDue is the first in the queue: by due, then the older delivery.
func (c *crowd) firstDue() (first *Delivery) {
	for _, r := range c.refs("queue") {
		if d := c.in[r]; first == nil || d.Due < first.Due {
			first = d
		}
	}
	return first
}

func (c *crowd) handle(t *rapid.T, r record.Ref) uint32 {
	h, ok := c.p.Find(r)
	if !ok || c.p.At(h).Ref() != r {
		t.Fatalf("%v is not found", r)
	}
	return h
}

func (c *crowd) unlist(t *rapid.T, r record.Ref) {
	for i := range c.lane {
		if n := slices.Index(c.lane[i], r); n >= 0 {
			c.p.Unlink(&c.list[i], c.handle(t, r))
			c.lane[i] = slices.Delete(c.lane[i], n, n+1)
			c.at[r] = "taken"
		}
	}
}

func (c *crowd) remove(t *rapid.T, r record.Ref) {
	c.unlist(t, r)
	c.p.remove(c.handle(t, r))
	delete(c.in, r)
	delete(c.at, r)
	c.gone = append(c.gone, r)
}

func (c *crowd) pick(t *rapid.T, from []record.Ref) (r record.Ref, ok bool) {
	if len(from) == 0 {
		return r, false
	}
	return rapid.SampledFrom(from).Draw(t, "ref"), true
}

func (c *crowd) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"add": func(t *rapid.T) {
			c.add(rapid.SampledFrom([]int{1, 1, 3, 40}).Draw(t, "matches"), rapid.Int64Range(1, 50).Draw(t, "due"))
		},
		"add many": func(t *rapid.T) {
			c.add(rapid.IntRange(300, 900).Draw(t, "matches"), rapid.Int64Range(40, 60).Draw(t, "due"))
		},
		"remove": func(t *rapid.T) {
			if r, ok := c.pick(t, c.refs()); ok {
				c.remove(t, r)
			}
		},
		"remove many": func(t *rapid.T) {
			all := c.refs()
			part := rapid.IntRange(1, 8).Draw(t, "one in")
			for i, r := range all {
				if i%part == 0 {
					c.remove(t, r)
				}
			}
		},
		"pop due": func(t *rapid.T) {
			now := rapid.Int64Range(0, 60).Draw(t, "now")
			want := c.firstDue()
			h, ok := c.p.PopDue(now)
			if (want != nil && want.Due <= now) != ok {
				t.Fatalf("PopDue(%d) = %v, first due %+v", now, ok, want)
			}
			if !ok {
				return
			}
			if got := c.p.At(h).Ref(); got != want.Ref() {
				t.Fatalf("PopDue(%d) = %v, want %v", now, got, want.Ref())
			}
			c.at[want.Ref()] = "taken"
		},
		"move on": func(t *rapid.T) {
			r, ok := c.pick(t, c.refs("taken"))
			if !ok {
				return
			}
			h := c.handle(t, r)
			switch to := rapid.IntRange(0, 4).Draw(t, "to"); to {
			case 0:
				c.p.Requeue(h)
				c.at[r] = "queue"
			case 1:
				c.p.Fly(h)
				c.at[r] = "flying"
			case 2:
				c.p.Park(&c.list[2], h)
				c.lane[2], c.at[r] = append(c.lane[2], r), "parked"
			default:
				c.p.Push(&c.list[to-3], h)
				c.lane[to-3], c.at[r] = append(c.lane[to-3], r), "ready"
			}
		},
		"shift": func(t *rapid.T) {
			i := rapid.IntRange(0, 2).Draw(t, "list")
			h, ok := c.p.Shift(&c.list[i])
			if ok != (len(c.lane[i]) > 0) {
				t.Fatalf("Shift = %v of %d", ok, len(c.lane[i]))
			}
			if !ok {
				return
			}
			if got := c.p.At(h).Ref(); got != c.lane[i][0] {
				t.Fatalf("Shift = %v, want the oldest, %v", got, c.lane[i][0])
			}
			c.at[c.lane[i][0]], c.lane[i] = "taken", c.lane[i][1:]
		},
		"unlink": func(t *rapid.T) {
			if r, ok := c.pick(t, c.refs("ready", "parked")); ok {
				c.unlist(t, r)
			}
		},
		"back to the queue": func(t *rapid.T) { // what an attempt's next due time does
			r, ok := c.pick(t, c.refs("flying"))
			if !ok {
				return
			}
			h := c.handle(t, r)
			due := rapid.Int64Range(1, 60).Draw(t, "due")
			c.p.dequeue(h)
			c.p.At(h).Due, c.in[r].Due = due, due
			c.p.enqueue(h)
			c.at[r] = "queue"
		},
		"": c.check,
	}
}

func (c *crowd) check(t *rapid.T) {
	if c.p.Len() != len(c.in) {
		t.Fatalf("Len = %d, want %d", c.p.Len(), len(c.in))
	}
	for i := range c.list {
		if c.list[i].Len() != len(c.lane[i]) {
			t.Fatalf("list %d: Len = %d, want %d", i, c.list[i].Len(), len(c.lane[i]))
		}
	}
	seen := 0
	c.p.All(func(h uint32, d *Delivery) bool {
		seen++
		want := c.in[d.Ref()]
		if want == nil || want.Due != d.Due {
			t.Fatalf("%v is there, due %d, want %+v", d.Ref(), d.Due, want)
		}
		at := c.at[d.Ref()]
		if d.Ready() != (at == "ready") || d.Parked() != (at == "parked") || d.Flying() != (at == "flying") || (d.where == queued) != (at == "queue") {
			t.Fatalf("%v is at %d, want %s", d.Ref(), d.where, at)
		}
		if got, ok := c.p.Find(d.Ref()); !ok || got != h {
			t.Fatalf("Find(%v) = %d, %v, want %d", d.Ref(), got, ok, h)
		}
		return true
	})
	if seen != len(c.in) {
		t.Fatalf("All tells %d, want %d", seen, len(c.in))
	}
	for _, r := range append(c.gone[max(0, len(c.gone)-50):], record.Ref{Seq: c.next + 1}) {
		if h, ok := c.p.Find(r); ok {
			t.Fatalf("%v is found at %d, it is gone", r, h)
		}
	}
	first := c.firstDue()
	if due, ok := c.p.NextDue(); ok != (first != nil) || ok && due != first.Due {
		t.Fatalf("NextDue = %d, %v, want %+v", due, ok, first)
	}
}

// Slab, index, due queue and lists together, against the model: thousands of deliveries, growth included, ended in any
// order and from any place.
func TestPendingAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { t.Repeat(newCrowd().actions()) })
}

// The same with more deliveries than a chunk and several growths of the index hold, half of them ended in random order
// between: every one is found until it is removed, and never after.
func TestPendingGrowth(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	p := newPending()
	p.Arm()
	var live []record.Ref
	const n = 5 * chunkSize
	for seq := eventlog.Seq(1); seq <= n; seq++ {
		d := Delivery{Seq: seq * 4096, Ord: uint16(seq % 3), Due: rnd.Int64N(1000)}
		p.add(d)
		live = append(live, d.Ref())
		if rnd.IntN(2) == 0 {
			i := rnd.IntN(len(live))
			h, ok := p.Find(live[i])
			if !ok {
				t.Fatalf("%v is not found", live[i])
			}
			p.remove(h)
			if _, ok := p.Find(live[i]); ok {
				t.Fatalf("%v is found after its removal", live[i])
			}
			live[i] = live[len(live)-1]
			live = live[:len(live)-1]
		}
	}
	for _, r := range live {
		if h, ok := p.Find(r); !ok || p.At(h).Ref() != r {
			t.Fatalf("%v is not found", r)
		}
	}
	if p.Len() != len(live) || int(p.used) > n*3/4 {
		t.Errorf("%d pending in %d slots, want %d in fewer than %d: slots are used again", p.Len(), p.used, len(live), n*3/4)
	}
	last := int64(-1)
	for range live {
		h, ok := p.PopDue(1000)
		if !ok || p.At(h).Due < last {
			t.Fatalf("due %d after %d, %v", p.At(h).Due, last, ok)
		}
		last = p.At(h).Due
	}
}

// A pending delivery is one cache line.
func TestDeliveryIs64Bytes(t *testing.T) {
	if n := unsafe.Sizeof(Delivery{}); n != 64 {
		t.Errorf("%d bytes, want 64", n)
	}
}

// While a log is folded nothing is queued; Arm queues what is left, and may be called again.
func TestArm(t *testing.T) {
	p := newPending()
	for seq := eventlog.Seq(1); seq <= 3; seq++ {
		p.add(Delivery{Seq: seq, Due: int64(10 - seq)})
	}
	h, _ := p.Find(record.Ref{Seq: 3})
	p.remove(h)
	if _, ok := p.NextDue(); ok {
		t.Fatal("something is due while folding")
	}
	p.Arm()
	p.Arm()
	for _, want := range []eventlog.Seq{2, 1} {
		h, ok := p.PopDue(10)
		if !ok || p.At(h).Seq != want {
			t.Fatalf("popped %+v, %v, want %d", p.At(h), ok, want)
		}
	}
	if _, ok := p.PopDue(10); ok {
		t.Error("queued twice")
	}
}
