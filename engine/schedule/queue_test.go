package schedule_test

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/schedule"
)

// waiting owns handles for a queue: dues by handle, equal ones by handle, and what Moved told.
type waiting struct {
	due []int64
	pos map[uint32]int
}

func (w *waiting) Before(a, b uint32) bool {
	if w.due[a] != w.due[b] {
		return w.due[a] < w.due[b]
	}
	return a < b
}

func (w *waiting) Moved(h uint32, pos int) { w.pos[h] = pos }

// least is the model: the whole truth by looking at everything.
func (w *waiting) least(in map[uint32]bool) (h uint32, ok bool) {
	for x := range in {
		if !ok || w.Before(x, h) {
			h, ok = x, true
		}
	}
	return h, ok
}

// Against a model that looks at everything: what is popped is always the first due; what Moved told is where a handle
// is; one that was taken out may come back with another due.
func TestQueueAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "handles")
		dues := rapid.Int64Range(0, int64(rapid.SampledFrom([]int{1, 10, 1e6}).Draw(t, "spread"))) // many equal, or few
		w := &waiting{due: make([]int64, n), pos: map[uint32]int{}}
		q, in := schedule.NewQueue(w), map[uint32]bool{}
		check := func() {
			h, ok := q.Peek()
			want, some := w.least(in)
			if ok != some || ok && h != want || q.Len() != len(in) {
				t.Fatalf("Peek = %d, %v of %d, want %d, %v of %d", h, ok, q.Len(), want, some, len(in))
			}
		}
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			h := uint32(rapid.IntRange(0, n-1).Draw(t, "handle"))
			switch {
			case rapid.IntRange(0, 3).Draw(t, "pop") == 0:
				want, some := w.least(in)
				got, ok := q.Pop()
				if ok != some || ok && got != want {
					t.Fatalf("Pop = %d, %v, want %d, %v", got, ok, want, some)
				}
				delete(in, got)
			case in[h]:
				q.Remove(w.pos[h])
				delete(in, h)
				if rapid.Bool().Draw(t, "again") {
					w.due[h] = dues.Draw(t, "new due")
					q.Push(h)
					in[h] = true
				}
			default:
				w.due[h] = dues.Draw(t, "due")
				q.Push(h)
				in[h] = true
			}
			check()
		}
		for q.Len() > 0 {
			want, _ := w.least(in)
			if got, _ := q.Pop(); got != want {
				t.Fatalf("Pop = %d, want %d", got, want)
			}
			delete(in, want)
			check()
		}
	})
}

// An empty queue has nothing, the last one included.
func TestEmptyQueue(t *testing.T) {
	w := &waiting{due: []int64{5}, pos: map[uint32]int{}}
	q := schedule.NewQueue(w)
	for range 2 {
		if h, ok := q.Pop(); ok {
			t.Fatalf("popped %d of nothing", h)
		}
		if h, ok := q.Peek(); ok {
			t.Fatalf("peeked at %d of nothing", h)
		}
		q.Push(0)
		q.Remove(w.pos[0])
	}
}

// Each handle is popped exactly once and in order, whatever the order of 100 000 pushes.
func TestQueueSorts(t *testing.T) {
	const n = 100_000
	rnd := rand.New(rand.NewPCG(1, 2))
	w := &waiting{due: make([]int64, n), pos: make(map[uint32]int, n)}
	q := schedule.NewQueue(w)
	for _, h := range rnd.Perm(n) {
		w.due[h] = rnd.Int64N(n / 4)
		q.Push(uint32(h))
	}
	last, _ := q.Pop()
	for i := 1; i < n; i++ {
		h, ok := q.Pop()
		if !ok || !w.Before(last, h) {
			t.Fatalf("pop %d: %d (due %d), %v after %d (due %d)", i, h, w.due[h], ok, last, w.due[last])
		}
		last = h
	}
	if h, ok := q.Pop(); ok {
		t.Fatalf("%d is still there", h)
	}
}

// slots is an owner as the engine's: no map, no allocation.
type slots struct {
	due []int64
	pos []int32
}

func (s *slots) Before(a, b uint32) bool {
	return s.due[a] < s.due[b] || s.due[a] == s.due[b] && a < b
}
func (s *slots) Moved(h uint32, pos int) { s.pos[h] = int32(pos) }

// A retry's turn: the first due is taken and comes back later, with a million waiting.
func BenchmarkQueueRequeue(b *testing.B) {
	const n = 1_000_000
	rnd := rand.New(rand.NewPCG(1, 2))
	s := &slots{due: make([]int64, n), pos: make([]int32, n)}
	q := schedule.NewQueue(s)
	for h := range uint32(n) {
		s.due[h] = rnd.Int64N(n)
		q.Push(h)
	}
	b.ReportAllocs()
	for b.Loop() {
		h, _ := q.Pop()
		s.due[h] += rnd.Int64N(n)
		q.Push(h)
	}
}
