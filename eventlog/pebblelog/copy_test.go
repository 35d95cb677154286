package pebblelog

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

// batchesOf are a log's batches up to a seq, sections loaded.
func batchesOf(t *testing.T, l *Log, to eventlog.Seq) []eventlog.Batch {
	t.Helper()
	var all []eventlog.Batch
	for b, err := range l.Batches(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if to != 0 && b.Last() > to {
			break
		}
		all = append(all, b)
	}
	return all
}

func filled(t *testing.T, fs vfs.FS) *Log {
	t.Helper()
	l := mustOpen(t, memOptions(fs))
	w := mustAcquire(t, l)
	for range 40 {
		mustWait(t, w.Append(numbered(w.Next(), 7)))
	}
	return l
}

// TestCopy: batches as they were give the same log, seq by seq and chain by chain, on which writing goes on.
func TestCopy(t *testing.T) {
	l := filled(t, vfs.NewMem())
	to := vfs.NewMem()
	c, err := NewCopy(memOptions(to))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batchesOf(t, l, 0) {
		if err := c.Add(&b); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Finish(); err != nil {
		t.Fatal(err)
	}
	is := mustOpen(t, memOptions(to))
	if got, want := *is.head.Load(), *l.head.Load(); got != want {
		t.Errorf("head %+v, want %+v", got, want)
	}
	if last, err := readAll(t, is); err != nil || last != l.head.Load().Seq {
		t.Errorf("%d records are there: %v", last, err)
	}
	if _, err := is.Verify(context.Background(), nil); err != nil {
		t.Error(err)
	}
	w := mustAcquire(t, is)
	if w.Epoch().Number != 2 {
		t.Errorf("epoch %d, want 2", w.Epoch().Number)
	}
	mustWait(t, w.Append(numbered(w.Next(), 3)))
	if _, err := NewCopy(memOptions(to)); err == nil {
		t.Error("a copy over an open log begins")
	}
	_ = is.Close()
	if _, err := NewCopy(memOptions(to)); !errors.Is(err, os.ErrExist) {
		t.Errorf("a copy over a log: %v, want ErrExist", err)
	}
}

// TestCopyRefuses: what does not follow, or is not what its chain says, is refused.
func TestCopyRefuses(t *testing.T) {
	l := filled(t, vfs.NewMem())
	for name, change := range map[string]func(all []eventlog.Batch) *eventlog.Batch{
		"a batch left out":     func(all []eventlog.Batch) *eventlog.Batch { return &all[6] },
		"the same batch again": func(all []eventlog.Batch) *eventlog.Batch { return &all[4] },
		"other facts": func(all []eventlog.Batch) *eventlog.Batch {
			all[5].Records[2].Facts = []byte("others")
			return &all[5]
		},
		"other content": func(all []eventlog.Batch) *eventlog.Batch {
			for i := range all[5].Records {
				if s := all[5].Records[i].Sections; len(s) > 0 {
					s[0].Data = []byte("other content")
					break
				}
			}
			return &all[5]
		},
		"another chain":     func(all []eventlog.Batch) *eventlog.Batch { all[5].Chain[3] ^= 1; return &all[5] },
		"no records at all": func(all []eventlog.Batch) *eventlog.Batch { all[5].Records = nil; return &all[5] },
	} {
		t.Run(name, func(t *testing.T) {
			all := batchesOf(t, l, 0)
			c, err := NewCopy(memOptions(vfs.NewMem()))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				if err := c.Add(&all[i]); err != nil {
					t.Fatal(err)
				}
			}
			before := c.Head()
			if err := c.Add(change(all)); !errors.Is(err, eventlog.ErrCorrupt) {
				t.Errorf("%v, want ErrCorrupt", err)
			}
			if c.Head() != before {
				t.Error("the refused batch counts")
			}
			if err := c.Finish(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCopyBrokenOff: a copy that did not finish does not open as a log.
func TestCopyBrokenOff(t *testing.T) {
	l := filled(t, vfs.NewMem())
	for _, discard := range []bool{false, true} {
		to := vfs.NewCrashableMem()
		c, err := NewCopy(memOptions(to))
		if err != nil {
			t.Fatal(err)
		}
		all := batchesOf(t, l, 0)
		for i := range all[:20] {
			if err := c.Add(&all[i]); err != nil {
				t.Fatal(err)
			}
		}
		left := to.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 2))})
		if err := c.Discard(); err != nil {
			t.Fatal(err)
		}
		if discard {
			left = to
		}
		if _, err := Open(memOptions(left)); !errors.Is(err, eventlog.ErrCorrupt) {
			t.Errorf("discarded %v: %v, want ErrCorrupt", discard, err)
		}
	}
}
