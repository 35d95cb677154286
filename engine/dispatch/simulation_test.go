package dispatch

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Promise 7: 500 endpoints that hang, each with a backlog, and 100 healthy ones: no healthy delivery ever waits for a
// slot, from the first moment on, and the hanging ones are still tried, in turns.
func TestHangingEndpointsDelayNobody(t *testing.T) {
	const (
		hanging, healthy = 500, 90
		timeout, quick   = 300, 1 // ticks of 100 ms
		ticks            = 3000   // 5 min
	)
	h := newHall(t, 4096, hanging*60+healthy*ticks)
	bad, starts := make([]*Lane, hanging), map[*Lane]int{}
	for i := range bad {
		bad[i] = h.NewLane(DefaultConcurrency)
		h.fill(bad[i], 60)
	}
	good, isGood := make([]*Lane, healthy), map[*Lane]bool{}
	for i := range good {
		good[i] = h.NewLane(DefaultConcurrency)
		isGood[good[i]] = true
	}
	ends := map[int][]Start{}
	for now := range ticks {
		for _, s := range ends[now] {
			if isGood[s.Lane] {
				h.Done(s, Succeeded)
			} else {
				h.Done(s, TimedOut)
			}
		}
		delete(ends, now)
		for _, l := range good {
			h.fill(l, 1)
		}
		for _, s := range h.start() {
			starts[s.Lane]++
			took := timeout
			if isGood[s.Lane] {
				took = quick
			}
			ends[now+took] = append(ends[now+took], s)
		}
		for i, l := range good {
			if l.Waiting() > 0 {
				t.Fatalf("tick %d: healthy lane %d waits with %d, %d fly", now, i, l.Waiting(), h.Flying())
			}
		}
		if now > timeout && h.Flying() > hanging+healthy {
			t.Fatalf("tick %d: %d fly, want one for each hanging endpoint and the healthy ones", now, h.Flying())
		}
	}
	for i, l := range bad {
		if got, want := starts[l], DefaultConcurrency+ticks/timeout-1; got != want {
			t.Errorf("hanging endpoint %d was tried %d times, want %d", i, got, want)
		}
	}
}

// Many more slow endpoints than half of the slots: they share that half in turns, each as often as any other.
func TestSlowLanesAreFairAmongThemselves(t *testing.T) {
	const lanes, half, rounds = 75, 10, 40
	h := newHall(t, 2*half, lanes*(rounds+1))
	starts := map[*Lane]int{}
	for range lanes {
		l := h.NewLane(4)
		h.timeOut(l)
		h.fill(l, rounds)
		starts[l] = 0
	}
	flying := h.start()
	for range lanes * rounds / 2 {
		starts[flying[0].Lane]++
		h.Done(flying[0], TimedOut)
		if flying = append(flying[1:], h.start()...); len(flying) != half {
			t.Fatalf("%d fly, want %d", len(flying), half)
		}
	}
	for _, n := range starts {
		if n < rounds/2-1 || n > rounds/2+1 {
			t.Errorf("a lane was tried %d times, want %d", n, rounds/2)
		}
	}
}

// model knows the rules of lanes, and what waits and flies, without rings or lists.
type model struct {
	h      *hall
	lanes  []*Lane
	what   map[*Lane]*modelLane
	flying []Start
}

type modelLane struct {
	waiting     []uint32
	full, width int
	late        bool
	flying      int
	overtaken   map[*Lane]int // starts of others of its class since it could start
}

func (m *modelLane) open() bool { return len(m.waiting) > 0 && m.flying < m.width }

func (m *model) slowFlying() (n int) {
	for _, s := range m.flying {
		if s.slow {
			n++
		}
	}
	return n
}

// could says whether a lane of the class could start.
func (m *model) could(late bool) bool {
	return slices.ContainsFunc(m.lanes, func(l *Lane) bool { return m.what[l].late == late && m.what[l].open() })
}

// settle forgets who was overtaken where a lane cannot start any more.
func (m *model) settle() {
	for _, l := range m.lanes {
		if x := m.what[l]; !x.open() {
			clear(x.overtaken)
		}
	}
}

func (m *model) next(t *rapid.T) {
	s, ok := m.h.Next()
	free := len(m.flying) < m.h.Max
	want := free && (m.could(false) || m.could(true) && m.slowFlying() < m.h.Max/2)
	if ok != want {
		t.Fatalf("Next = %v, want %v: %d fly, %d slow, healthy could %v, slow could %v", ok, want, len(m.flying), m.slowFlying(), m.could(false), m.could(true))
	}
	if !ok {
		return
	}
	x := m.what[s.Lane]
	if !x.open() || s.Handle != x.waiting[0] || s.slow != x.late || s.slow && m.could(false) && m.h.turns%slowTurn != 0 {
		t.Fatalf("started %d of %+v (slow %v), healthy could %v", s.Handle, x, s.slow, m.could(false))
	}
	for _, l := range m.lanes {
		if o := m.what[l]; l != s.Lane && o.open() && o.late == x.late {
			if o.overtaken[s.Lane]++; o.overtaken[s.Lane] > 2 {
				t.Fatalf("a lane that could start was overtaken three times by the same other one")
			}
		}
	}
	clear(x.overtaken)
	x.waiting, x.flying = x.waiting[1:], x.flying+1
	m.flying = append(m.flying, s)
	m.settle()
}

