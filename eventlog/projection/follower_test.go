package projection

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
)

// facts is a view that keeps every record's facts by seq, and remembers what it was shown.
type facts struct {
	recall   eventlog.Seq
	recalled []eventlog.Seq
	refuse   eventlog.Seq // Apply fails here
}

var errRefused = errors.New("refused")

func (v *facts) Name() string { return "facts" }

func (v *facts) Apply(w *Batch, b *eventlog.Batch) error {
	for _, r := range b.Records {
		if r.Seq == v.refuse {
			return errRefused
		}
		w.Set(factKey(r.Seq), r.Facts)
	}
	return nil
}

func (v *facts) RecallRecords() eventlog.Seq { return v.recall }

func (v *facts) Recall(b *eventlog.Batch) error {
	for _, r := range b.Records {
		v.recalled = append(v.recalled, r.Seq)
	}
	return nil
}

func factKey(seq eventlog.Seq) []byte { return binary.BigEndian.AppendUint64([]byte{'f'}, uint64(seq)) }

// source is a log and its writer.
type source struct {
	*memlog.Log
	w eventlog.Writer
}

func newSource(t testing.TB) *source {
	log := memlog.New(memlog.Options{Now: func() int64 { return 1 }})
	w, err := log.Acquire(context.Background(), "test")
	if err != nil {
		t.Fatal(err)
	}
	return &source{log, w}
}

// write appends n records as one batch and returns the last seq.
func (s *source) write(t testing.TB, n int) eventlog.Seq {
	t.Helper()
	var batch []eventlog.Record
	for i := range n {
		batch = append(batch, eventlog.Record{Type: 7, Time: 1, Facts: fmt.Appendf(nil, "facts %d", int(s.w.Next())+i)})
	}
	c := s.w.Append(batch)
	if err := c.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c.Last
}

func newFollower(t testing.TB, o FollowerOptions) *Follower {
	t.Helper()
	o.Logger = quiet()
	f, err := NewFollower(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Stop() })
	return f
}

