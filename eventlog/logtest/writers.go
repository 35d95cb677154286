package logtest

import (
	"testing"

	"github.com/hookline/hookline/eventlog"
)

func fencing(t *testing.T, x *fixture) {
	old := x.acquire("old")
	x.append(old, x.records(0, 2))
	under := old.Append(x.records(2, 3)) // appended before the fence: it counts
	now := x.acquire("new")
	x.must(under.Wait(x.ctx))
	if now.Epoch().Number != old.Epoch().Number+1 || now.Next() != 8 {
		t.Errorf("new epoch %d, next %d, want 2 and 8", now.Epoch().Number, now.Next())
	}
	x.wantErr(old.Append(x.records(5, 1)).Wait(x.ctx), eventlog.ErrFenced)
	x.append(now, x.records(5, 1))
	x.wantErr(old.Append(x.records(6, 1)).Wait(x.ctx), eventlog.ErrFenced)
	if h := x.head(); h.Seq != 8 {
		t.Errorf("head is %d, want 8: nothing of the fenced writer", h.Seq)
	}
}

func epochs(t *testing.T, x *fixture) {
	tags := make(map[uint32]bool)
	for n := uint64(1); n <= 4; n++ {
		w := x.acquire("w")
		if w.Epoch().Number != n {
			t.Errorf("epoch is %d, want %d", w.Epoch().Number, n)
		}
		tags[w.Epoch().Tag] = true
		x.append(w, x.records(int(n), 1))
		x.reopen()
	}
	if len(tags) < 3 { // random: two equal ones among four would be a wonder
		t.Errorf("tags repeat: %v", tags)
	}
	var seen []uint64
	for b, err := range x.log.ReadBatches(x.ctx, 0) {
		x.must(err)
		seen = append(seen, b.Epoch)
		if b.Owner != "w" {
			t.Errorf("owner is %q, want w", b.Owner)
		}
	}
	for i, e := range seen {
		if e != uint64(i/2)+1 {
			t.Fatalf("batches are of epochs %v", seen)
		}
	}
}

func chain(t *testing.T, x *fixture) {
	w := x.acquire("w")
	want := []eventlog.Hash{x.head().Chain}
	for i := range 20 {
		c := x.append(w, x.records(i*5, 1+i%5))
		want = append(want, c.Chain)
	}
	x.reopen()
	var prev eventlog.Hash
	var h eventlog.Hasher
	i := 0
	for b, err := range x.log.ReadBatches(x.ctx, 0) {
		x.must(err)
		if b.Prev != prev || b.Chain != want[i] || h.Chain(&b) != b.Chain {
			t.Fatalf("batch %d: prev %x, chain %x, recomputed %x; want %x and %x", i, b.Prev, b.Chain, h.Chain(&b), prev, want[i])
		}
		prev = b.Chain
		i++
	}
	if i != len(want) || x.head().Chain != prev {
		t.Errorf("%d batches, head's chain %x, want %d and %x", i, x.head().Chain, len(want), prev)
	}
}

func reopen(t *testing.T, x *fixture) {
	w := x.acquire("w")
	x.append(w, x.records(0, 30))
	c := w.Append(x.records(30, 5)) // not waited for: Close makes it durable
	before := 36
	x.reopen()
	x.must(c.Wait(x.ctx))
	if h := x.head(); int(h.Seq) != before {
		t.Fatalf("head is %d after reopening, want %d", h.Seq, before)
	}
	x.wantErr(w.Append(x.records(40, 1)).Wait(x.ctx), eventlog.ErrClosed)
	w = x.acquire("w")
	x.append(w, x.records(35, 5))
	rs := x.read(0)
	if len(rs) != before+6 {
		t.Fatalf("reads %d records, want %d", len(rs), before+6)
	}
}

func closing(t *testing.T, x *fixture) {
	w := x.acquire("w")
	waited := make(chan error, 1)
	go func() { waited <- x.log.Wait(x.ctx, 1_000_000) }()
	x.must(x.log.Close())
	x.must(x.log.Close())
	x.wantErr(<-waited, eventlog.ErrClosed)
	x.wantErr(w.Append([]eventlog.Record{{Type: 7}}).Wait(x.ctx), eventlog.ErrClosed)
	x.must(w.Close())
	_, err := x.log.Head(x.ctx)
	x.wantErr(err, eventlog.ErrClosed)
	_, err = x.log.Get(x.ctx, 1)
	x.wantErr(err, eventlog.ErrClosed)
	_, err = x.log.Acquire(x.ctx, "w")
	x.wantErr(err, eventlog.ErrClosed)
	x.wantErr(x.log.Wait(x.ctx, 0), eventlog.ErrClosed)
	for _, err := range x.log.Read(x.ctx, 0) {
		x.wantErr(err, eventlog.ErrClosed)
	}
	for _, err := range x.log.ReadBatches(x.ctx, 0) {
		x.wantErr(err, eventlog.ErrClosed)
	}
}

func closedWriter(t *testing.T, x *fixture) {
	w := x.acquire("w")
	c := w.Append(x.records(0, 3))
	x.must(w.Close())
	x.must(c.Wait(x.ctx))
	x.wantErr(w.Append(x.records(3, 1)).Wait(x.ctx), eventlog.ErrClosed)
	if x.head().Seq != 4 {
		t.Errorf("head is %d, want 4", x.head().Seq)
	}
	x.append(x.acquire("again"), x.records(3, 1))
}