func (m *model) done(t *rapid.T) {
	if len(m.flying) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.flying)-1).Draw(t, "which")
	s, end := m.flying[i], rapid.SampledFrom([]End{Succeeded, Succeeded, Failed, TimedOut, Interrupted}).Draw(t, "end")
	m.flying = slices.Delete(m.flying, i, i+1)
	m.h.Done(s, end)
	x := m.what[s.Lane]
	x.flying--
	was := x.late
	switch end {
	case TimedOut:
		x.width, x.late = 1, true
	case Succeeded:
		if x.width = min(x.full, 2*x.width); x.width == x.full {
			x.late = false
		}
	}
	if x.late != was {
		clear(x.overtaken)
	}
	m.h.stock = append(m.h.stock, s.Handle)
	m.settle()
}

// Whatever happens in whatever order: a slot is never left empty while something may start in it, never given twice,
// slow lanes keep to their half, healthy ones go first, a lane keeps its order and width, and lanes take turns.
func TestLanesAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{h: newHall(t, rapid.IntRange(2, 24).Draw(t, "max"), 300), what: map[*Lane]*modelLane{}}
		for range rapid.IntRange(1, 6).Draw(t, "lanes") {
			width := rapid.SampledFrom([]int{1, 2, 3, 8}).Draw(t, "width")
			l := m.h.NewLane(width)
			m.lanes = append(m.lanes, l)
			m.what[l] = &modelLane{full: width, width: width, overtaken: map[*Lane]int{}}
		}
		lane := func(t *rapid.T) (*Lane, *modelLane) {
			l := rapid.SampledFrom(m.lanes).Draw(t, "lane")
			return l, m.what[l]
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				l, x := lane(t)
				x.waiting = append(x.waiting, m.h.fill(l, min(len(m.h.stock), rapid.IntRange(1, 9).Draw(t, "n")))...)
			},
			"next": m.next, "next again": m.next, "done": m.done, "done again": m.done,
			"remove": func(t *rapid.T) {
				l, x := lane(t)
				if len(x.waiting) == 0 {
					return
				}
				i := rapid.IntRange(0, len(x.waiting)-1).Draw(t, "which")
				m.h.Remove(l, x.waiting[i])
				m.h.stock = append(m.h.stock, x.waiting[i])
				x.waiting = slices.Delete(x.waiting, i, i+1)
				m.settle()
			},
			"shift": func(t *rapid.T) {
				l, x := lane(t)
				d, ok := m.h.Shift(l)
				if ok != (len(x.waiting) > 0) || ok && d != x.waiting[0] {
					t.Fatalf("Shift = %d, %v of %v", d, ok, x.waiting)
				}
				if ok {
					m.h.stock, x.waiting = append(m.h.stock, d), x.waiting[1:]
				}
				m.settle()
			},
			"resize": func(t *rapid.T) {
				l, x := lane(t)
				x.full = rapid.SampledFrom([]int{1, 4, 9}).Draw(t, "width")
				if x.width = min(x.width, x.full); !x.late {
					x.width = x.full
				}
				m.h.Resize(l, x.full)
				m.settle()
			},
			"": func(t *rapid.T) {
				if m.h.Flying() != len(m.flying) || m.h.slow != m.slowFlying() {
					t.Fatalf("%d fly, %d of them slow, want %d, %d", m.h.Flying(), m.h.slow, len(m.flying), m.slowFlying())
				}
				for _, l := range m.lanes {
					if x := m.what[l]; l.Waiting() != len(x.waiting) || l.Flying() != x.flying || l.width != x.width || l.slow() != x.late {
						t.Fatalf("a lane has %d waiting, %d flying, width %d, slow %v, want %+v", l.Waiting(), l.Flying(), l.width, l.slow(), x)
					}
				}
			},
		})
	})
}

// A turn costs nothing but itself, however many lanes have work.
func BenchmarkNextDone(b *testing.B) {
	h := newHall(b, 4096, 40_000)
	for range 5000 {
		h.fill(h.NewLane(DefaultConcurrency), 8)
	}
	flying := h.start()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s := &flying[i%len(flying)]
		h.Done(*s, Succeeded)
		h.Add(s.Lane, s.Handle)
		next, ok := h.Next()
		if !ok {
			b.Fatal("nothing may start")
		}
		*s = next
	}
}
