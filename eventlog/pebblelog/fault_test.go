package pebblelog

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/hookline/hookline/eventlog"
)

// bury ends what a failed log leaves running in Pebble: in life the process ends. The disk works again.
func bury(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	l.pipeline.Wait()
	defer func() {
		if p := recover(); p != nil {
			t.Logf("Pebble's Close after a failure: %v", p)
		}
	}()
	_ = l.db.Close()
}

// failing is a file system on which operations fail once it is told so.
type failing struct {
	*errorfs.FS
	broken atomic.Bool
	hits   atomic.Int64
}

func newFailing(match func(errorfs.Op) error) *failing {
	f := &failing{}
	f.FS = errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !f.broken.Load() {
			return nil
		}
		err := match(op)
		if err != nil {
			f.hits.Add(1)
		}
		return err
	}))
	return f
}

func walOp(kinds ...errorfs.OpKind) func(errorfs.Op) error {
	return func(op errorfs.Op) error {
		for _, k := range kinds {
			if op.Kind == k && strings.HasSuffix(op.Path, ".log") {
				return syscall.EIO
			}
		}
		return nil
	}
}

// TestDiskFaults breaks the disk under a running log. Nothing is acknowledged after that, the fault is fatal exactly
// once, everything under way and later fails with ErrDisk, and what was durable can still be read.
func TestDiskFaults(t *testing.T) {
	for name, match := range map[string]func(errorfs.Op) error{
		"fsync of the write-ahead log": walOp(errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo),
		"write of the write-ahead log": walOp(errorfs.OpFileWrite),
	} {
		t.Run(name, func(t *testing.T) {
			fs := newFailing(match)
			var fatal atomic.Int64
			why := make(chan error, 8)
			o := memOptions(fs)
			o.OnFatal = func(err error) { fatal.Add(1); why <- err }
			l, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			w := mustAcquire(t, l)
			mustWait(t, w.Append(numbered(w.Next(), 10)))
			head := l.head.Load().Seq

			fs.broken.Store(true)
			var commits []*eventlog.Commit
			for range 20 {
				commits = append(commits, w.Append(numbered(w.Next(), 3)))
			}
			for _, c := range commits {
				if err := c.Wait(context.Background()); !errors.Is(err, ErrDisk) {
					t.Fatalf("commit of seq %d ends with %v, want ErrDisk: never acknowledged", c.First, err)
				}
			}
			if err := <-why; !errors.Is(err, ErrDisk) || fs.hits.Load() == 0 {
				t.Errorf("fatal with %v after %d faults", err, fs.hits.Load())
			}
			if err := w.Append(numbered(w.Next(), 1)).Wait(context.Background()); !errors.Is(err, ErrDisk) {
				t.Errorf("a later append ends with %v, want ErrDisk", err)
			}
			if _, err := l.Acquire(context.Background(), "again"); !errors.Is(err, ErrDisk) {
				t.Errorf("acquire ends with %v, want ErrDisk", err)
			}
			if err := l.Wait(context.Background(), head); !errors.Is(err, ErrDisk) {
				t.Errorf("wait for more ends with %v, want ErrDisk", err)
			}
			if last, err := readAll(t, l); err != nil || last != head {
				t.Errorf("reads %d records, want the %d durable ones: %v", last, head, err)
			}
			fs.broken.Store(false)
			bury(t, l)
			if fatal.Load() != 1 {
				t.Errorf("fatal %d times, want once", fatal.Load())
			}
		})
	}
}

// TestFullDiskAtFlush: Pebble answers ENOSPC of a flush by trying again for ever. It must be fatal instead.
func TestFullDiskAtFlush(t *testing.T) {
	fs := newFailing(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".sst") {
			return syscall.ENOSPC
		}
		return nil
	})
	why := make(chan error, 1)
	o := memOptions(fs)
	o.OnFatal = func(err error) { why <- err; fs.broken.Store(false) } // lets Pebble's flush end, so that nothing is left
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	w := mustAcquire(t, l)
	mustWait(t, w.Append(numbered(w.Next(), 10)))
	fs.broken.Store(true)
	flushed, err := l.db.AsyncFlush()
	if err != nil {
		t.Fatal(err)
	}
	if err := <-why; !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("fatal with %v, want ErrDisk and ENOSPC", err)
	}
	if err := w.Append(numbered(w.Next(), 1)).Wait(context.Background()); !errors.Is(err, ErrDisk) {
		t.Errorf("append ends with %v, want ErrDisk", err)
	}
	<-flushed
	bury(t, l)
}

