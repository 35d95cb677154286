package logtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hookline/hookline/eventlog"
)

// outage: while the outcome of appends is unknown Wait says so at once, MinUnderway batches are taken without blocking,
// nothing is done, and nothing suspect is called durable. Afterwards all is as if nothing had been.
func outage(t *testing.T, x *fixture) {
	if x.store.Interrupt == nil {
		t.Skip("this backend always knows the outcome of its appends")
	}
	w := x.acquire("w")
	x.append(w, x.records(0, 3))
	resume := x.store.Interrupt()
	var commits []*eventlog.Commit
	for i := range eventlog.MinUnderway {
		first := w.Next()
		c := w.Append(x.records(3+2*i, 2))
		if c.First != first || w.Next() != first+2 {
			t.Fatalf("batch %d of the outage covers %d to %d, next is %d", i, c.First, c.Last, w.Next())
		}
		commits = append(commits, c)
	}
	x.wantErr(commits[0].Wait(x.ctx), eventlog.ErrUnavailable)
	x.wantErr(commits[0].Wait(x.ctx), eventlog.ErrUnavailable)
	for i, c := range commits {
		if c.Done() {
			t.Fatalf("batch %d is done during the outage", i)
		}
	}
	short, cancel := context.WithTimeout(x.ctx, 10*time.Millisecond)
	defer cancel()
	x.wantErr(commits[1].Resolve(short), context.DeadlineExceeded)
	resume(nil)
	x.must(commits[1].Resolve(x.ctx))
	if !commits[0].Done() {
		t.Error("a later batch is done before an earlier one")
	}
	x.must(commits[0].Wait(x.ctx))
	last := x.append(w, x.records(7, 1))
	rs := x.read(1)
	if len(rs) != 8 || x.head().Seq != last.Last || x.head().Chain != last.Chain {
		t.Fatalf("%d records, head %+v, want 8 records and chain %x", len(rs), x.head(), last.Chain)
	}
	for i, r := range rs {
		if r.Seq != eventlog.Seq(i)+2 || string(r.Facts) != string(x.record(i).Facts) {
			t.Fatalf("record %d is seq %d, %q", i, r.Seq, r.Facts)
		}
	}
}

// outageFails: what was suspect may have failed after all, and then everything after it has.
func outageFails(t *testing.T, x *fixture) {
	if x.store.Interrupt == nil {
		t.Skip("this backend always knows the outcome of its appends")
	}
	w := x.acquire("w")
	head := x.head()
	resume := x.store.Interrupt()
	a, b := w.Append(x.records(0, 1)), w.Append(x.records(1, 1))
	gone := errors.New("the outage of a test ends in a failure")
	resume(gone)
	x.wantErr(a.Resolve(x.ctx), gone)
	x.wantErr(b.Wait(x.ctx), gone)
	x.wantErr(w.Append(x.records(2, 1)).Wait(x.ctx), gone)
	if x.head() != head {
		t.Errorf("head is %+v, was %+v", x.head(), head)
	}
	w = x.acquire("again")
	x.append(w, x.records(3, 1))
}
