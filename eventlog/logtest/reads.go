package logtest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/hookline/hookline/eventlog"
)

// atomicBatches reads while a writer writes: whatever a reader sees ends at the end of a batch, has no hole, and is
// never older than what it waited for.
func atomicBatches(t *testing.T, x *fixture) {
	w := x.acquire("w")
	const batches, size = 150, 7
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			var after eventlog.Seq
			for after < batches*size+1 {
				if err := x.log.Wait(x.ctx, after); err != nil {
					t.Error(err)
					return
				}
				from := after
				for b, err := range x.log.ReadBatches(x.ctx, after) {
					if err != nil {
						t.Error(err)
						return
					}
					if b.First != after+1 || b.First > 1 && len(b.Records) != size {
						t.Errorf("batch of %d records at %d, after %d", len(b.Records), b.First, after)
						return
					}
					after = b.Last()
				}
				if after == from {
					t.Errorf("nothing after %d although Wait returned", after)
					return
				}
				if r, err := x.log.Get(x.ctx, after); err != nil || r.Seq != after {
					t.Errorf("get %d: %d, %v", after, r.Seq, err)
					return
				}
			}
		})
	}
	readers.Go(func() {
		next := eventlog.Seq(1)
		for next <= batches*size+1 {
			for r, err := range x.log.Read(x.ctx, next-1) {
				if err != nil || r.Seq != next {
					t.Errorf("read %d, want %d: %v", r.Seq, next, err)
					return
				}
				next++
			}
		}
	})
	var last *eventlog.Commit
	for i := range batches {
		last = w.Append(x.records(i*size, size))
	}
	x.must(last.Wait(x.ctx))
	readers.Wait()
}

func readAfter(t *testing.T, x *fixture) {
	w := x.acquire("w")
	for i := range 10 {
		x.append(w, x.records(i*4, 4))
	}
	for after := eventlog.Seq(0); after <= 41; after++ {
		rs := x.read(after)
		if len(rs) != int(41-after) || len(rs) > 0 && rs[0].Seq != after+1 {
			t.Fatalf("read after %d: %d records", after, len(rs))
		}
		first := eventlog.Seq(0)
		for b, err := range x.log.ReadBatches(x.ctx, after) {
			x.must(err)
			first = b.First
			if after+1 < b.First || after+1 > b.Last() {
				t.Fatalf("first batch after %d is %d to %d", after, b.First, b.Last())
			}
			break
		}
		if (first == 0) != (after == 41) {
			t.Fatalf("batches after %d begin at %d", after, first)
		}
	}
	if rs := x.read(^eventlog.Seq(0)); len(rs) != 0 {
		t.Errorf("read after the greatest seq: %d records", len(rs))
	}
}

func get(t *testing.T, x *fixture) {
	w := x.acquire("w")
	x.append(w, x.records(0, 10))
	for _, seq := range []eventlog.Seq{0, 12, 1 << 60, ^eventlog.Seq(0)} {
		_, err := x.log.Get(x.ctx, seq)
		x.wantErr(err, eventlog.ErrNotFound)
	}
	for seq := eventlog.Seq(1); seq <= 11; seq++ {
		r, err := x.log.Get(x.ctx, seq)
		x.must(err)
		if r.Seq != seq {
			t.Errorf("get %d returns %d", seq, r.Seq)
		}
	}
}

func wait(t *testing.T, x *fixture) {
	w := x.acquire("w")
	x.must(x.log.Wait(x.ctx, 0))
	errs := make(chan error, 8)
	for range cap(errs) {
		go func() {
			err := x.log.Wait(x.ctx, 5)
			if err == nil && x.log != nil {
				if h, herr := x.log.Head(x.ctx); herr != nil || h.Seq <= 5 {
					err = errors.Join(herr, errors.New("wait returned before its seq was durable"))
				}
			}
			errs <- err
		}()
	}
	for i := range 8 {
		x.append(w, x.records(i, 1))
	}
	for range cap(errs) {
		x.must(<-errs)
	}
}

func waitContext(t *testing.T, x *fixture) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(x.ctx)
	err := make(chan error, 1)
	go func() { err <- x.log.Wait(ctx, 0) }()
	cancel(why)
	x.wantErr(<-err, why)
}

func readContext(t *testing.T, x *fixture) {
	x.append(x.acquire("w"), x.records(0, 3))
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(x.ctx)
	cancel(why)
	n := 0
	for _, err := range x.log.Read(ctx, 0) {
		n++
		x.wantErr(err, why)
	}
	for _, err := range x.log.ReadBatches(ctx, 0) {
		n++
		x.wantErr(err, why)
	}
	if n != 2 {
		t.Errorf("%d errors, want one a read", n)
	}
	_, err := x.log.Get(ctx, 1)
	x.wantErr(err, why)
	_, err = x.log.Acquire(ctx, "w")
	x.wantErr(err, why)
}
