package idempotency

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/hookline/hookline/eventlog/projection"
)

// Most idempotency keys that are asked for are new, and to find out by the store costs some 20 µs, blocks read and
// unpacked. keyFilter knows it in memory: split-block Bloom filters over the keys of the two newest days, 10 bits a key,
// about 1 % false alarms, no false all-clears.
//
// One goroutine adds (the follower's), any number ask. The keys are keyed hashes already, so that nobody can choose
// them to collide; tenants share the filter, which costs a false alarm at worst.
type keyFilter struct {
	ready    atomic.Bool               // it has all keys of the store; before that everything may be there
	newest   atomic.Pointer[dayFilter] // nil = no key yet
	previous atomic.Pointer[dayFilter] // of an earlier day
}

// dayFilter is one day's keys, in segments that double in size as keys come.
type dayFilter struct {
	day      int64
	segments atomic.Pointer[[]*segment]
	left     int // how many keys the last segment takes
	keys     int
	full     atomic.Bool // over maxDayKeys: anything may be there
}

type segment struct{ blocks [][blockWords]uint64 }

const (
	blockWords   = 8       // a cache line; a key sets one bit in each word
	keysPerBlock = 51      // 512 bits at 10 bits a key
	firstBlocks  = 1 << 10 // 64 KiB
	// maxDayKeys bounds memory to 8 MiB a day, and the time to fill the filter at the start to some seconds.
	maxDayKeys = 4 << 20
)

// add notes a key. Days come in order.
func (k *keyFilter) add(day int64, hash [16]byte) {
	d := k.newest.Load()
	if d == nil || d.day < day {
		if d != nil {
			k.previous.Store(d)
		}
		d = &dayFilter{day: day}
		d.segments.Store(&[]*segment{})
		k.newest.Store(d)
	}
	d.add(hash)
}

// mayHold says false when the store has no such key of that day.
func (k *keyFilter) mayHold(day int64, hash [16]byte) bool {
	if !k.ready.Load() {
		return true
	}
	// In this order: a day that stops being the newest meanwhile is the previous one before it stops.
	newest := k.newest.Load()
	previous := k.previous.Load()
	switch {
	case newest == nil || day > newest.day:
		return false
	case day == newest.day:
		return newest.mayHold(hash)
	case previous != nil && day == previous.day:
		return previous.mayHold(hash)
	case previous != nil && day < previous.day:
		return true // older than what is kept here
	}
	return false
}

func (d *dayFilter) add(hash [16]byte) {
	if d.keys++; d.keys > maxDayKeys {
		d.full.Store(true)
		return
	}
	all := *d.segments.Load()
	if d.left == 0 {
		blocks := firstBlocks << len(all)
		all = append(all[:len(all):len(all)], &segment{make([][blockWords]uint64, blocks)})
		d.segments.Store(&all)
		d.left = blocks * keysPerBlock
	}
	d.left--
	block, bits := all[len(all)-1].place(hash)
	for i := range block {
		atomic.StoreUint64(&block[i], block[i]|1<<(bits>>(6*i)&63))
	}
}

func (d *dayFilter) mayHold(hash [16]byte) bool {
	if d.full.Load() {
		return true
	}
	for _, s := range *d.segments.Load() {
		block, bits := s.place(hash)
		held := true
		for i := range block {
			if atomic.LoadUint64(&block[i])>>(bits>>(6*i)&63)&1 == 0 {
				held = false
				break
			}
		}
		if held {
			return true
		}
	}
	return false
}

// place is a key's block in a segment, and the bits that it sets: six bits of the number a word.
func (s *segment) place(hash [16]byte) (block *[blockWords]uint64, bits uint64) {
	// A key that is not random itself would still be spread by the multiplications.
	h := binary.LittleEndian.Uint64(hash[:8])*0x9e3779b97f4a7c15 ^ binary.LittleEndian.Uint64(hash[8:])
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	bits = (h ^ h>>29) * 0xbf58476d1ce4e5b9
	return &s.blocks[h>>32&uint64(len(s.blocks)-1)], bits >> 16
}

// load adds the keys of a store, once, before anything newer is added. A fault leaves the filter unready: then every
// key is looked up.
func (k *keyFilter) load(store *projection.Store) error {
	it, err := store.Iter([]byte{keyDedupe}, []byte{keyDedupe + 1})
	if err != nil {
		return err
	}
	// Keys sort by day. Only the two newest are kept, so older ones need not be read.
	if it.Last() {
		newest := dayOf(it.Key())
		for ok := it.SeekGE(appendDay(nil, newest-1)); ok; ok = it.Next() {
			key := it.Key()
			if n := len(key); n >= 16 {
				day := dayOf(key)
				k.add(day, [16]byte(key[n-16:]))
				if d := k.newest.Load(); d.full.Load() && day < newest {
					it.SeekLT(appendDay(nil, day+1)) // the rest of that day changes nothing
				} else if d.full.Load() {
					break
				}
			}
		}
	}
	if err := it.Close(); err != nil {
		return err
	}
	k.ready.Store(true)
	return nil
}
