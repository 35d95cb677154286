package idempotency

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hookline/hookline/eventlog/projection"
)

func testKey(n int) [16]byte {
	h := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	return [16]byte(h[:16])
}

// TestKeyFilter: a key that was added is never denied for its day, beside a writer and over the change of days; of
// others few are taken for present (run with -race).
func TestKeyFilter(t *testing.T) {
	const perDay, days = 150_000, 3
	var k keyFilter
	k.ready.Store(true)
	var added atomic.Int64
	var wg sync.WaitGroup
	for reader := range 2 {
		wg.Go(func() {
			for i := reader; ; i += 7 {
				n := int(added.Load())
				if n == perDay*days {
					return
				}
				if n == 0 {
					continue
				}
				i %= n
				if day := int64(i / perDay); !k.mayHold(day, testKey(i)) {
					t.Errorf("of %d added, key %d of day %d is denied", n, i, day)
					return
				}
			}
		})
	}
	for i := range perDay * days {
		k.add(int64(i/perDay), testKey(i))
		added.Store(int64(i + 1))
	}
	wg.Wait()
	alarms := 0
	for i := range 100_000 {
		if k.mayHold(days-1, testKey(-1-i)) {
			alarms++
		}
	}
	if alarms > 3000 {
		t.Errorf("%d of 100 000 absent keys are taken for present, want at most 3 %%", alarms)
	}
	if k.mayHold(days, testKey(1)) {
		t.Error("a day without keys holds one")
	}
	if !k.mayHold(0, testKey(-1)) {
		t.Error("a day that is not kept any more is denied")
	}
}

// TestKeyFilterOverflows: over its bound a day's filter denies nothing, and takes no more memory.
func TestKeyFilterOverflows(t *testing.T) {
	var k keyFilter
	k.ready.Store(true)
	k.add(1, testKey(1))
	if k.mayHold(1, testKey(2)) {
		t.Fatal("an absent key is taken for present")
	}
	k.newest.Load().keys = maxDayKeys
	segments := len(*k.newest.Load().segments.Load())
	k.add(1, testKey(3))
	if !k.mayHold(1, testKey(2)) || !k.mayHold(1, testKey(3)) || len(*k.newest.Load().segments.Load()) != segments {
		t.Error("it denies keys although it has not seen all")
	}
}

// TestKeyFilterUnready: before the store's keys are loaded nothing is denied, afterwards what it does not have.
func TestKeyFilterUnready(t *testing.T) {
	mem, log := projection.NewMemory(), oneKey(t)
	before := open(t, mem, log)
	before.follow(t, log, 0)
	before.close(t)
	after := open(t, mem, log)
	defer after.close(t)
	k := new(keyFilter)
	day, absent := int64(start)/dayMS, testKey(9)
	if !k.mayHold(day, absent) {
		t.Error("an unready filter denies a key")
	}
	if err := k.load(after.store); err != nil {
		t.Fatal(err)
	}
	if !k.mayHold(day, [16]byte{0xd}) || k.mayHold(day, absent) || k.mayHold(day+1, [16]byte{0xd}) {
		t.Error("after loading it does not hold what the store does")
	}
}
