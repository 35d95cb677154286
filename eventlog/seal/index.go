package seal

import (
	"maps"
	"sync"
	"sync/atomic"
)

// index is a map read without a lock. New entries go to a second map under the lock; once the reads that had to look
// there have cost as much as copying it would, the copy becomes the one that is read.
type index[K comparable, V any] struct {
	read atomic.Pointer[map[K]V]

	mu     sync.Mutex
	all    map[K]V
	misses int
}

func (x *index[K, V]) get(k K) (V, bool) {
	if m := x.read.Load(); m != nil {
		if v, ok := (*m)[k]; ok {
			return v, true
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	v, ok := x.all[k]
	if ok {
		if x.misses++; x.misses >= len(x.all) {
			x.promote()
		}
	}
	return v, ok
}

func (x *index[K, V]) put(k K, v V) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.all == nil {
		x.all = make(map[K]V)
	}
	_, replaced := x.all[k]
	x.all[k] = v
	if replaced { // the old value must not be read any longer
		x.promote()
	}
}

func (x *index[K, V]) drop(keys ...K) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, k := range keys {
		delete(x.all, k)
	}
	x.promote()
}

func (x *index[K, V]) promote() {
	m := maps.Clone(x.all)
	x.read.Store(&m)
	x.misses = 0
}
