package jsonstrict

import (
	"bytes"
	"hash/maphash"
)

// fewNames is how many names an object may have before they are hashed: up to here comparing lengths is faster.
const fewNames = 24

// member reads a name and its colon; pos stands at the name.
func (s *Scanner) member() error {
	if s.pos >= len(s.text) {
		return s.ended("a member name")
	}
	if s.text[s.pos] != '"' {
		return s.unexpected("a member name in double quotes")
	}
	s.pos++
	start := s.pos
	escaped, err := s.str()
	if err != nil {
		return err
	}
	name := span{int32(start), int32(s.pos - 1)}
	if escaped {
		from := len(s.plain)
		s.plain = appendUnescaped(s.plain, s.text[start:s.pos-1])
		name = span{^int32(from), int32(len(s.plain))}
	}
	s.names = append(s.names, name)
	if s.repeated() {
		s.note(DuplicateKey, start-1, "the same name twice in one object: keep one")
	}
	s.space()
	if s.pos >= len(s.text) {
		return s.ended("a colon")
	}
	if s.text[s.pos] != ':' {
		return s.unexpected("a colon")
	}
	s.pos++
	return nil
}

func (s *Scanner) nameOf(n span) []byte {
	if n.start < 0 {
		return s.plain[^n.start:n.end]
	}
	return s.text[n.start:n.end]
}

// repeated says whether the innermost object had the newest name before.
func (s *Scanner) repeated() bool {
	top := &s.stack[len(s.stack)-1]
	own := s.names[top.names:]
	if top.hashed {
		return s.sets[len(s.sets)-1].add(s, top.names, int32(len(own)-1))
	}
	if len(own) > fewNames {
		s.hash(top)
		return s.sets[len(s.sets)-1].add(s, top.names, int32(len(own)-1))
	}
	name := s.nameOf(own[len(own)-1])
	for _, other := range own[:len(own)-1] {
		if o := s.nameOf(other); len(o) == len(name) && bytes.Equal(o, name) {
			return true
		}
	}
	return false
}

// hash moves the innermost object's names, but for the newest, into a set.
func (s *Scanner) hash(top *frame) {
	if len(s.sets) < cap(s.sets) {
		s.sets = s.sets[:len(s.sets)+1]
	} else {
		s.sets = append(s.sets, nameSet{seed: maphash.MakeSeed()})
	}
	set := &s.sets[len(s.sets)-1]
	set.clear()
	for i := range int32(len(s.names)) - top.names - 1 {
		set.add(s, top.names, i)
	}
	top.hashed = true
}

// nameSet is an open-addressing hash set of one object's names. Its seed is random: nobody can prepare collisions.
type nameSet struct {
	seed  maphash.Seed
	slots []int32 // index of a name within its object, plus 1; 0 = free. A power of two of them.
	used  int
}

// clear empties the set and gives it its first size.
func (t *nameSet) clear() {
	if t.slots == nil {
		t.slots = make([]int32, 128) // holds fewNames and as many again before it grows
	}
	clear(t.slots)
	t.used = 0
}

// trim drops a table with more than n slots.
func (t *nameSet) trim(n int) {
	if len(t.slots) > n {
		t.slots = nil
	}
}

// add puts the i-th name of the object whose names begin at base into the set; true when it was there.
func (t *nameSet) add(s *Scanner, base, i int32) bool {
	if 2*(t.used+1) > len(t.slots) {
		old := t.slots
		t.slots, t.used = make([]int32, 2*len(old)), 0
		for _, slot := range old {
			if slot != 0 {
				t.put(s, base, slot-1)
			}
		}
	}
	return t.put(s, base, i)
}

func (t *nameSet) put(s *Scanner, base, i int32) bool {
	name := s.nameOf(s.names[base+i])
	mask := uint64(len(t.slots) - 1)
	for at := maphash.Bytes(t.seed, name) & mask; ; at = (at + 1) & mask {
		slot := t.slots[at]
		if slot == 0 {
			t.slots[at] = i + 1
			t.used++
			return false
		}
		if bytes.Equal(s.nameOf(s.names[base+slot-1]), name) {
			return true
		}
	}
}
