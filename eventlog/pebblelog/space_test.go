package pebblelog

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestLowSpace: low below the line, and until twice as much is free again.
func TestLowSpace(t *testing.T) {
	var free atomic.Uint64
	free.Store(1000)
	o := memOptions(vfs.NewMem())
	o.LowWater, o.Reserve, o.Free = 400, 100, func() (uint64, error) { return free.Load(), nil }
	l := mustOpen(t, o)
	for i, step := range []struct {
		free uint64
		low  bool
	}{{1000, false}, {400, false}, {399, true}, {100, true}, {799, true}, {800, false}, {401, false}, {300, true}} {
		free.Store(step.free)
		if err := l.space.poll(); err != nil {
			t.Fatal(err)
		}
		if l.LowSpace() != step.low {
			t.Errorf("step %d: with %d free low is %v, want %v", i, step.free, l.LowSpace(), step.low)
		}
		if f, low := l.FreeSpace(); f != step.free || low != 400 {
			t.Errorf("step %d: free space is %d of %d, want %d of 400", i, f, low, step.free)
		}
	}
}

// TestReserve: below the reserve the log stops rather than meet a full disk.
func TestReserve(t *testing.T) {
	var free atomic.Uint64
	free.Store(1000)
	why := make(chan error, 1)
	o := memOptions(vfs.NewMem())
	o.LowWater, o.Reserve, o.Free = 400, 100, func() (uint64, error) { return free.Load(), nil }
	o.OnFatal = func(err error) { why <- err }
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	w := mustAcquire(t, l)
	mustWait(t, w.Append(numbered(w.Next(), 1)))
	free.Store(99)
	if err := <-why; !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), "reserve is 100") {
		t.Errorf("fatal with %v, want ErrDisk that names the reserve", err)
	}
	if err := w.Append(numbered(w.Next(), 1)).Wait(context.Background()); !errors.Is(err, ErrDisk) {
		t.Errorf("append ends with %v, want ErrDisk", err)
	}
	bury(t, l)
	if _, err := Open(o); !errors.Is(err, ErrDisk) {
		t.Errorf("opening without the reserve: %v, want ErrDisk", err)
	}
	o.ReadOnly = true
	mustOpen(t, o)
}

func TestUnknownSpaceIsNotLow(t *testing.T) {
	l := mustOpen(t, memOptions(vfs.NewMem())) // a file system that cannot say
	if l.LowSpace() {
		t.Error("low")
	}
	real := mustOpen(t, Options{Dir: t.TempDir(), ScrubRate: -1, LowWater: 1 << 62, Reserve: 1, Logger: quiet()})
	if free, _ := real.FreeSpace(); free == 0 || !real.LowSpace() {
		t.Errorf("the disk has %d free, low is %v under a line of 2^62", free, real.LowSpace())
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, spoil := range map[string]func(*Options){
		"Dir":            func(o *Options) { o.Dir = "" },
		"MemTable":       func(o *Options) { o.MemTable = 1000 },
		"Cache":          func(o *Options) { o.Cache = -1 },
		"Batches":        func(o *Options) { o.Batches = 257 },
		"BatchBytes":     func(o *Options) { o.BatchBytes = -1 },
		"Reserve":        func(o *Options) { o.LowWater, o.Reserve = 10, 10 },
		"CommitDeadline": func(o *Options) { o.CommitDeadline = 1 },
		"IdleFlush":      func(o *Options) { o.IdleFlush = -1 },
	} {
		o := memOptions(vfs.NewMem())
		spoil(&o)
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one that names %s", err, want)
		}
	}
}
