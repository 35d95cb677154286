package dispatch

import (
	"slices"
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// deliveries makes a pending set with n deliveries that are due and taken out of the due queue, oldest first.
func deliveries(t fataler, n int) (*state.Pending, []uint32) {
	t.Helper()
	s, seq := state.New(), eventlog.Seq(0)
	apply := func(typ eventlog.Type, f interface{ AppendFacts([]byte) []byte }, sections int) {
		seq++
		r := eventlog.Record{Seq: seq, Type: typ, Time: 1, Tenant: "a", Facts: f.AppendFacts(nil)}
		for range sections {
			r.Sections = append(r.Sections, eventlog.NewSection([]byte("x")))
		}
		if err := s.Apply(&r); err != nil {
			t.Fatalf("%v", err)
		}
	}
	apply(record.TypeProfileDefined, &record.ProfileDefined{Name: "p", Version: 1}, 1)
	apply(record.TypeTenantCreated, &record.Tenant{Profile: 1}, 1)
	apply(record.TypeEndpointCreated, &record.Endpoint{Number: 1}, 2)
	for range n {
		apply(record.TypeEventPublished, &record.EventPublished{Matches: []record.Match{{Endpoint: 3}}}, 0)
	}
	s.Pending.Arm()
	handles := make([]uint32, n)
	for i := range handles {
		handles[i], _ = s.Pending.PopDue(1)
	}
	return s.Pending, handles
}

// hall is lanes and a stock of deliveries for them.
type hall struct {
	*Lanes
	t     fataler
	stock []uint32
}

func newHall(t fataler, max, stock int) *hall {
	p, handles := deliveries(t, stock)
	return &hall{Lanes: New(p, max), t: t, stock: handles}
}

// fill puts n deliveries into a lane and returns their handles.
func (h *hall) fill(l *Lane, n int) []uint32 {
	in := h.stock[:n]
	h.stock = h.stock[n:]
	for _, d := range in {
		h.Add(l, d)
	}
	return in
}

// start starts all that may start.
func (h *hall) start() (starts []Start) {
	for {
		s, ok := h.Next()
		if !ok {
			return starts
		}
		starts = append(starts, s)
	}
}

func handles(starts []Start) (out []uint32) {
	for _, s := range starts {
		out = append(out, s.Handle)
	}
	return out
}

// A lane starts as many as it is wide, oldest first; each that ends lets the next one go.
func TestLaneWidth(t *testing.T) {
	for _, width := range []int{1, 2, DefaultConcurrency, 256} {
		h := newHall(t, 4096, 600)
		l := h.NewLane(width)
		in := h.fill(l, 600)
		starts := h.start()
		if !slices.Equal(handles(starts), in[:width]) {
			t.Fatalf("width %d: started %d, want the %d oldest", width, len(starts), width)
		}
		if l.Flying() != width || h.Flying() != width || l.Waiting() != 600-width {
			t.Errorf("width %d: %d in its lane, %d in all, %d waiting", width, l.Flying(), h.Flying(), l.Waiting())
		}
		for i := range 5 {
			h.Done(starts[0], Failed)
			starts = append(starts[1:], h.start()...)
			if last := starts[len(starts)-1].Handle; len(starts) != width || last != in[width+i] {
				t.Fatalf("width %d: %d fly, the last is %d, want %d", width, len(starts), last, in[width+i])
			}
		}
	}
}

// O-21, promise 7: lanes take turns, however much waits in one of them.
func TestLanesTakeTurns(t *testing.T) {
	h := newHall(t, 4096, 1000)
	a, b, c := h.NewLane(256), h.NewLane(256), h.NewLane(256)
	h.fill(a, 900)
	h.fill(b, 3)
	h.fill(c, 2)
	var order []*Lane
	for range 8 {
		s, _ := h.Next()
		order = append(order, s.Lane)
	}
	if want := []*Lane{a, b, c, a, b, c, a, b}; !slices.Equal(order, want) {
		t.Error("lanes did not take turns")
	}
	h.fill(c, 1) // back in the round at once
	s, _ := h.Next()
	if s2, _ := h.Next(); s.Lane != a || s2.Lane != c {
		t.Error("a lane that has work again is not the next after those that wait")
	}
}

// One slot over all, and not one more than Max.
func TestMaxInFlight(t *testing.T) {
	h := newHall(t, 10, 100)
	for range 5 {
		h.fill(h.NewLane(8), 20)
	}
	starts := h.start()
	if len(starts) != 10 || h.Flying() != 10 {
		t.Fatalf("%d started, %d fly, want 10", len(starts), h.Flying())
	}
	for _, s := range starts[:4] {
		h.Done(s, Succeeded)
	}
	if again := h.start(); len(again) != 4 {
		t.Errorf("%d started in 4 free slots", len(again))
	}
}

// After a timeout a lane is 1 wide; each success doubles it up to its width; a failure or an interruption changes
// nothing; another timeout begins again.
func TestNarrowsAndRegrows(t *testing.T) {
	h := newHall(t, 4096, 2000)
	l := h.NewLane(12)
	h.fill(l, 1500)
	flying := h.start()
	end := func(e End) {
		h.Done(flying[0], e)
		flying = append(flying[1:], h.start()...)
	}
	drain := func() {
		for len(flying) > 1 {
			end(Failed)
		}
	}
	end(TimedOut)
	if len(flying) != 11 || !l.slow() {
		t.Fatalf("%d fly after a timeout (slow: %v), want the 11 that were under way, slow", len(flying), l.slow())
	}
	drain()
	for i, step := range []struct {
		end   End
		width int
		slow  bool
	}{
		{Failed, 1, true}, {Interrupted, 1, true},
		{Succeeded, 2, true}, {Failed, 2, true}, {Succeeded, 4, true}, {Interrupted, 4, true}, {Succeeded, 8, true}, {Succeeded, 12, false},
		{Succeeded, 12, false}, {Failed, 12, false},
	} {
		end(step.end)
		if len(flying) != step.width || l.slow() != step.slow {
			t.Fatalf("step %d: %d fly, slow %v, want %d, %v", i, len(flying), l.slow(), step.width, step.slow)
		}
	}
	end(TimedOut)
	drain()
	if end(Failed); len(flying) != 1 || !l.slow() {
		t.Errorf("after the second timeout %d fly, want 1", len(flying))
	}
}

// A lane that is 1 wide by configuration is slow after a timeout and healthy after one success.
func TestLaneOfOne(t *testing.T) {
	h := newHall(t, 10, 20)
	l := h.NewLane(1)
	h.fill(l, 10)
	for _, step := range []struct {
		end  End
		slow bool
	}{{Succeeded, false}, {Failed, false}, {TimedOut, true}, {Failed, true}, {Succeeded, false}} {
		s, ok := h.Next()
		if _, second := h.Next(); !ok || second {
			t.Fatalf("started: %v, a second one: %v", ok, second)
		}
		h.Done(s, step.end)
		if l.slow() != step.slow {
			t.Fatalf("slow %v after %d, want %v", l.slow(), step.end, step.slow)
		}
	}
}

// timeOut makes a lane slow: its first attempt times out.
func (h *hall) timeOut(l *Lane) {
	h.t.Helper()
	h.fill(l, 1)
	h.turns = 0 // not the turn of the slow ones
	s, ok := h.Next()
	if !ok || s.Lane != l {
		h.t.Fatalf("the lane did not start")
	}
	h.Done(s, TimedOut)
}

// Slow lanes together get at most half of all slots, and but every 16th turn while a healthy lane could start.
func TestSlowLanesShareHalf(t *testing.T) {
	h := newHall(t, 20, 500)
	for range 30 {
		l := h.NewLane(8)
		h.timeOut(l)
		h.fill(l, 3)
	}
	starts := h.start()
	if len(starts) != 10 {
		t.Fatalf("%d slow attempts of 20 slots, want half", len(starts))
	}
	healthy := h.NewLane(50)
	h.fill(healthy, 50)
	if more := h.start(); len(more) != 10 {
		t.Fatalf("%d healthy attempts beside 10 slow ones in 20 slots", len(more))
	}
	h.Done(starts[0], TimedOut)
	s, ok := h.Next()
	if !ok || s.Lane != healthy {
		t.Error("a slow lane went before a healthy one")
	}
}

// A slot counts in the class that its lane had at the start: what becomes slow, or healthy, while it flies is not
// counted twice or never.
func TestSlotsAreCountedByTheClassAtTheStart(t *testing.T) {
	h := newHall(t, 8, 100)
	l := h.NewLane(4)
	h.fill(l, 50)
	first := h.start()
	h.Done(first[0], TimedOut) // three healthy starts of a lane that is slow now
	for _, s := range first[1:] {
		h.Done(s, Succeeded) // 2, 4: healthy again after two
	}
	if h.slow != 0 || h.flying != 0 {
		t.Fatalf("%d slow, %d in all are counted, none flies", h.slow, h.flying)
	}
	second := h.start()
	h.Done(second[0], TimedOut)
	for _, s := range second[1:] {
		h.Done(s, TimedOut)
	}
	third := h.start()
	if len(third) != 1 || h.slow != 1 {
		t.Fatalf("%d started, %d counted slow, want 1", len(third), h.slow)
	}
	for _, want := range []int{2, 4} {
		h.Done(third[0], Succeeded)
		third = append(third[1:], h.start()...)
		if len(third) != want {
			t.Fatalf("%d fly, want %d", len(third), want)
		}
	}
	for _, s := range third {
		h.Done(s, Failed)
	}
	if h.slow != 0 {
		t.Errorf("%d slow slots are never given back", h.slow)
	}
}

// A lane that waits among the slow ones and gets well is among the healthy ones at once: it starts although slow lanes
// hold their whole half.
func TestWellAgainWhileWaiting(t *testing.T) {
	h := newHall(t, 4, 50)
	l, slow := h.NewLane(4), h.NewLane(4)
	h.timeOut(l)
	h.timeOut(slow)
	h.fill(l, 10)
	mine, _ := h.Next()
	h.Done(mine, Succeeded) // 2 wide
	h.fill(slow, 3)
	flying := h.start() // one of each: slow ones hold half of the slots, and l waits for another turn
	if len(flying) != 2 || flying[0].Lane != l || flying[1].Lane != slow {
		t.Fatalf("%d started", len(flying))
	}
	h.Done(flying[0], Succeeded) // 4 wide: well again
	if got := h.start(); len(got) != 3 || slices.ContainsFunc(got, func(s Start) bool { return s.Lane != l || s.slow }) {
		t.Errorf("%d started, want 3 of the lane that is well again", len(got))
	}
}

// What is taken out while it waits does not start; the rest does, in order. An emptied lane is passed over.
func TestRemoveWhileWaiting(t *testing.T) {
	h := newHall(t, 100, 20)
	a, b := h.NewLane(8), h.NewLane(8)
	in := h.fill(a, 5)
	other := h.fill(b, 1)
	h.Remove(a, in[0])
	h.Remove(a, in[2])
	h.Remove(a, in[4])
	if got, want := handles(h.start()), []uint32{in[1], other[0], in[3]}; !slices.Equal(got, want) {
		t.Fatalf("started %v, want %v", got, want)
	}
	h.Remove(a, h.fill(a, 1)[0])
	if got := h.start(); len(got) != 0 {
		t.Fatalf("%d started out of an empty lane", len(got))
	}
	last := h.fill(a, 1)
	if got := handles(h.start()); !slices.Equal(got, last) {
		t.Errorf("after it was empty the lane started %v, want %v", got, last)
	}
}

// a closed gate empties a lane, oldest first, without a slot.
func TestShift(t *testing.T) {
	h := newHall(t, 2, 20)
	l := h.NewLane(1)
	in := h.fill(l, 4)
	starts := h.start()
	var out []uint32
	for {
		d, ok := h.Shift(l)
		if !ok {
			break
		}
		out = append(out, d)
	}
	if !slices.Equal(out, in[1:]) || l.Waiting() != 0 {
		t.Fatalf("shifted %v, want %v", out, in[1:])
	}
	h.Done(starts[0], Succeeded)
	if got := h.start(); len(got) != 0 || h.Flying() != 0 {
		t.Errorf("%d started, %d fly", len(got), h.Flying())
	}
}

// A lane's width may change while it works: wider at once, narrower as its attempts end; a slow one stays narrow.
func TestResize(t *testing.T) {
	h := newHall(t, 100, 200)
	l := h.NewLane(2)
	h.fill(l, 100)
	flying := h.start()
	h.Resize(l, 5)
	if flying = append(flying, h.start()...); len(flying) != 5 {
		t.Fatalf("%d fly after widening, want 5", len(flying))
	}
	h.Resize(l, 1)
	for want := 4; want >= 1; want-- {
		h.Done(flying[0], Succeeded)
		flying = append(flying[1:], h.start()...)
		if len(flying) != want {
			t.Fatalf("%d fly after narrowing, want %d", len(flying), want)
		}
	}
	h.Resize(l, 8)
	h.Done(flying[0], TimedOut)
	h.Resize(l, 256)
	if flying = h.start(); len(flying) != 1 {
		t.Fatalf("a slow lane was widened to %d", len(flying))
	}
	h.Done(flying[0], Succeeded)
	h.Resize(l, 1)
	if flying = h.start(); len(flying) != 1 {
		t.Fatalf("%d fly in a lane of 1", len(flying))
	}
	h.Done(flying[0], Succeeded)
	if l.slow() {
		t.Error("a lane of 1 is still slow after a success")
	}
}
