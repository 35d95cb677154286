package filters

import (
	"cmp"
	"iter"
	"slices"
)

// Subscription is one entry of an Index.
type Subscription struct {
	Key    uint64 // one to an entry, and the order of what Route finds; the engine's is the seq that created it, oldest first
	Types  Types
	Filter *Filter // nil = every event of the types; compiled filters may be used in any number of indexes
	Value  any     // the caller's own, carried along
}

// Routed is what an Index found for one event. It points to the index's entries, which must not be changed.
type Routed struct {
	Matched []*Subscription // those that match, ascending by Key
	Failed  []Failure       // those whose filter failed, ascending by Key
}

// Failure is a filter that could not be evaluated: neither a match nor a no.
type Failure struct {
	Subscription *Subscription
	Err          error // an *EvalError
}

// Index finds the subscriptions of an event without asking those of other types, nor those whose filter cannot hold. It is
// immutable and safe for concurrent use; what it finds is what evaluating every subscription finds. With makes the index
// that follows a change from the one before it.
//
// It is a list of layers, each at least mergeRatio times as large as the one behind it: the large ones stay as they are
// while changes go to the small ones.
type Index struct {
	layers []layer // the largest and oldest first; a key is live in one of them
}

// mergeRatio is by how much a layer must be larger than the next one. A change costs about mergeRatio times the logarithm
// of the index's size to this base.
const mergeRatio = 8

// Build makes the index of subscriptions, in any order. Of several with one key the last one counts.
func Build(subs []Subscription) *Index {
	return (*Index)(nil).With(subs, nil)
}

// With returns the index with subscriptions put in, each in place of the one with its key, and keys taken out. What is
// taken out and put in at once is put in; keys that are not there are ignored. x is unchanged and may be nil. The work
// grows with the changes, not with the index, but for a merge of layers now and then: averaged over many changes some
// tens of entries are placed anew for each.
func (x *Index) With(put []Subscription, out []uint64) *Index {
	next := &Index{}
	if x != nil {
		next.layers = slices.Clone(x.layers)
	}
	fresh := sorted(put)
	for i := range next.layers {
		l := &next.layers[i]
		gone := make([]uint64, 0, len(out)+len(fresh))
		gone = append(gone, out...)
		for j := range fresh {
			gone = append(gone, fresh[j].Key)
		}
		*l = l.without(gone)
	}
	next.layers = slices.DeleteFunc(next.layers, func(l layer) bool { return l.live == 0 })
	for n := len(next.layers); n > 0 && next.layers[n-1].live < mergeRatio*len(fresh); n-- {
		fresh = next.layers[n-1].appendLive(fresh)
		next.layers = next.layers[:n-1]
	}
	if len(fresh) > 0 {
		next.layers = append(next.layers, newLayer(sorted(fresh)))
	}
	return next
}

// sorted returns subscriptions ascending by key, the last of each key only.
func sorted(subs []Subscription) []Subscription {
	byKey := func(a, b Subscription) int { return cmp.Compare(a.Key, b.Key) }
	out := slices.Clone(subs)
	if !slices.IsSortedFunc(out, byKey) {
		slices.SortStableFunc(out, byKey)
	}
	n := 0
	for i := range out {
		if i+1 < len(out) && out[i+1].Key == out[i].Key {
			continue
		}
		out[n] = out[i]
		n++
	}
	clear(out[n:])
	return out[:n]
}

// Len is the number of subscriptions.
func (x *Index) Len() int {
	n := 0
	for i := range x.layers {
		n += x.layers[i].live
	}
	return n
}

// Get finds a subscription by its key. It must not be changed.
func (x *Index) Get(key uint64) (*Subscription, bool) {
	for i := range x.layers {
		if s, ok := x.layers[i].get(key); ok {
			return s, true
		}
	}
	return nil, false
}

// All gives every subscription, ascending by Key. None may be changed.
func (x *Index) All() iter.Seq[*Subscription] {
	return func(yield func(*Subscription) bool) {
		at := make([]int, len(x.layers))
		for {
			var least *Subscription
			from := 0
			for i := range x.layers {
				s := x.layers[i].next(&at[i])
				if s != nil && (least == nil || s.Key < least.Key) {
					least, from = s, i
				}
			}
			if least == nil {
				return
			}
			at[from]++
			if !yield(least) {
				return
			}
		}
	}
}

// Route finds the matching subscriptions of an event. It allocates the result only (and what decoding the event takes,
// once, if a filter looks into it).
func (x *Index) Route(ev *Event) Routed {
	var out Routed
	for i := range x.layers {
		x.layers[i].route(ev, &out)
	}
	if len(x.layers) > 1 {
		slices.SortFunc(out.Matched, func(a, b *Subscription) int { return cmp.Compare(a.Key, b.Key) })
		slices.SortFunc(out.Failed, func(a, b Failure) int { return cmp.Compare(a.Subscription.Key, b.Subscription.Key) })
	}
	return out
}

func (r *Routed) try(s *Subscription, ev *Event) {
	if s.Filter != nil {
		ok, err := s.Filter.Match(ev)
		if err != nil {
			r.Failed = append(r.Failed, Failure{s, err})
		}
		if !ok {
			return
		}
	}
	if r.Matched == nil {
		r.Matched = make([]*Subscription, 0, 8) // most events go to few endpoints
	}
	r.Matched = append(r.Matched, s)
}
