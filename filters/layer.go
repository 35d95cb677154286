package filters

import (
	"cmp"
	"slices"
	"strings"
)

// layer is a part of an Index: its entries, which stay as they were placed, less those taken out since.
type layer struct {
	*segment
	gone []uint64 // a bit for each entry taken out; nil = none
	live int      // entries not taken out
}

// segment is subscriptions by their event types: by exact name, by prefix, and those of every type.
type segment struct {
	subs     []Subscription // ascending by key
	names    map[string]*bucket
	prefixes map[string]*bucket // by the prefix with its dot
	all      *bucket            // nil: none
}

// newLayer places subscriptions, which are ascending by key and belong to it from now on.
func newLayer(subs []Subscription) layer {
	names, prefixes, all := map[string][]uint32{}, map[string][]uint32{}, []uint32(nil)
	for i := range subs {
		at, t := uint32(i), &subs[i].Types
		if t.all {
			all = append(all, at)
			continue
		}
		for _, n := range t.names {
			names[n] = place(names[n], at)
		}
		for _, p := range t.prefixes {
			prefixes[p] = place(prefixes[p], at)
		}
	}
	s := &segment{subs: subs, names: map[string]*bucket{}, prefixes: map[string]*bucket{}}
	for n, list := range names {
		s.names[n] = newBucket(subs, list)
	}
	for p, list := range prefixes {
		s.prefixes[p] = newBucket(subs, list)
	}
	if len(all) > 0 {
		s.all = newBucket(subs, all)
	}
	return layer{segment: s, live: len(subs)}
}

// place appends a position, once.
func place(list []uint32, at uint32) []uint32 {
	if n := len(list); n > 0 && list[n-1] == at {
		return list
	}
	return append(list, at)
}

// find returns the position of a key that is not taken out.
func (l *layer) find(key uint64) (int, bool) {
	at, ok := slices.BinarySearchFunc(l.subs, key, func(s Subscription, key uint64) int { return cmp.Compare(s.Key, key) })
	return at, ok && !l.isGone(uint32(at))
}

func (l *layer) isGone(at uint32) bool { return l.gone != nil && l.gone[at/64]&(1<<(at%64)) != 0 }

func (l *layer) get(key uint64) (*Subscription, bool) {
	at, ok := l.find(key)
	if !ok {
		return nil, false
	}
	return &l.subs[at], true
}

// next moves at on to an entry that is not taken out; nil when there is none.
func (l *layer) next(at *int) *Subscription {
	for ; *at < len(l.subs); *at++ {
		if !l.isGone(uint32(*at)) {
			return &l.subs[*at]
		}
	}
	return nil
}

// without is the layer with keys taken out. Once half of it is gone the rest is placed anew, so that it does not hold on
// to what nobody needs.
func (l layer) without(keys []uint64) layer {
	own := false
	for _, key := range keys {
		at, ok := l.find(key)
		if !ok {
			continue
		}
		if !own {
			own = true
			if l.gone = slices.Clone(l.gone); l.gone == nil {
				l.gone = make([]uint64, (len(l.subs)+63)/64)
			}
		}
		l.gone[at/64] |= 1 << (at % 64)
		l.live--
	}
	if own && l.live > 0 && l.live < len(l.subs)/2 {
		return newLayer(l.appendLive(nil))
	}
	return l
}

func (l *layer) appendLive(dst []Subscription) []Subscription {
	for at := 0; ; at++ {
		s := l.next(&at)
		if s == nil {
			return dst
		}
		dst = append(dst, *s)
	}
}

func (l *layer) route(ev *Event, out *Routed) {
	l.candidates(ev.found[:0], ev).each(func(at uint32) {
		if !l.isGone(at) {
			out.try(&l.subs[at], ev)
		}
	})
}

// candidates appends the subscriptions to the event's type that may match it.
func (s *segment) candidates(found lists, ev *Event) lists {
	if s.all != nil {
		found = s.all.candidates(found, ev)
	}
	if b := s.names[ev.Type]; b != nil {
		found = b.candidates(found, ev)
	}
	if len(s.prefixes) == 0 {
		return found
	}
	for end := 0; ; {
		dot := strings.IndexByte(ev.Type[end:], '.')
		if dot < 0 {
			return found
		}
		end += dot + 1
		if b := s.prefixes[ev.Type[:end]]; b != nil {
			found = b.candidates(found, ev)
		}
	}
}
