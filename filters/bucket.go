package filters

import "math"

// bucket is the subscriptions to one event type, or to one prefix, or to all, by the facts that their filters need.
type bucket struct {
	every []uint32       // all of them, ascending
	loose []uint32       // those that must always be asked
	words [3]*group      // by the event's type, id and tenant
	trees [roots]*branch // by its JSON
}

// fewSubscriptions is up to how many subscriptions asking all is as fast as looking them up.
const fewSubscriptions = 4

// factKey tells facts apart, to count who needs them.
type factKey struct {
	of    string
	is    factKind
	value scalar
	kinds kinds
}

// newBucket places the subscriptions at the positions, which are ascending and belong to it from now on.
func newBucket(subs []Subscription, every []uint32) *bucket {
	b := &bucket{every: every}
	if len(every) <= fewSubscriptions {
		b.loose = every
		return b
	}
	choices := make([][][]fact, len(every))
	wanted := map[factKey]int{}
	for i, at := range every {
		f := subs[at].Filter
		if f == nil {
			continue
		}
		choices[i] = needs(f.root, true)
		for _, set := range choices[i] {
			for j := range set {
				if f := &set[j]; f.is != isKind && f.is != isUnread {
					wanted[f.key()]++
				}
			}
		}
	}
	for i, at := range every {
		set, ok := b.choose(choices[i], wanted)
		if !ok {
			b.loose = append(b.loose, at)
			continue
		}
		for j := range set {
			b.place(&set[j], at)
		}
	}
	for _, t := range b.trees {
		if t != nil {
			t.finish()
		}
	}
	return b
}

func (f *fact) key() factKey {
	k := factKey{is: f.is, value: scalarOf(f.value), kinds: f.kinds}
	switch of := f.of.(type) {
	case *path:
		k.of = of.String()
	case *name:
		k.of = variableNames[of.of]
	}
	return k
}

// choose takes the set of facts that the fewest other filters need: its lists are short, and it is seldom true. ok is false
// where there is no set.
func (b *bucket) choose(sets [][]fact, wanted map[factKey]int) (best []fact, ok bool) {
	least := math.MaxInt
	for _, set := range sets {
		cost := 0
		for j := range set {
			switch f := &set[j]; {
			case f.is == isUnread:
			case f.is == isKind && f.rare:
				cost++
			case f.is == isKind:
				cost += len(b.every) / 2
			case f.is == isPrefix || f.is == isSuffix:
				cost += 2 * wanted[f.key()] * max(1, 4-len(f.value.text))
			default:
				cost += wanted[f.key()]
			}
		}
		if cost < least {
			best, least, ok = set, cost, true
		}
	}
	return best, ok
}

func (b *bucket) place(f *fact, at uint32) {
	if n, ok := f.of.(*name); ok {
		if b.words[n.of] == nil {
			b.words[n.of] = &group{}
		}
		b.words[n.of].place(f, at)
		return
	}
	p := f.of.(*path)
	if b.trees[p.root] == nil {
		b.trees[p.root] = &branch{}
	}
	if f.is == isUnread {
		return
	}
	end := b.trees[p.root].grow(p.steps)
	if end.group == nil {
		end.group = &group{}
	}
	end.group.place(f, at)
}

// candidates appends every subscription that matches an event or whose filter fails on it, and others.
func (b *bucket) candidates(found lists, ev *Event) lists {
	from := len(found)
	found = found.add(b.loose)
	for i, g := range b.words {
		if g != nil {
			found = g.ofText(found, [...]string{nameType: ev.Type, nameID: ev.ID, nameTenant: ev.Tenant}[i])
		}
	}
	for r, t := range b.trees {
		if t == nil {
			continue
		}
		d, err := ev.document(root(r))
		if err != nil || d.unread { // whoever looks at it may fail
			return found[:from].add(b.every)
		}
		found = t.ofNode(found, d, 0)
	}
	return found
}
