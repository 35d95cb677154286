package filters

import "hash/maphash"

// keyIndex finds a member of a wide object without walking it: open addressing over a keyed hash, so that nobody can
// choose keys that collide. Building it costs some ns a member, a fraction of what a map of strings costs.
type keyIndex struct {
	seed  maphash.Seed
	slots []keySlot
}

type keySlot struct {
	at   int32 // node of a key; 0 = free, since no key is the document's first node
	hash uint32
}

func newKeyIndex(d *document, object int32) *keyIndex {
	n := d.nodes[object]
	size := 2
	for size < 2*n.count() {
		size *= 2
	}
	x := &keyIndex{seed: maphash.MakeSeed(), slots: make([]keySlot, size)}
	var plain []byte
	for i := object + 1; i < n.next; i = d.nodes[i+1].next {
		key := d.nodes[i]
		raw := d.src[key.start:key.end]
		hash := uint32(0)
		if key.meta&metaEscaped == 0 {
			hash = uint32(maphash.String(x.seed, raw))
		} else {
			plain = unescape(plain[:0], raw)
			hash = uint32(maphash.Bytes(x.seed, plain))
		}
		at := int(hash) & (size - 1)
		for x.slots[at].at != 0 && !(x.slots[at].hash == hash && d.sameText(x.slots[at].at, i)) {
			at = (at + 1) & (size - 1)
		}
		if x.slots[at].at == 0 { // else the key repeats, and its first value counts
			x.slots[at] = keySlot{i, hash}
		}
	}
	return x
}

// sameText compares two strings of a document without keeping them.
func (d *document) sameText(a, b int32) bool {
	m, n := d.nodes[a], d.nodes[b]
	x, y := d.src[m.start:m.end], d.src[n.start:n.end]
	return x == y || (m.meta|n.meta)&metaEscaped != 0 && string(unescape(nil, x)) == string(unescape(nil, y))
}

// find returns the node of a key, 0 if there is none.
func (x *keyIndex) find(d *document, key string) int32 {
	hash := uint32(maphash.String(x.seed, key))
	mask := len(x.slots) - 1
	for at := int(hash) & mask; ; at = (at + 1) & mask {
		s := x.slots[at]
		if s.at == 0 || s.hash == hash && d.textIs(s.at, key) {
			return s.at
		}
	}
}
