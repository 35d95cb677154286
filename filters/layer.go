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
	subs     []Subscription      // ascending by key
	names    map[string][]uint32 // positions in subs, ascending
	prefixes map[string][]uint32 // by the prefix with its dot
	all      []uint32
}

// newLayer places subscriptions, which are ascending by key and belong to it from now on.
func newLayer(subs []Subscription) layer {
	s := &segment{subs: subs, names: map[string][]uint32{}, prefixes: map[string][]uint32{}}
	for i := range s.subs {
		at, t := uint32(i), &s.subs[i].Types
		if t.all {
			s.all = append(s.all, at)
			continue
		}
		for _, n := range t.names {
			s.names[n] = place(s.names[n], at)
		}
		for _, p := range t.prefixes {
			s.prefixes[p] = place(s.prefixes[p], at)
		}
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
	var room [8][]uint32
	candidates := l.candidates(ev.Type, room[:0])
	if len(candidates) == 1 {
		for _, at := range candidates[0] {
			if !l.isGone(at) {
				out.try(&l.subs[at], ev)
			}
		}
		return
	}
	for {
		at, ok := next(candidates)
		if !ok {
			return
		}
		if !l.isGone(at) {
			out.try(&l.subs[at], ev)
		}
	}
}

// candidates are the lists that may hold subscriptions to a type.
func (s *segment) candidates(eventType string, lists [][]uint32) [][]uint32 {
	if len(s.all) > 0 {
		lists = append(lists, s.all)
	}
	if named := s.names[eventType]; len(named) > 0 {
		lists = append(lists, named)
	}
	if len(s.prefixes) == 0 {
		return lists
	}
	for end := 0; ; {
		dot := strings.IndexByte(eventType[end:], '.')
		if dot < 0 {
			return lists
		}
		end += dot + 1
		if below := s.prefixes[eventType[:end]]; len(below) > 0 {
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
