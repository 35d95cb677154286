package projection

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/eventlog"
)

// held is a view that writes nothing before Finish: a key for every ten records, with the last of them it has seen.
type held struct {
	last  eventlog.Seq
	dirty bool
	fail  error
}

func (v *held) Name() string                   { return "held" }
func (v *held) RecallRecords() eventlog.Seq    { return 10 }
func (v *held) Recall(b *eventlog.Batch) error { return v.Apply(new(Batch), b) }

func (v *held) Apply(w *Batch, b *eventlog.Batch) error {
	for _, r := range b.Records {
		if r.Seq/10 != v.last/10 && v.dirty {
			v.set(w)
		}
		v.last, v.dirty = r.Seq, true
	}
	return nil
}

func (v *held) set(w *Batch) { w.Set(factKey(v.last/10), factKey(v.last)) }

func (v *held) Finish(w *Batch) error {
	if v.dirty {
		v.set(w)
	}
	v.dirty = false
	return v.fail
}

// TestFinish: whatever is held back is in the store together with the checkpoint that says so, after every commit.
func TestFinish(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		log := newSource(t)
		s, err := Open(t.Context(), Options{Dir: "views", Memory: NewMemory(), Logger: quiet(), MemtableBytes: 1 << 20})
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		v := new(held)
		for range rapid.IntRange(1, 6).Draw(rt, "commits") {
			for range rapid.IntRange(1, 3).Draw(rt, "batches") {
				log.write(t, rapid.IntRange(1, 15).Draw(rt, "records"))
			}
			head, err := Fold(t.Context(), FoldOptions{Log: log, Store: s, View: v})
			if err != nil {
				rt.Fatal(err)
			}
			for n := range head/10 + 1 {
				got, found, err := s.Get(factKey(n), nil)
				if want := factKey(min(n*10+9, head)); err != nil || !found || string(got) != string(want) {
					rt.Fatalf("at %d, tens %d: %x %v %v, want %x", head, n, got, found, err, want)
				}
			}
		}
	})
}

// TestFinishFails: what cannot be finished is not committed, and stops the view.
func TestFinishFails(t *testing.T) {
	log, s := newSource(t), openStore(t, Options{Memory: NewMemory()})
	log.write(t, 3)
	_, err := Fold(t.Context(), FoldOptions{Log: log, Store: s, View: &held{fail: errRefused}})
	if !errors.Is(err, errRefused) || s.Checkpoint("held") != 0 {
		t.Errorf("%v at %d", err, s.Checkpoint("held"))
	}
}

// TestFlushesTogether: what one view's flush took along is not flushed again for another.
func TestFlushesTogether(t *testing.T) {
	mem := NewMemory()
	synctest.Test(t, func(t *testing.T) {
		log, s := newSource(t), openStore(t, Options{Memory: mem})
		defer s.Close()
		slow := newFollower(t, FollowerOptions{Log: log, Store: s, View: new(held), Gather: -1, FlushEvery: time.Hour})
		quick := newFollower(t, FollowerOptions{Log: log, Store: s, View: new(facts), Gather: -1, FlushEvery: 9 * time.Second})
		for _, f := range []*Follower{slow, quick} {
			f.Start()
		}
		head := log.write(t, 20)
		for _, f := range []*Follower{slow, quick} {
			if err := f.WaitFor(t.Context(), head); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := s.flushes.Load(); n != 1 {
			t.Errorf("%d flushes in the first 10 s, want the quick one's", n)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if n := s.flushes.Load(); n != 1 {
			t.Errorf("%d flushes while nothing was written, want no further one", n)
		}
		for _, f := range []*Follower{slow, quick} {
			if err := f.Stop(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestDigest: it covers the keys in its bounds, and stands at the checkpoint of the view that is asked for.
func TestDigest(t *testing.T) {
	s := openStore(t, Options{Memory: NewMemory()})
	put(t, s, 3, "a", "b", "c")
	digest := func(lower, upper string) string {
		d, seq, err := s.Digest(t.Context(), "v", []byte(lower), []byte(upper))
		if err != nil || seq != s.Checkpoint("v") {
			t.Fatal(seq, err)
		}
		return fmt.Sprintf("%x", d)
	}
	all, some := digest("a", "d"), digest("b", "c")
	put(t, s, 4, "c2")
	if digest("b", "c") != some || digest("a", "d") == all || all == some {
		t.Error("the digest does not follow the keys in its bounds")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errRefused)
	for i := range 2000 {
		put(t, s, 5, fmt.Sprint("x", i))
	}
	if _, _, err := s.Digest(ctx, "v", nil, nil); !errors.Is(err, errRefused) {
		t.Errorf("a digest nobody waits for: %v", err)
	}
}
