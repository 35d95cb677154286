package filters

import "slices"

// group is what subscriptions ask of one value: of one path, or of the event's type, id or tenant. Lists hold positions
// of subscriptions, ascending.
type group struct {
	texts    map[string][]uint32 // equal to a text
	scalars  map[scalar][]uint32 // equal to a number or a boolean
	elements map[string][]uint32 // with such an element or key
	prefixes affixes
	suffixes affixes
	kinds    [7][]uint32 // of a kind, by its bit
}

// scalar is a number or a boolean in the one form that equal ones share.
type scalar struct {
	kind   kind
	neg    bool
	num    int64
	digits string
}

func scalarOf(v value) scalar {
	if v.kind == kindFloat || v.kind == kindDecimal {
		v = v.decimal()
	}
	return scalar{v.kind, v.neg, v.num, v.text}
}

// affixes are beginnings or ends of texts.
type affixes struct {
	lengths []int // in bytes, ascending, each once
	lists   map[string][]uint32
}

// maxElements is how many elements of an array are looked up; for a longer one every filter that asks is asked.
const maxElements = 1000

func (g *group) place(f *fact, at uint32) {
	switch f.is {
	case isEqual:
		if f.value.kind == kindText {
			put(&g.texts, f.value.text, at)
		} else {
			put(&g.scalars, scalarOf(f.value), at)
		}
	case isElement:
		put(&g.elements, f.value.text, at)
	case isPrefix:
		g.prefixes.place(f.value.text, at)
	case isSuffix:
		g.suffixes.place(f.value.text, at)
	case isKind:
		for bit := range g.kinds {
			if f.kinds&(1<<bit) != 0 {
				g.kinds[bit] = place(g.kinds[bit], at)
			}
		}
	}
}

func put[K comparable](m *map[K][]uint32, key K, at uint32) {
	if *m == nil {
		*m = map[K][]uint32{}
	}
	(*m)[key] = place((*m)[key], at)
}

func (a *affixes) place(s string, at uint32) {
	put(&a.lists, s, at)
	if i, found := slices.BinarySearch(a.lengths, len(s)); !found {
		a.lengths = slices.Insert(a.lengths, i, len(s))
	}
}

// ofNothing appends what a value that is nil or not there finds.
func (g *group) ofNothing(found lists) lists { return found.add(g.kinds[0]) }

// ofText appends what a text finds.
func (g *group) ofText(found lists, s string) lists {
	long := 3 // oneText
	if len(s) > MaxRead {
		long = 6 // oneLong
	}
	found = found.add(g.kinds[long])
	if g.texts != nil {
		found = found.add(g.texts[s])
	}
	for _, n := range g.prefixes.lengths {
		if n > len(s) {
			break
		}
		found = found.add(g.prefixes.lists[s[:n]])
	}
	for _, n := range g.suffixes.lengths {
		if n > len(s) {
			break
		}
		found = found.add(g.suffixes.lists[s[len(s)-n:]])
	}
	return found
}

// ofNode appends what a JSON node finds.
func (g *group) ofNode(found lists, d *document, at int32) lists {
	n := d.nodes[at]
	switch n.kind() {
	case kindNull:
		return g.ofNothing(found)
	case kindFalse, kindTrue:
		found = found.add(g.kinds[1])
		if g.scalars != nil {
			found = found.add(g.scalars[scalar{kind: n.kind()}])
		}
	case kindNumber:
		found = found.add(g.kinds[2])
		if g.scalars != nil {
			found = found.add(g.scalars[scalarOf(d.value(at))])
		}
	case kindText:
		return g.ofText(found, d.text(at))
	case kindObject:
		return g.ofKeys(found.add(g.kinds[4]), d, at)
	case kindArray:
		return g.ofElements(found.add(g.kinds[5]), d, at)
	}
	return found
}

func (g *group) ofElements(found lists, d *document, array int32) lists {
	n := d.nodes[array]
	switch {
	case g.elements == nil:
	case n.count() > maxElements:
		for _, list := range g.elements {
			found = found.add(list)
		}
	default:
		for i := array + 1; i < n.next; i = d.nodes[i].next {
			if d.nodes[i].kind() == kindText {
				found = found.add(g.elements[d.text(i)])
			}
		}
	}
	return found
}

func (g *group) ofKeys(found lists, d *document, object int32) lists {
	n := d.nodes[object]
	switch {
	case g.elements == nil:
	case n.count() > maxElements:
		for key, list := range g.elements {
			if _, ok := d.member(object, key); ok {
				found = found.add(list)
			}
		}
	default:
		for i := object + 1; i < n.next; i = d.nodes[i+1].next {
			found = found.add(g.elements[d.text(i)])
		}
	}
	return found
}

// lists are lists of positions, each ascending.
type lists [][]uint32

func (l lists) add(list []uint32) lists {
	if len(list) == 0 {
		return l
	}
	return append(l, list)
}

// few is up to how many lists are merged by looking at the head of each.
const few = 6

// each calls yield with every position of the lists, ascending and once.
func (l lists) each(yield func(at uint32)) {
	switch n := len(l); {
	case n == 0:
	case n == 1:
		for _, at := range l[0] {
			yield(at)
		}
	case n <= few:
		for {
			at, ok := next(l)
			if !ok {
				return
			}
			yield(at)
		}
	default:
		var room [64]uint32
		all := room[:0]
		for _, list := range l {
			all = append(all, list...)
		}
		slices.Sort(all)
		for i, at := range all {
			if i == 0 || at != all[i-1] {
				yield(at)
			}
		}
	}
}

// next takes the least position off the lists, from every list that has it.
func next(heads lists) (least uint32, ok bool) {
	for _, l := range heads {
		if len(l) > 0 && (!ok || l[0] < least) {
			least, ok = l[0], true
		}
	}
	for i, l := range heads {
		if len(l) > 0 && l[0] == least {
			heads[i] = l[1:]
		}
	}
	return least, ok
}
