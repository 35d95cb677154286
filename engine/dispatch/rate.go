package dispatch

import "container/heap"

// A lane with a rate limit starts attempts evenly, by engine time: a bucket of one token, or of 20 ms' worth where that
// is more, so that a turn that comes some ms late costs no throughput. What has no token waits in its lane, in order; it
// holds no slot and is not dropped. The bucket is not kept over a restart: it is full then.

const (
	second  = 1_000_000_000 // ns
	ms      = 1_000_000
	burst   = 20 * ms
	maxRate = 10_000
)

// limit is a lane's rate limit.
type limit struct {
	interval int64 // ns between two starts; 0 = no limit
	next     int64 // engine time in ns when the bucket is full again
	waiting  bool  // for a token: in the heap, and in no ring
	place    int   // in the heap
}

// ready is the engine time in ms from which a lane has a token.
func (l *limit) ready() int64 {
	return (l.next - max(0, burst-l.interval) + ms - 1) / ms
}

// Limit sets a lane's rate limit, 1 to 10 000 starts a second; 0 = none. A change counts from the next start on.
func (ls *Lanes) Limit(l *Lane, rate int) { ls.LimitPerMinute(l, 60*rate) }

// LimitPerMinute is Limit in starts a minute, 1 to 600 000.
func (ls *Lanes) LimitPerMinute(l *Lane, rate int) {
	interval := int64(0)
	if rate > 0 {
		interval = 60 * second / int64(min(rate, 60*maxRate))
	}
	if l.limit.interval == interval {
		return
	}
	if l.limit.waiting {
		heap.Remove(&ls.limited, l.limit.place)
	}
	l.limit.interval = interval
	l.limit.next = min(l.limit.next, ls.now*ms+interval)
	ls.arm(l)
}

// At tells the engine time in ms, which never runs back, and wakes the lanes that have a token by now.
func (ls *Lanes) At(now int64) {
	ls.now = now
	for len(ls.limited) > 0 && ls.limited[0].limit.ready() <= now {
		ls.arm(heap.Pop(&ls.limited).(*Lane))
	}
}

// NextToken is the earliest engine time at which a lane that waits for a token has one.
func (ls *Lanes) NextToken() (at int64, ok bool) {
	if len(ls.limited) == 0 {
		return 0, false
	}
	return ls.limited[0].limit.ready(), true
}

// spend takes a token for a start.
func (ls *Lanes) spend(l *Lane) {
	if l.limit.interval > 0 {
		l.limit.next = max(l.limit.next, ls.now*ms) + l.limit.interval
	}
}

// dry says that a lane has no token now; then it is woken when it has.
func (ls *Lanes) dry(l *Lane) bool {
	if l.limit.interval == 0 || l.limit.ready() <= ls.now {
		return false
	}
	if !l.limit.waiting {
		heap.Push(&ls.limited, l)
	}
	return true
}

// limitedLanes is a heap of lanes by the time of their next token.
type limitedLanes []*Lane

func (h limitedLanes) Len() int           { return len(h) }
func (h limitedLanes) Less(i, j int) bool { return h[i].limit.ready() < h[j].limit.ready() }
func (h limitedLanes) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].limit.place, h[j].limit.place = i, j
}

func (h *limitedLanes) Push(x any) {
	l := x.(*Lane)
	l.limit.waiting, l.limit.place = true, len(*h)
	*h = append(*h, l)
}

func (h *limitedLanes) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	l.limit.waiting = false
	return l
}