// applied checks that a store has the keys of the records 1 to the checkpoint, and no other.
func applied(t testing.TB, s *Store, log eventlog.Log) eventlog.Seq {
	t.Helper()
	it, seq, err := s.IterAt("facts", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	want := eventlog.Seq(0)
	for ok := it.First(); ok; ok = it.Next() {
		want++
		if !slices.Equal(it.Key(), factKey(want)) {
			t.Fatalf("at checkpoint %d, key %x where record %d should be", seq, it.Key(), want)
		}
		if r, err := log.Get(context.Background(), want); err != nil || !slices.Equal(it.Value(), r.Facts) {
			t.Fatalf("record %d: %q, want %q %v", want, it.Value(), r.Facts, err)
		}
	}
	if want != seq {
		t.Fatalf("%d records at checkpoint %d", want, seq)
	}
	return seq
}

// TestFollowsLive: what WaitFor has seen is readable; a restarted follower goes on where the one before was.
func TestFollowsLive(t *testing.T) {
	log, mem := newSource(t), NewMemory()
	s := openStore(t, Options{Memory: mem, Log: log})
	f := newFollower(t, FollowerOptions{Log: log, Store: s, View: &facts{}})
	f.Start()
	f.Start()
	for n := range 20 {
		last := log.write(t, n+1)
		if err := f.WaitFor(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		if got := applied(t, s, log); got < last || f.Seq() < last {
			t.Fatalf("waited for %d, there is %d, Seq %d", last, got, f.Seq())
		}
	}
	if err := f.Stop(); err != nil {
		t.Error(err)
	}
	last := log.write(t, 3)
	if err := f.WaitFor(t.Context(), last); !errors.Is(err, ErrStopped) {
		t.Errorf("waiting for a stopped follower: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, Options{Memory: mem, Log: log})
	v := &facts{recall: 5}
	g := newFollower(t, FollowerOptions{Log: log, Store: s, View: v})
	if g.Seq() != last-3 {
		t.Errorf("before the start Seq is %d, want the checkpoint %d", g.Seq(), last-3)
	}
	g.Start()
	if err := g.WaitFor(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	applied(t, s, log)
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
	c := last - 3
	if want := []eventlog.Seq{c - 4, c - 3, c - 2, c - 1, c}; !slices.Equal(v.recalled, want) {
		t.Errorf("recalled %v, want the last five before the checkpoint, %v", v.recalled, want)
	}
}

// TestStopAnyTime: Stop is idempotent, tolerates a follower that was never started, and nothing starts after it.
func TestStopAnyTime(t *testing.T) {
	log := newSource(t)
	s := openStore(t, Options{})
	f := newFollower(t, FollowerOptions{Log: log, Store: s, View: &facts{}})
	for range 2 {
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
	}
	f.Start()
	<-f.Done()
	if err := f.WaitFor(t.Context(), 1); !errors.Is(err, ErrStopped) {
		t.Errorf("WaitFor: %v", err)
	}
	if s.Checkpoint("facts") != 0 {
		t.Error("it has followed after Stop")
	}
}

// TestViewError: a view's error stops its follower, with the place; what came before stays.
func TestViewError(t *testing.T) {
	log := newSource(t)
	s := openStore(t, Options{})
	good := log.write(t, 2)
	f := newFollower(t, FollowerOptions{Log: log, Store: s, View: &facts{refuse: good + 2}})
	f.Start()
	if err := f.WaitFor(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	last := log.write(t, 3)
	err := f.WaitFor(t.Context(), last)
	if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), "view facts at 4 to 6") {
		t.Errorf("WaitFor: %v", err)
	}
	<-f.Done()
	if !errors.Is(f.Err(), errRefused) || !errors.Is(f.Stop(), errRefused) {
		t.Errorf("Err: %v", f.Err())
	}
	if got := applied(t, s, log); got != good {
		t.Errorf("applied %d, want %d", got, good)
	}
}

// broken is a log that reports damage at a seq.
type broken struct {
	*source
	at eventlog.Seq
}

func (b broken) ReadBatches(ctx context.Context, after eventlog.Seq) iter.Seq2[eventlog.Batch, error] {
	return func(yield func(eventlog.Batch, error) bool) {
		for batch, err := range b.source.ReadBatches(ctx, after) {
			if err == nil && batch.Last() >= b.at {
				yield(eventlog.Batch{}, &eventlog.CorruptError{First: batch.First, Last: batch.Last(), What: "test"})
				return
			}
			if !yield(batch, err) {
				return
			}
		}
	}
}

// TestLogErrorPasses: damage of the log stops the follower with eventlog.ErrCorrupt; what came before is applied.
func TestLogErrorPasses(t *testing.T) {
	log := newSource(t)
	s := openStore(t, Options{})
	good := log.write(t, 2)
	bad := log.write(t, 2)
	f := newFollower(t, FollowerOptions{Log: broken{log, bad}, Store: s, View: &facts{}})
	f.Start()
	var where *eventlog.CorruptError
	if err := f.WaitFor(t.Context(), bad); !errors.Is(err, eventlog.ErrCorrupt) || !errors.As(err, &where) || where.First != good+1 {
		t.Errorf("WaitFor: %v", err)
	}
	if got := applied(t, s, log); got != good {
		t.Errorf("applied %d, want %d", got, good)
	}
}

// TestLogClosed: a log that is closed under a follower ends it with that error.
func TestLogClosed(t *testing.T) {
	log := newSource(t)
	f := newFollower(t, FollowerOptions{Log: log, Store: openStore(t, Options{}), View: &facts{}})
	f.Start()
	if err := f.WaitFor(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.WaitFor(t.Context(), 100); !errors.Is(err, eventlog.ErrClosed) {
		t.Errorf("WaitFor: %v", err)
	}
}

func TestWaitForEndsWithItsContext(t *testing.T) {
	f := newFollower(t, FollowerOptions{Log: newSource(t), Store: openStore(t, Options{}), View: &facts{}})
	f.Start()
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := f.WaitFor(ctx, 100); !errors.Is(err, why) {
		t.Errorf("WaitFor: %v", err)
	}
}

// TestPause (disk low: views pause first): a paused follower applies nothing, and goes on afterwards.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newSource(t)
		s := openStore(t, Options{})
		var paused atomic.Bool
		paused.Store(true)
		f := newFollower(t, FollowerOptions{Log: log, Store: s, View: &facts{}, Paused: paused.Load, PauseCheck: time.Second})
		f.Start()
		last := log.write(t, 5)
		time.Sleep(time.Minute)
		synctest.Wait()
		if f.Seq() != 0 {
			t.Errorf("a paused follower has applied %d", f.Seq())
		}
		paused.Store(false)
		if err := f.WaitFor(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Stop(), s.Close()); err != nil {
			t.Error(err)
		}
	})
}

// TestFlushesInTime: after FlushEvery, or after FlushRecords, what was applied survives a loss of power.
func TestFlushesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, mem := newSource(t), NewMemory()
		s := openStore(t, Options{Memory: mem})
		f := newFollower(t, FollowerOptions{Log: log, Store: s, View: &facts{}, FlushRecords: 1000})
		f.Start()
		kept := func() eventlog.Seq {
			synctest.Wait()
			c := openStore(t, Options{Memory: mem.Crash(0)})
			defer c.Close()
			return applied(t, c, log)
		}
		apply := func(n int) (last eventlog.Seq) {
			last = log.write(t, n)
			if err := f.WaitFor(t.Context(), last); err != nil {
				t.Fatal(err)
			}
			return last
		}
		last := apply(10)
		time.Sleep(8 * time.Second)
		if got := kept(); got != 0 {
			t.Errorf("durable after 8 s: %d, so that this test shows nothing", got)
		}
		time.Sleep(2 * time.Second)
		if got := kept(); got != last {
			t.Errorf("durable after 10 s: %d, applied %d", got, last)
		}
		apply(500)
		last = apply(600)
		if got := kept(); got != last {
			t.Errorf("durable after 1100 records: %d, applied %d", got, last)
		}
		if err := errors.Join(f.Stop(), s.Close()); err != nil {
			t.Error(err)
		}
	})
}

