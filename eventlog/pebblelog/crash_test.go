package pebblelog

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

// TestCrash cuts the power at any point of appending, hundreds of times, most on what the time before left. Every
// batch that was acknowledged is there, and every batch that is there is whole (promise 1).
func TestCrash(t *testing.T) {
	cycles := 300
	if testing.Short() {
		cycles = 40
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var fs *vfs.MemFS
	var acked eventlog.Seq
	for cycle := range cycles {
		if cycle%20 == 0 { // what was is read in every cycle: keep it small
			fs, acked = vfs.NewCrashableMem(), 0
		}
		fs, acked = crashOnce(t, fs, acked, rng)
		if t.Failed() {
			t.Fatalf("in cycle %d", cycle)
		}
	}
	l := mustOpen(t, memOptions(fs))
	last, err := readAll(t, l)
	if err != nil || last < acked {
		t.Fatalf("at the end %d records of %d are there: %v", last, acked, err)
	}
	t.Logf("the last log has %d records", last)
}

// crashOnce opens, appends, crashes in the middle, and returns the file system as it then is, and what was
// acknowledged before it was taken.
func crashOnce(t *testing.T, fs *vfs.MemFS, acked eventlog.Seq, rng *rand.Rand) (*vfs.MemFS, eventlog.Seq) {
	l, err := Open(memOptions(fs))
	if err != nil {
		t.Fatalf("after a crash: %v", err)
	}
	if last, err := readAll(t, l); err != nil || last < acked {
		t.Fatalf("%d records of %d acknowledged ones are there: %v", last, acked, err)
	}
	batchEnds := make(map[eventlog.Seq]bool)
	for b, err := range l.ReadBatches(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		batchEnds[b.Last()] = true
		if want := int(1 + b.First%11); b.First > 1 && len(b.Records) != want && b.Records[0].Type != eventlog.TypeEpochStarted {
			t.Fatalf("batch at %d has %d records, %d were appended", b.First, len(b.Records), want)
		}
	}
	var known atomic.Uint64 // acknowledged so far
	known.Store(uint64(acked))
	var clone *vfs.MemFS
	var atCrash eventlog.Seq
	var crash sync.WaitGroup
	at, total, percent := rng.IntN(60), 60, rng.IntN(101)
	cloneRNG := rand.New(rand.NewPCG(rng.Uint64(), 1))
	takeClone := func() {
		atCrash = eventlog.Seq(known.Load()) // before the clone: what is acknowledged meanwhile may be in it or not
		clone = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: cloneRNG})
	}
	w := mustAcquire(t, l)
	var waits sync.WaitGroup
	for i := range total {
		if i == at {
			crash.Go(takeClone) // while appends go on
		}
		c := w.Append(numbered(w.Next(), int(1+w.Next()%11)))
		waits.Go(func() {
			if err := c.Wait(context.Background()); err != nil {
				t.Error(err)
			}
			for {
				k := known.Load()
				if uint64(c.Last) <= k || known.CompareAndSwap(k, uint64(c.Last)) {
					return
				}
			}
		})
		if rng.IntN(10) == 0 {
			mustWait(t, c)
		}
	}
	crash.Wait()
	waits.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return clone, atCrash
}
