package filters

import "hash/maphash"

// keyIndex finds a member of a wide object without walking it: open addressing over a keyed hash, so that nobody can
// choose keys that collide. Building it costs some ns a member, a fraction of what a map of strings costs.
type keyIndex struct {
	seed  maphash.Seed
	slots []int32 // nodes of keys; 0 = free, since no key is the document's first node
}

func newKeyIndex(d *document, object int32) *keyIndex {
	n := d.nodes[object]
	size := 2
	for size < 2*n.count() {
		size *= 2
	}
	x := &keyIndex{seed: maphash.MakeSeed(), slots: make([]int32, size)}
	for i := object + 1; i < n.next; i = d.nodes[i+1].next {
		if slot, taken := x.slot(d, d.text(i)); !taken {
			x.slots[slot] = i
		}
	}
	return x
}

// find returns the node of a key, 0 if there is none.
func (x *keyIndex) find(d *document, key string) int32 {
	slot, _ := x.slot(d, key)
	return x.slots[slot]
}

// slot is where a key is, or would be.
func (x *keyIndex) slot(d *document, key string) (slot int, taken bool) {
	mask := len(x.slots) - 1
	for i := int(maphash.String(x.seed, key)) & mask; ; i = (i + 1) & mask {
		if at := x.slots[i]; at == 0 || d.textIs(at, key) {
			return i, at != 0
		}
	}
}