// TestLossOfPower: whenever power is lost, the store comes back at one of its checkpoints with exactly the keys of the
// records up to it, and catches up.
func TestLossOfPower(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		log, mem := newSource(t), NewMemory()
		for range rapid.IntRange(1, 4).Draw(rt, "lives") {
			s, err := Open(context.Background(), Options{Dir: "views", Memory: mem, Log: log, Logger: quiet(), MemtableBytes: 1 << 20})
			if err != nil {
				rt.Fatal(err)
			}
			f, err := NewFollower(FollowerOptions{Log: log, Store: s, View: &facts{}, Logger: quiet(),
				FlushRecords: rapid.IntRange(1, 50).Draw(rt, "flush")})
			if err != nil {
				rt.Fatal(err)
			}
			before := applied(t, s, log)
			f.Start()
			var last eventlog.Seq
			for range rapid.IntRange(1, 6).Draw(rt, "batches") {
				last = log.write(t, rapid.IntRange(1, 30).Draw(rt, "records"))
			}
			if err := f.WaitFor(context.Background(), rapid.SampledFrom([]eventlog.Seq{before, last / 2, last}).Draw(rt, "wait")); err != nil {
				rt.Fatal(err)
			}
			crashed := mem.Crash(rapid.Uint64().Draw(rt, "crash"))
			if err := errors.Join(f.Stop(), s.Close()); err != nil {
				rt.Fatal(err)
			}
			mem = crashed
		}
		s, err := Open(context.Background(), Options{Dir: "views", Memory: mem, Log: log, Logger: quiet()})
		if err != nil {
			rt.Fatal(err)
		}
		applied(t, s, log)
		if _, err := Fold(context.Background(), FoldOptions{Log: log, Store: s, View: &facts{}}); err != nil {
			rt.Fatal(err)
		}
		if head, _ := log.Head(context.Background()); applied(t, s, log) != head.Seq {
			rt.Fatalf("at %d, head %d", s.Checkpoint("facts"), head.Seq)
		}
		if err := s.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

// TestForeignLog: a store that was made from another log, or is ahead of this one, is begun anew.
func TestForeignLog(t *testing.T) {
	build := func(t *testing.T) (*source, *Memory, eventlog.Seq) {
		log, mem := newSource(t), NewMemory()
		log.write(t, 3)
		last := log.write(t, 4)
		s := openStore(t, Options{Memory: mem, Log: log})
		if _, err := Fold(t.Context(), FoldOptions{Log: log, Store: s, View: &facts{}, Until: last - 4}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return log, mem, last - 4
	}
	t.Run("the same", func(t *testing.T) {
		log, mem, at := build(t)
		if got := openStore(t, Options{Memory: mem, Log: log}).Checkpoint("facts"); got != at {
			t.Errorf("checkpoint %d, want %d", got, at)
		}
	})
	t.Run("another chain", func(t *testing.T) {
		_, mem, _ := build(t)
		other := newSource(t)
		other.write(t, 3)
		other.write(t, 4)
		s := openStore(t, Options{Memory: mem, Log: other})
		if got := applied(t, s, other); got != 0 {
			t.Errorf("checkpoint %d, want 0", got)
		}
	})
	t.Run("a restored, shorter one", func(t *testing.T) {
		_, mem, _ := build(t)
		s := openStore(t, Options{Memory: mem, Log: newSource(t)})
		if got := s.Checkpoint("facts"); got != 0 {
			t.Errorf("checkpoint %d, want 0", got)
		}
	})
	t.Run("closed", func(t *testing.T) {
		log, mem, at := build(t)
		_ = log.Close()
		if _, err := Open(t.Context(), Options{Dir: "views", Memory: mem, Log: log, Logger: quiet()}); !errors.Is(err, eventlog.ErrClosed) {
			t.Errorf("open with a closed log: %v", err)
		}
		if got := openStore(t, Options{Memory: mem}).Checkpoint("facts"); got != at {
			t.Errorf("the log's fault emptied the store: checkpoint %d, want %d", got, at)
		}
	})
}

// TestFoldInsideABatch: a checkpoint inside a log batch (it never stands there by itself) is gone on from.
func TestFoldInsideABatch(t *testing.T) {
	log := newSource(t)
	log.write(t, 10)
	s := openStore(t, Options{})
	var w Batch
	for seq := range eventlog.Seq(4) {
		r, err := log.Get(t.Context(), seq+1)
		if err != nil {
			t.Fatal(err)
		}
		w.Set(factKey(r.Seq), r.Facts)
	}
	if err := s.commit("facts", &w, checkpoint{seq: 4}); err != nil {
		t.Fatal(err)
	}
	if _, err := Fold(t.Context(), FoldOptions{Log: log, Store: s, View: &facts{}}); err != nil {
		t.Fatal(err)
	}
	if got := applied(t, s, log); got != 11 {
		t.Errorf("applied %d, want 11", got)
	}
}

func TestFollowerOptionsAreChecked(t *testing.T) {
	ok := FollowerOptions{Log: newSource(t), Store: openStore(t, Options{}), View: &facts{}}
	for want, change := range map[string]func(*FollowerOptions){
		"required":     func(o *FollowerOptions) { o.Log = nil },
		"PauseCheck":   func(o *FollowerOptions) { o.PauseCheck = -1 },
		"FlushRecords": func(o *FollowerOptions) { o.FlushRecords = -1 },
	} {
		o := ok
		change(&o)
		if _, err := NewFollower(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