// TestStuckCommit: a commit that does not end within the deadline, counted in ticks, is fatal, and neither Append nor
// its waiters hang.
func TestStuckCommit(t *testing.T) {
	gate := make(chan struct{})
	fs := newFailing(func(op errorfs.Op) error {
		if walOp(errorfs.OpFileSync, errorfs.OpFileSyncData)(op) != nil {
			<-gate
		}
		return nil
	})
	why := make(chan error, 1)
	o := memOptions(fs)
	o.CommitDeadline = time.Second
	o.OnFatal = func(err error) { why <- err }
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	w := mustAcquire(t, l)
	fs.broken.Store(true)
	c := w.Append(numbered(w.Next(), 1))
	if err := c.Wait(context.Background()); !errors.Is(err, ErrDisk) {
		t.Errorf("commit ends with %v, want ErrDisk", err)
	}
	if err := <-why; !strings.Contains(err.Error(), "seq 2") {
		t.Errorf("fatal with %q, want the seq in it", err)
	}
	close(gate)
	bury(t, l)
}

// TestStuckMark: the goroutine that writes the mark may hang in that; the deadline of commits holds all the same, and so
// does one for itself.
func TestStuckMark(t *testing.T) {
	for name, commits := range map[string]bool{"a commit hangs too": true, "the mark alone": false} {
		t.Run(name, func(t *testing.T) {
			gate, entered := make(chan struct{}), make(chan struct{}, 10)
			var wal atomic.Bool
			fs := newFailing(func(op errorfs.Op) error {
				switch isMark := strings.HasSuffix(op.Path, "/"+markFile); {
				case isMark && op.Kind == errorfs.OpFileWriteAt:
					entered <- struct{}{}
					<-gate
				case wal.Load() && walOp(errorfs.OpFileSync, errorfs.OpFileSyncData)(op) != nil:
					<-gate
				}
				return nil
			})
			why := make(chan error, 1)
			o := memOptions(fs)
			o.CommitDeadline = time.Second
			o.OnFatal = func(err error) { why <- err }
			l, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			w := mustAcquire(t, l)
			fs.broken.Store(true)
			mustWait(t, w.Append(numbered(w.Next(), 1)))
			<-entered
			if wal.Store(commits); commits {
				if err := w.Append(numbered(w.Next(), 1)).Wait(context.Background()); !errors.Is(err, ErrDisk) {
					t.Errorf("commit ends with %v, want ErrDisk", err)
				}
			}
			if err := <-why; !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), "hangs") {
				t.Errorf("fatal with %v", err)
			}
			fs.broken.Store(false)
			close(gate)
			bury(t, l)
		})
	}
}

func TestStuckCountsTicks(t *testing.T) {
	var s stuck[*underway]
	a, b := &underway{}, &underway{}
	for i, step := range []struct {
		oldest *underway
		want   time.Duration
	}{{nil, 0}, {a, 0}, {a, tick}, {a, 2 * tick}, {b, 0}, {b, tick}, {nil, 0}, {nil, 0}, {b, 0}} {
		if got := s.tick(step.oldest); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
}

func TestIdleCountsTicks(t *testing.T) {
	var i idle
	for n, step := range []struct {
		head  eventlog.Seq
		total int64
		want  time.Duration
	}{{0, 0, 0}, {1, 100, 0}, {1, 100, 0}, {2, idleBytes, tick}, {2, idleBytes, 2 * tick}, {3, idleBytes + 1, tick}} {
		if got := i.tick(step.head, step.total); got != step.want {
			t.Errorf("step %d: %v, want %v", n, got, step.want)
		}
	}
	i.flushed = idleBytes + 1
	if got := i.tick(3, idleBytes+1); got != 0 {
		t.Errorf("right after a flush: %v, want 0", got)
	}
}
