package filters

import (
	"slices"
	"strings"
)

// Subscription is one entry of an Index.
type Subscription struct {
	Key    uint32 // the caller's handle
	Types  Types
	Filter *Filter // nil = every event of the types
}

// Routed is what an Index found for one event.
type Routed struct {
	Matched []uint32  // keys of the subscriptions that match, in the index's order
	Failed  []Failure // of the subscriptions whose filter failed, in the index's order
}

// Failure is a filter that could not be evaluated: neither a match nor a no.
type Failure struct {
	Key uint32
	Err error // an *EvalError
}

// Index finds the subscriptions of an event without asking those of other types: by exact name, by prefix, and those of
// every type. It is immutable and safe for concurrent use; what it finds is what evaluating every subscription finds.
type Index struct {
	subs     []Subscription
	names    map[string][]uint32 // positions in subs, ascending
	prefixes map[string][]uint32 // by the prefix with its dot
	all      []uint32
}

// Build makes the index of subscriptions, which Route gives in this order (the engine's: oldest first).
func Build(subs []Subscription) *Index {
	x := &Index{subs: slices.Clone(subs), names: map[string][]uint32{}, prefixes: map[string][]uint32{}}
	for i := range x.subs {
		at, t := uint32(i), &x.subs[i].Types
		if t.all {
			x.all = append(x.all, at)
			continue
		}
		for _, n := range t.names {
			x.names[n] = place(x.names[n], at)
		}
		for _, p := range t.prefixes {
			x.prefixes[p] = place(x.prefixes[p], at)
		}
	}
	return x
}

// place appends a position, once.
func place(list []uint32, at uint32) []uint32 {
	if n := len(list); n > 0 && list[n-1] == at {
		return list
	}
	return append(list, at)
}

// Len is the number of subscriptions.
func (x *Index) Len() int { return len(x.subs) }

// Route finds the matching subscriptions of an event. It allocates the result only (and what decoding the event takes,
// once, if a filter looks into it).
func (x *Index) Route(ev *Event) Routed {
	var room [8][]uint32
	candidates := x.candidates(ev.Type, room[:0])
	var out Routed
	if len(candidates) == 1 {
		for _, at := range candidates[0] {
			out.try(&x.subs[at], ev)
		}
		return out
	}
	for {
		at, ok := next(candidates)
		if !ok {
			return out
		}
		out.try(&x.subs[at], ev)
	}
}

// candidates are the lists that may hold subscriptions to a type.
func (x *Index) candidates(eventType string, lists [][]uint32) [][]uint32 {
	if len(x.all) > 0 {
		lists = append(lists, x.all)
	}
	if named := x.names[eventType]; len(named) > 0 {
		lists = append(lists, named)
	}
	if len(x.prefixes) == 0 {
		return lists
	}
	for end := 0; ; {
		dot := strings.IndexByte(eventType[end:], '.')
		if dot < 0 {
			return lists
		}
		end += dot + 1
		if below := x.prefixes[eventType[:end]]; len(below) > 0 {
			lists = append(lists, below)
		}
	}
}

// next takes the least position off the lists, from every list that has it.
func next(lists [][]uint32) (least uint32, ok bool) {
	for _, l := range lists {
		if len(l) > 0 && (!ok || l[0] < least) {
			least, ok = l[0], true
		}
	}
	for i, l := range lists {
		if len(l) > 0 && l[0] == least {
			lists[i] = l[1:]
		}
	}
	return least, ok
}

func (r *Routed) try(s *Subscription, ev *Event) {
	if s.Filter != nil {
		ok, err := s.Filter.Match(ev)
		if err != nil {
			r.Failed = append(r.Failed, Failure{s.Key, err})
		}
		if !ok {
			return
		}
	}
	if r.Matched == nil {
		r.Matched = make([]uint32, 0, 8) // most events go to few endpoints
	}
	r.Matched = append(r.Matched, s.Key)
}
