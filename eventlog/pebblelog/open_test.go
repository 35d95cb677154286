package pebblelog

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

func TestInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b") // both are made
	o := Options{Dir: dir, ScrubRate: -1, Logger: quiet()}
	l := mustOpen(t, o)
	if _, err := Open(o); !errors.Is(err, eventlog.ErrInUse) {
		t.Errorf("second opener: %v, want ErrInUse", err)
	}
	ro := o
	ro.ReadOnly = true
	if _, err := Open(ro); !errors.Is(err, eventlog.ErrInUse) {
		t.Errorf("reader beside a writer: %v, want ErrInUse", err)
	}
	// A child that lives on must not hold on to the lock.
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = child.Wait() }()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, o)
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	one, two := mustOpen(t, ro), mustOpen(t, ro)
	if _, err := Open(o); !errors.Is(err, eventlog.ErrInUse) {
		t.Errorf("writer beside readers: %v, want ErrInUse", err)
	}
	_, _ = one, two
}

// TestInUseByAnotherProcess runs this test binary a second time.
func TestInUseByAnotherProcess(t *testing.T) {
	if dir := os.Getenv("PEBBLELOG_HOLD"); dir != "" {
		l, err := Open(Options{Dir: dir, ScrubRate: -1})
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("held\n")
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		_ = l.Close()
		return
	}
	dir := t.TempDir()
	other := exec.Command(os.Args[0], "-test.run", "^TestInUseByAnotherProcess$")
	other.Env = append(os.Environ(), "PEBBLELOG_HOLD="+dir)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process says %q: %v", line, err)
	}
	if _, err := Open(Options{Dir: dir}); !errors.Is(err, eventlog.ErrInUse) {
		t.Errorf("error is %v, want ErrInUse", err)
	}
	_ = in.Close()
	if err := other.Wait(); err != nil {
		t.Error(err)
	}
	mustOpen(t, Options{Dir: dir, ScrubRate: -1})
}

func TestReadOnly(t *testing.T) {
	fs := vfs.NewMem()
	o := memOptions(fs)
	o.ReadOnly = true
	if _, err := Open(o); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reading no log: %v, want ErrNotExist", err)
	}
	l := mustOpen(t, memOptions(fs))
	w := mustAcquire(t, l)
	mustWait(t, w.Append(numbered(w.Next(), 20)))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	before := map[string]string{}
	for _, name := range files(t, fs, "/log") {
		before[name] = string(readFile(t, fs, name))
	}
	r := mustOpen(t, o)
	if last, err := readAll(t, r); err != nil || last != 21 {
		t.Errorf("reads %d records, want 21: %v", last, err)
	}
	if _, err := r.Acquire(context.Background(), "w"); err == nil {
		t.Error("a reader acquires")
	}
	if _, err := r.Verify(context.Background(), nil); err != nil {
		t.Error(err)
	}
	if err := r.Backup(context.Background(), "/backup"); err == nil {
		t.Error("a reader backs up")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range files(t, fs, "/log") {
		if before[name] != string(readFile(t, fs, name)) {
			t.Errorf("reading changed %s", name)
		}
	}
}

