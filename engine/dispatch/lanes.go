// Package dispatch picks what is attempted next: a lane for every endpoint, bounded, so that a slow or hanging endpoint
// delays nobody else (promise 7), and fair turns between lanes.
//
// Lanes belongs to one goroutine, the sequencer's: that is why a slot is free the moment its result is applied, and why
// nothing here locks.
package dispatch

import "github.com/hookline/hookline/engine/state"

// DefaultConcurrency is a lane's width unless its endpoint says otherwise (1 to 256).
const DefaultConcurrency = 8

// Lane is an endpoint's own bounded concurrency. After a timeout it is 1 wide and doubles with every success up to its
// full width; while it is narrow it counts as slow.
type Lane struct {
	list   state.List
	full   int  // width by configuration
	width  int  // width now
	late   bool // timed out, and not yet back to full width
	flying int
	turn   uint64 // its entry in a ring; 0 = in none
	turns  uint64 // entries so far
	limit  limit
}

// Waiting is how many deliveries wait in the lane.
func (l *Lane) Waiting() int { return l.list.Len() }

// Flying is how many of its attempts are under way.
func (l *Lane) Flying() int { return l.flying }

func (l *Lane) slow() bool { return l.late }

func (l *Lane) open() bool { return l.list.Len() > 0 && l.flying < l.width }

// Lanes holds all lanes of a partition. Slow lanes together fly at most half of Max.
type Lanes struct {
	Max     int // attempts in flight over all lanes
	pending *state.Pending
	flying  int
	turns   uint
	slow    int // of them in slow lanes, by the class at their start
	fast    ring
	late    ring         // slow lanes that could start
	now     int64        // engine time, ms
	limited limitedLanes // that wait for a token of their rate limit
}

// slowTurn is the turn that looks at slow lanes first.
const slowTurn = 16

// New makes lanes for the pending deliveries; max >= 2 bounds the attempts in flight.
func New(pending *state.Pending, max int) *Lanes { return &Lanes{Max: max, pending: pending} }

// NewLane makes a lane of the given width.
func (ls *Lanes) NewLane(width int) *Lane { return &Lane{full: width, width: width} }

// Resize changes a lane's full width. A slow lane stays narrow.
func (ls *Lanes) Resize(l *Lane, width int) {
	if l.slow() {
		l.width = min(l.width, width)
	} else {
		l.width = width
	}
	l.full = width
	ls.arm(l)
}

// Flying is how many attempts are under way.
func (ls *Lanes) Flying() int { return ls.flying }

// Add puts a due delivery at the end of its lane.
func (ls *Lanes) Add(l *Lane, h uint32) {
	ls.pending.Push(&l.list, h)
	ls.arm(l)
}

// Remove takes a waiting delivery out of its lane.
func (ls *Lanes) Remove(l *Lane, h uint32) { ls.pending.Unlink(&l.list, h) }

// Shift takes the oldest waiting delivery out of a lane without flying it: what a closed gate does.
func (ls *Lanes) Shift(l *Lane) (uint32, bool) { return ls.pending.Shift(&l.list) }

// Start is a delivery that may fly, and the class its lane was in.
type Start struct {
	Handle uint32
	Lane   *Lane
	slow   bool
}

// Next picks the next delivery to attempt: lanes take turns, healthy ones first, but for every 16th turn, which keeps slow
// ones from starving. It counts as flying until Done.
func (ls *Lanes) Next() (Start, bool) {
	if ls.flying >= ls.Max {
		return Start{}, false
	}
	late := ls.slow < ls.Max/2
	if ls.turns++; late && ls.turns%slowTurn == 0 {
		if s, ok := ls.take(&ls.late, true); ok {
			return s, true
		}
	}
	if s, ok := ls.take(&ls.fast, false); ok {
		return s, true
	}
	if late {
		return ls.take(&ls.late, true)
	}
	return Start{}, false
}

func (ls *Lanes) take(r *ring, slow bool) (Start, bool) {
	for {
		t, ok := r.pop()
		if !ok {
			return Start{}, false
		}
		l := t.lane
		if l.turn != t.turn {
			continue // it went to the other ring
		}
		l.turn = 0
		if !l.open() || ls.dry(l) {
			continue
		}
		ls.spend(l)
		h, _ := ls.pending.Shift(&l.list)
		ls.pending.Fly(h)
		l.flying++
		ls.flying++
		if slow {
			ls.slow++
		}
		ls.arm(l)
		return Start{Handle: h, Lane: l, slow: slow}, true
	}
}

// End of an attempt, for the lane's width.
type End uint8

const (
	Succeeded   End = iota // doubles a narrow lane
	Failed                 // leaves it
	TimedOut               // narrows it to 1
	Interrupted            // leaves it: not the endpoint's doing
)

// Done frees the slot of a Start.
func (ls *Lanes) Done(s Start, end End) {
	l := s.Lane
	l.flying--
	ls.flying--
	if s.slow {
		ls.slow--
	}
	was := l.late
	switch end {
	case TimedOut:
		l.width, l.late = 1, true
	case Succeeded:
		l.width = min(l.full, l.width*2)
		l.late = l.late && l.width < l.full
	}
	if l.late != was {
		l.turn = 0 // what it has in the other ring does not count: a healthy lane never waits among the slow ones
	}
	ls.arm(l)
}

func (ls *Lanes) arm(l *Lane) {
	if l.turn != 0 || l.limit.waiting || !l.open() || ls.dry(l) {
		return
	}
	l.turns++
	l.turn = l.turns
	if l.slow() {
		ls.late.push(l)
	} else {
		ls.fast.push(l)
	}
}

// ring is a queue of turns in a slice that is reused.
type ring struct {
	turns []turn
	head  int
}

// turn is a lane's place in a ring; it counts while the lane says so.
type turn struct {
	lane *Lane
	turn uint64
}

func (r *ring) push(l *Lane) {
	if r.head > 64 && r.head*2 > len(r.turns) {
		n := copy(r.turns, r.turns[r.head:])
		clear(r.turns[n:])
		r.turns, r.head = r.turns[:n], 0
	}
	r.turns = append(r.turns, turn{l, l.turn})
}

func (r *ring) pop() (turn, bool) {
	if r.head == len(r.turns) {
		return turn{}, false
	}
	t := r.turns[r.head]
	r.turns[r.head].lane = nil
	r.head++
	return t, true
}
