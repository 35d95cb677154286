package state

import (
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/eventlog"
)

// Delivery is a pending delivery in 64 bytes: the backlog lives in the log, memory keeps what decides (no body, no
// pointer, so that the collector never looks at a million of them).
type Delivery struct {
	Seq           eventlog.Seq // with Ord its ref
	Event         eventlog.Seq
	Due           int64 // Unix ms
	First         int64 // Unix ms when its first attempt started; 0 = none has
	endpoint      uint32
	policy        uint32
	Plugin        uint32 // of the plugin that failed it, while it is held
	pos, next     uint32 // place in the due queue, or neighbours in a lane
	Ord           uint16
	Made          uint16 // finished attempts
	Interruptions uint8
	flags         uint8
	where         place
}

const (
	flagResend = 1 << iota
	flagHeld
	flagRecovery // created by a recovery
)

type place uint8

const (
	nowhere place = iota
	queued        // in the due queue
	ready         // in a lane
	parked        // overdue since before the start, waiting for the restart rate
	flying        // its attempt is under way
)

func (d *Delivery) Ref() record.Ref { return record.Ref{Seq: d.Seq, Ord: d.Ord} }

// Held says that it waits because of plugin_fault.
func (d *Delivery) Held() bool { return d.flags&flagHeld != 0 }

// Resend says that a person asked for it.
func (d *Delivery) Resend() bool { return d.flags&flagResend != 0 }

// Ready says that it waits in its endpoint's lane.
func (d *Delivery) Ready() bool { return d.where == ready }

// Parked says that it was overdue at the start and waits for its turn by the restart rate.
func (d *Delivery) Parked() bool { return d.where == parked }

// Nowhere says that it is in no queue, list or attempt: see Withdraw.
func (d *Delivery) Nowhere() bool { return d.where == nowhere }

// Flying says that its attempt is under way.
func (d *Delivery) Flying() bool { return d.where == flying }

// None is no handle.
const None = ^uint32(0)

const chunkSize = 4096

// Pending is the set of pending deliveries: a chunked slab (growing never copies it), an open-addressing index by ref
// and the due queue. A handle stays valid until its delivery is removed.
type Pending struct {
	chunks []*[chunkSize]Delivery
	used   uint32 // handles ever given out
	free   []uint32
	index  []uint32 // handle+1; 0 = empty, linear probing
	count  int
	queue  *schedule.Queue
	armed  bool // false while folding: the queue is built once at the end
}

func newPending() *Pending {
	p := &Pending{index: make([]uint32, 1024)}
	p.queue = schedule.NewQueue(p)
	return p
}

// DropPending lets the pending deliveries go, of a state that is only looked at: nothing can be applied to it afterwards.
// What endpoints count of theirs stays.
func (s *State) DropPending() { s.Pending = newPending() }

// Footprint is about how many bytes the state takes in memory.
func (s *State) Footprint() int {
	n := 1<<16 + len(s.tenants)*512 + len(s.endpoints)*1536 + len(s.subscriptions)*512 + s.Pending.Len()*80
	for _, t := range s.tenants {
		n += len(t.Private.Data)
	}
	for _, e := range s.endpoints {
		n += len(e.Private.Data)
	}
	for _, p := range s.subscriptions {
		n += len(p.Private.Data)
	}
	return n
}

// At returns the delivery of a handle.
func (p *Pending) At(h uint32) *Delivery { return &p.chunks[h/chunkSize][h%chunkSize] }

// Len is how many are pending.
func (p *Pending) Len() int { return p.count }

// Find returns the handle of a ref.
func (p *Pending) Find(r record.Ref) (uint32, bool) {
	for i := p.slot(r); ; i = (i + 1) & (len(p.index) - 1) {
		h := p.index[i]
		if h == 0 {
			return None, false
		}
		if d := p.At(h - 1); d.Seq == r.Seq && d.Ord == r.Ord {
			return h - 1, true
		}
	}
}

// All calls f for every pending delivery, in no particular order, until it returns false.
func (p *Pending) All(f func(h uint32, d *Delivery) bool) {
	for h := range p.used {
		if d := p.At(h); d.Seq != 0 && !f(h, d) {
			return
		}
	}
}