// TestBackup copies while appends go on: what was durable before is in the copy, which is a log of its own.
func TestBackup(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, memOptions(fs))
	w := mustAcquire(t, l)
	for range 50 {
		mustWait(t, w.Append(numbered(w.Next(), 5)))
	}
	head := l.head.Load().Seq
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = w.Append(numbered(w.Next(), 3)).Wait(context.Background())
			}
		}
	}()
	if err := l.Backup(context.Background(), "/backups/one"); err != nil {
		t.Fatal(err)
	}
	close(stop)
	<-stopped
	if err := l.Backup(context.Background(), "/backups/one"); !errors.Is(err, os.ErrExist) {
		t.Errorf("over another backup: %v, want ErrExist", err)
	}
	if last, err := readAll(t, l); err != nil || last != l.head.Load().Seq {
		t.Errorf("the log itself has %d records: %v", last, err)
	}
	o := memOptions(fs)
	o.Dir = "/backups/one"
	b := mustOpen(t, o)
	last, err := readAll(t, b)
	if err != nil || last < head {
		t.Errorf("the backup has %d records, want %d or more: %v", last, head, err)
	}
	if _, err := b.Verify(context.Background(), nil); err != nil {
		t.Error(err)
	}
	if w := mustAcquire(t, b); w.Epoch().Number != 2 || w.Next() != last+2 {
		t.Errorf("epoch %d, next %d, want 2 and %d", w.Epoch().Number, w.Next(), last+2)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Backup(ctx, "/backups/two"); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestVerify(t *testing.T) {
	l := mustOpen(t, memOptions(vfs.NewMem()))
	w := mustAcquire(t, l)
	for range 300 {
		mustWait(t, w.Append(numbered(w.Next(), 10)))
	}
	var seen []eventlog.Seq
	r, err := l.Verify(context.Background(), func(done, total eventlog.Seq, _ int64) {
		if total != 3001 {
			t.Errorf("total is %d, want 3001", total)
		}
		seen = append(seen, done)
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Records != 3001 || r.Batches != 301 || r.Sections != 2000 || r.Removed != 0 || r.Head != *l.head.Load() {
		t.Errorf("report is %+v", r)
	}
	if len(seen) == 0 || seen[len(seen)-1] != 3001 {
		t.Errorf("progress is %v, want it to end at 3001", seen)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Verify(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// TestRemovedInPlace: section data that was removed under a rule is gone, its record stays provable.
func TestRemovedInPlace(t *testing.T) {
	l := mustOpen(t, memOptions(vfs.NewMem()))
	w := mustAcquire(t, l)
	mustWait(t, w.Append(numbered(w.Next(), 10)))
	r, err := l.Get(context.Background(), 4)
	if err != nil {
		t.Fatal(err)
	}
	r.Sections[0].Removed = true
	key := makeKey(keySections, 4)
	if err := l.db.Set(key[:], eventlog.AppendSections(nil, r.Sections), nil); err != nil {
		t.Fatal(err)
	}
	got, err := l.Get(context.Background(), 4)
	if err != nil || !got.Sections[0].Removed || got.Sections[0].Data != nil || got.Sections[0].Len == 0 {
		t.Errorf("section is %+v: %v", got.Sections, err)
	}
	if report, err := l.Verify(context.Background(), nil); err != nil || report.Removed != 1 {
		t.Errorf("verify counts %d removed sections, want 1: %v", report.Removed, err)
	}
}

// TestScrub finds damage that nobody reads.
func TestScrub(t *testing.T) {
	found := make(chan *eventlog.CorruptError, 16)
	o := memOptions(vfs.NewMem())
	o.ScrubRate, o.ScrubPause = 1<<30, time.Millisecond
	o.OnCorrupt = func(c *eventlog.CorruptError) {
		select {
		case found <- c:
		default:
		}
	}
	l := mustOpen(t, o)
	w := mustAcquire(t, l)
	mustWait(t, w.Append(numbered(w.Next(), 10)))
	key := makeKey(keySections, 5)
	if err := l.db.Delete(key[:], nil); err != nil {
		t.Fatal(err)
	}
	if c := <-found; c.First != 5 || c.Last != 5 {
		t.Errorf("scrub names %d to %d, want 5 to 5", c.First, c.Last)
	}
}

// TestIdleFlush: an idle log lets go of its write-ahead log.
func TestIdleFlush(t *testing.T) {
	o := memOptions(vfs.NewMem())
	o.IdleFlush = tick
	l := mustOpen(t, o)
	w := mustAcquire(t, l)
	var flushed atomic.Bool
	for i := 0; !flushed.Load(); i++ {
		if i > 600 {
			t.Fatal("nothing was flushed in a minute")
		}
		if i == 0 {
			for range 40 {
				mustWait(t, w.Append(numbered(w.Next(), 50)))
			}
		}
		time.Sleep(tick) // polls for what the log's own clock brings about
		flushed.Store(l.db.Metrics().Flush.Count > 0)
	}
}
