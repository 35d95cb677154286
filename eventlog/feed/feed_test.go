package feed

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"go.uber.org/goleak"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
)

func TestMain(m *testing.M) {
	const suite = "github.com/ThreeDotsLabs/watermill/internal/subscriber.(*multiplier).Subscribe."
	goleak.VerifyTestMain(m, // TestPubSub's suite does not end the goroutines of its own subscribers
		goleak.IgnoreAnyFunction(suite+"func2"), goleak.IgnoreAnyFunction(suite+"func3"))
}

func newLog(t *testing.T) (*memlog.Log, eventlog.Writer) {
	t.Helper()
	l := memlog.New(memlog.Options{Now: func() int64 { return 0 }})
	t.Cleanup(func() { _ = l.Close() })
	w, err := l.Acquire(context.Background(), "test")
	if err != nil {
		t.Fatal(err)
	}
	return l, w
}

func appendTo(t *testing.T, w eventlog.Writer, n int) {
	t.Helper()
	rs := make([]eventlog.Record, n)
	for i := range rs {
		rs[i] = eventlog.Record{Type: 7, Facts: fmt.Appendf(nil, "%d", int(w.Next())+i)}
	}
	if err := w.Append(rs).Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func subscribe(t *testing.T, f *Feed) <-chan *message.Message {
	t.Helper()
	t.Cleanup(func() { _ = f.Close() })
	out, err := f.Subscribe(context.Background(), Topic)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOrder: one message a batch, in order, also what is appended while it reads; the payload is the batch, chain
// included.
func TestOrder(t *testing.T) {
	l, w := newLog(t)
	out := subscribe(t, New(l, Options{}))
	var prev eventlog.Hash
	var h eventlog.Hasher
	next := eventlog.Seq(1)
	for i := range 50 {
		if i > 0 {
			appendTo(t, w, 1+i%4)
		}
		m := <-out
		b, err := Decode(m)
		if err != nil {
			t.Fatal(err)
		}
		if b.First != next || b.Prev != prev || h.Chain(&b) != b.Chain || b.Owner != "test" {
			t.Fatalf("batch at %d, want %d, following the chain", b.First, next)
		}
		for key, want := range map[string]uint64{
			MetadataFirst: uint64(b.First), MetadataLast: uint64(b.Last()), MetadataEpoch: 1,
		} {
			if m.Metadata.Get(key) != strconv.FormatUint(want, 10) {
				t.Errorf("%s is %q, want %d", key, m.Metadata.Get(key), want)
			}
		}
		if m.UUID != strconv.FormatUint(uint64(b.First), 10) {
			t.Errorf("UUID is %q, want %d", m.UUID, b.First)
		}
		next, prev = b.Last()+1, b.Chain
		m.Ack()
	}
}

func TestResume(t *testing.T) {
	l, w := newLog(t)
	for range 5 {
		appendTo(t, w, 3) // 2-4, 5-7, 8-10, 11-13, 14-16
	}
	for after, want := range map[eventlog.Seq]string{0: "1", 1: "2", 4: "5", 5: "5", 7: "8", 15: "14"} {
		m := <-subscribe(t, New(l, Options{After: after}))
		if m.UUID != want {
			t.Errorf("after %d comes %s, want %s", after, m.UUID, want)
		}
	}
}

// TestAckFirst: the next message waits for Ack, a Nack brings the same one again after the pause, not before.
func TestAckFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := newLog(t)
		appendTo(t, w, 1)
		f := New(l, Options{Pause: 5 * time.Second})
		out, err := f.Subscribe(context.Background(), Topic)
		if err != nil {
			t.Fatal(err)
		}
		first := <-out
		for range 3 {
			synctest.Wait()
			select {
			case m := <-out:
				t.Fatalf("message %s before the Ack", m.UUID)
			default:
			}
			start := time.Now()
			first.Nack()
			again := <-out
			if again.UUID != first.UUID || time.Since(start) != 5*time.Second {
				t.Fatalf("after a Nack comes %s after %v, want the same after 5s", again.UUID, time.Since(start))
			}
			if first.Context().Err() == nil {
				t.Error("the context of a nacked message lives on")
			}
			first = again
		}
		first.Ack()
		second := <-out
		if second.UUID != "2" {
			t.Fatalf("then comes %s, want 2", second.UUID)
		}
		_ = f.Close()
		if second.Context().Err() == nil {
			t.Error("the context of a message outlives the feed")
		}
		_ = l.Close()
	})
}

// TestEnds: context, Close of the feed and of the log end a subscription, at whatever it is waiting.
func TestEnds(t *testing.T) {
	for name, end := range map[string]func(cancel func(), f *Feed, l *memlog.Log){
		"context": func(cancel func(), _ *Feed, _ *memlog.Log) { cancel() },
		"feed":    func(_ func(), f *Feed, _ *memlog.Log) { _ = f.Close(); _ = f.Close() },
		"log":     func(_ func(), _ *Feed, l *memlog.Log) { _ = l.Close() },
	} {
		for _, at := range []string{"sending", "ack", "pause", "wait"} {
			if name == "log" && at != "wait" {
				continue // what was read is still delivered
			}
			t.Run(name+" at "+at, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l, _ := newLog(t)
					f := New(l, Options{Pause: time.Hour})
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					out, err := f.Subscribe(ctx, Topic)
					if err != nil {
						t.Fatal(err)
					}
					switch at {
					case "ack":
						<-out
					case "pause":
						(<-out).Nack()
					case "wait":
						(<-out).Ack()
					}
					synctest.Wait()
					end(cancel, f, l)
					synctest.Wait()
					if m, ok := <-out; ok {
						t.Errorf("message %s after the end", m.UUID)
					}
					if f.Err() != nil {
						t.Errorf("error is %v, want none", f.Err())
					}
					_ = f.Close()
					if _, err := f.Subscribe(ctx, Topic); !errors.Is(err, eventlog.ErrClosed) {
						t.Errorf("subscribing to a closed feed: %v, want ErrClosed", err)
					}
				})
			})
		}
	}
}

func TestTopic(t *testing.T) {
	l, _ := newLog(t)
	f := New(l, Options{})
	if _, err := f.Subscribe(context.Background(), "events"); !errors.Is(err, ErrTopic) {
		t.Errorf("error is %v, want ErrTopic", err)
	}
}

// brokenLog is a log whose reads fail.
type brokenLog struct{ eventlog.Log }

func (brokenLog) ReadBatches(context.Context, eventlog.Seq) iter.Seq2[eventlog.Batch, error] {
	return func(yield func(eventlog.Batch, error) bool) {
		yield(eventlog.Batch{}, &eventlog.CorruptError{First: 4, Last: 5})
	}
}

func TestDamage(t *testing.T) {
	l, w := newLog(t)
	appendTo(t, w, 1)
	f := New(brokenLog{l}, Options{})
	if m, ok := <-subscribe(t, f); ok {
		t.Fatalf("message %s of a damaged log", m.UUID)
	}
	_ = f.Close()
	if !errors.Is(f.Err(), eventlog.ErrCorrupt) {
		t.Errorf("error is %v, want ErrCorrupt", f.Err())
	}
}