func (p *Pending) add(d Delivery) uint32 {
	if (p.count+1)*4 > len(p.index)*3 {
		p.grow()
	}
	var h uint32
	if n := len(p.free); n > 0 {
		h, p.free = p.free[n-1], p.free[:n-1]
	} else {
		h = p.used
		p.used++
		if int(h/chunkSize) == len(p.chunks) {
			p.chunks = append(p.chunks, new([chunkSize]Delivery))
		}
	}
	*p.At(h) = d
	p.place(h)
	p.count++
	if p.armed {
		p.enqueue(h)
	}
	return h
}

func (p *Pending) remove(h uint32) {
	d := p.At(h)
	if d.where == queued {
		p.queue.Remove(int(d.pos))
	}
	p.unplace(d.Ref())
	*d = Delivery{}
	p.free = append(p.free, h)
	p.count--
}

func (p *Pending) slot(r record.Ref) int {
	x := uint64(r.Seq)*0x9e3779b97f4a7c15 + uint64(r.Ord)*0xd6e8feb86659fd93
	x ^= x >> 29
	return int(x*0xbf58476d1ce4e5b9>>20) & (len(p.index) - 1)
}

func (p *Pending) place(h uint32) {
	i := p.slot(p.At(h).Ref())
	for p.index[i] != 0 {
		i = (i + 1) & (len(p.index) - 1)
	}
	p.index[i] = h + 1
}

// unplace empties a ref's slot and closes the gap, so that no tombstones pile up.
func (p *Pending) unplace(r record.Ref) {
	mask := len(p.index) - 1
	i := p.slot(r)
	for {
		if d := p.At(p.index[i] - 1); d.Seq == r.Seq && d.Ord == r.Ord {
			break
		}
		i = (i + 1) & mask
	}
	for j := i; ; {
		j = (j + 1) & mask
		h := p.index[j]
		if h == 0 {
			break
		}
		home := p.slot(p.At(h - 1).Ref())
		if (j-home)&mask >= (j-i)&mask {
			p.index[i] = h
			i = j
		}
	}
	p.index[i] = 0
}

func (p *Pending) grow() {
	p.index = make([]uint32, len(p.index)*2)
	for h := range p.used {
		if p.At(h).Seq != 0 {
			p.place(h)
		}
	}
}

// Before and Moved make Pending the owner of the due queue's handles: earlier due first, then the older delivery.
func (p *Pending) Before(a, b uint32) bool {
	x, y := p.At(a), p.At(b)
	if x.Due != y.Due {
		return x.Due < y.Due
	}
	if x.Seq != y.Seq {
		return x.Seq < y.Seq
	}
	return x.Ord < y.Ord
}

func (p *Pending) Moved(h uint32, pos int) { p.At(h).pos = uint32(pos) }

func (p *Pending) enqueue(h uint32) {
	p.At(h).where = queued
	p.queue.Push(h)
}

// Withdraw takes a delivery that is due later out of the due queue. The caller brings it back, as after PopDue; a record
// that changes it does too.
func (p *Pending) Withdraw(h uint32) { p.dequeue(h) }

func (p *Pending) dequeue(h uint32) {
	if d := p.At(h); d.where == queued {
		p.queue.Remove(int(d.pos))
		d.where = nowhere
	}
}

// Arm builds the due queue after a fold; from then on it follows every change.
func (p *Pending) Arm() {
	p.armed = true
	for h := range p.used {
		if d := p.At(h); d.Seq != 0 && d.where == nowhere {
			p.enqueue(h)
		}
	}
}

// NextDue is the earliest due time of those that wait; ok is false when none does.
func (p *Pending) NextDue() (due int64, ok bool) {
	h, ok := p.queue.Peek()
	if !ok {
		return 0, false
	}
	return p.At(h).Due, true
}

// PopDue takes the first delivery due at or before now out of the queue. The caller moves it on: to a lane, to an end,
// or back by Requeue.
func (p *Pending) PopDue(now int64) (uint32, bool) {
	h, ok := p.queue.Peek()
	if !ok || p.At(h).Due > now {
		return None, false
	}
	p.queue.Pop()
	p.At(h).where = nowhere
	return h, true
}

// Requeue puts one that was taken back into the queue.
func (p *Pending) Requeue(h uint32) { p.enqueue(h) }
