package logtest

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"sync"
	"testing"

	"github.com/hookline/hookline/eventlog"
)

func emptyLog(t *testing.T, x *fixture) {
	if h := x.head(); h != (eventlog.Head{First: 1}) {
		t.Errorf("head is %+v, want seq 0, no chain, first 1", h)
	}
	if rs := x.read(0); len(rs) != 0 {
		t.Errorf("reads %d records, want none", len(rs))
	}
	for range x.log.ReadBatches(x.ctx, 0) {
		t.Error("yields a batch, want none")
	}
}

func acquireAppends(t *testing.T, x *fixture) {
	w := x.acquire("me")
	if e := w.Epoch(); e.Number != 1 || e.Owner != "me" {
		t.Errorf("epoch is %+v, want number 1, owner me", e)
	}
	if w.Next() != 2 || x.head().Seq != 1 {
		t.Errorf("next %d, head %d, want 2 and 1: the epoch record is durable", w.Next(), x.head().Seq)
	}
	rs := x.read(0)
	if len(rs) != 1 || rs[0].Type != eventlog.TypeEpochStarted {
		t.Fatalf("log holds %+v, want one epoch record", rs)
	}
	e, err := eventlog.DecodeEpochFacts(rs[0].Facts)
	x.must(err)
	if e != w.Epoch() {
		t.Errorf("record says %+v, writer %+v", e, w.Epoch())
	}
	_, err = x.log.Acquire(x.ctx, strings.Repeat("o", eventlog.MaxOwner+1))
	x.wantErr(err, eventlog.ErrInvalid)
}

func order(t *testing.T, x *fixture) {
	w := x.acquire("w")
	var commits []*eventlog.Commit
	n := 0
	var waits sync.WaitGroup
	for i := range 200 {
		first := w.Next()
		c := w.Append(x.records(n, 1+i%5))
		if c.First != first || c.Last != first+eventlog.Seq(i%5) {
			t.Fatalf("commit covers %d to %d, next was %d", c.First, c.Last, first)
		}
		commits = append(commits, c)
		n += 1 + i%5
	}
	for i, c := range commits {
		waits.Go(func() {
			if err := c.Wait(x.ctx); err != nil {
				t.Error(err)
			}
			for _, before := range commits[:i] { // strictly in call order: all of them are done
				if !before.Done() {
					t.Errorf("commit %d is done before an earlier one", i)
				}
			}
		})
	}
	waits.Wait()
	for i, r := range x.read(1) {
		if r.Seq != eventlog.Seq(i)+2 || string(r.Facts) != string(x.record(i).Facts) {
			t.Fatalf("record %d is seq %d, %q", i, r.Seq, r.Facts)
		}
	}
	if h := x.head(); h.Seq != eventlog.Seq(n)+1 {
		t.Errorf("head is %d, want %d", h.Seq, n+1)
	}
}

func roundTrip(t *testing.T, x *fixture) {
	w := x.acquire("w")
	want := x.records(0, 50)
	want = append(want, eventlog.Record{Type: 9, Time: x.clock, Sections: []eventlog.Section{{Data: nil}, {Data: []byte{}}}})
	removed := eventlog.Section{Sum: sha256.Sum256([]byte("gone")), Len: 4, Removed: true}
	want = append(want, eventlog.Record{Type: 10, Time: x.clock, Sections: []eventlog.Section{{Data: []byte("kept")}, removed}})
	x.append(w, want)
	x.reopen()
	got := x.read(1)
	if len(got) != len(want) {
		t.Fatalf("reads %d records, want %d", len(got), len(want))
	}
	for i := range want {
		equal(t, got[i], want[i])
		one, err := x.log.Get(x.ctx, want[i].Seq)
		x.must(err)
		equal(t, one, want[i])
	}
	i := 0
	for b, err := range x.log.ReadBatches(x.ctx, 1) {
		x.must(err)
		for _, r := range b.Records {
			bare := want[i]
			bare.Sections = nil
			for _, s := range want[i].Sections {
				bare.Sections = append(bare.Sections, eventlog.Section{Sum: s.Sum, Len: s.Len})
			}
			equal(t, r, bare)
			i++
		}
	}
}

func equal(t *testing.T, got, want eventlog.Record) {
	t.Helper()
	same := got.Seq == want.Seq && got.Type == want.Type && got.Time == want.Time && got.Tenant == want.Tenant &&
		got.Flags == want.Flags && bytes.Equal(got.Facts, want.Facts) && len(got.Sections) == len(want.Sections)
	for i := 0; same && i < len(got.Sections); i++ {
		g, w := got.Sections[i], want.Sections[i]
		same = g.Sum == w.Sum && g.Len == w.Len && g.Removed == w.Removed && bytes.Equal(g.Data, w.Data)
	}
	if !same {
		t.Fatalf("record is\n%+v, want\n%+v", got, want)
	}
}

func stamps(t *testing.T, x *fixture) {
	w := x.acquire("w")
	rs := x.records(2, 2)
	x.append(w, rs)
	if rs[0].Seq != 2 || rs[1].Seq != 3 {
		t.Errorf("seqs are %d, %d, want 2, 3", rs[0].Seq, rs[1].Seq)
	}
	for _, s := range rs[1].Sections {
		if s.Sum != sha256.Sum256(s.Data) || int(s.Len) != len(s.Data) {
			t.Errorf("section %q has sum %x and length %d", s.Data, s.Sum, s.Len)
		}
	}
}

func emptyBatch(t *testing.T, x *fixture) {
	w := x.acquire("w")
	x.append(w, nil)
	if w.Next() != 2 || x.head().Seq != 1 {
		t.Errorf("next %d, head %d after an empty batch, want 2 and 1", w.Next(), x.head().Seq)
	}
}

func refusals(t *testing.T, x *fixture) {
	good := func() eventlog.Record { return eventlog.Record{Type: 7, Time: x.head().Time} }
	for name, spoil := range map[string]func(*eventlog.Record){
		"type 0":             func(r *eventlog.Record) { r.Type = 0 },
		"the log's own type": func(r *eventlog.Record) { r.Type = eventlog.TypeEpochStarted },
		"time runs back":     func(r *eventlog.Record) { r.Time-- },
		"tenant too long":    func(r *eventlog.Record) { r.Tenant = strings.Repeat("t", eventlog.MaxTenant+1) },
		"flags":              func(r *eventlog.Record) { r.Flags = 1 },
		"facts too long":     func(r *eventlog.Record) { r.Facts = make([]byte, eventlog.MaxFacts+1) },
		"too many sections":  func(r *eventlog.Record) { r.Sections = make([]eventlog.Section, eventlog.MaxSections+1) },
		"section too long": func(r *eventlog.Record) {
			r.Sections = []eventlog.Section{{Data: make([]byte, eventlog.MaxSection+1)}}
		},
		"removed section with data": func(r *eventlog.Record) {
			r.Sections = []eventlog.Section{{Data: []byte("x"), Removed: true}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := x.acquire("w")
			head, ok := x.head().Seq, w.Append([]eventlog.Record{good()})
			bad := good()
			spoil(&bad)
			batch := []eventlog.Record{good(), bad}
			x.wantErr(w.Append(batch).Wait(x.ctx), eventlog.ErrInvalid)
			x.must(ok.Wait(x.ctx))
			if batch[0].Seq != 0 {
				t.Error("a refused batch was stamped")
			}
			x.wantErr(w.Append([]eventlog.Record{good()}).Wait(x.ctx), eventlog.ErrInvalid)
			if got := x.head().Seq; got != head+1 {
				t.Errorf("head is %d, want %d: only the batch before the refused one", got, head+1)
			}
		})
	}
	t.Run("too many records", func(t *testing.T) {
		w := x.acquire("w")
		x.wantErr(w.Append(make([]eventlog.Record, eventlog.MaxBatchRecords+1)).Wait(x.ctx), eventlog.ErrInvalid)
	})
	t.Run("too many bytes", func(t *testing.T) {
		w := x.acquire("w")
		big := good()
		data := make([]byte, eventlog.MaxSection)
		for range eventlog.MaxSections {
			big.Sections = append(big.Sections, eventlog.Section{Data: data})
		}
		x.wantErr(w.Append([]eventlog.Record{big, big}).Wait(x.ctx), eventlog.ErrInvalid)
	})
}

func limits(t *testing.T, x *fixture) {
	w := x.acquire(strings.Repeat("o", eventlog.MaxOwner))
	big := eventlog.Record{Type: 1<<16 - 1, Time: x.head().Time, Tenant: strings.Repeat("t", eventlog.MaxTenant)}
	big.Facts = bytes.Repeat([]byte("f"), eventlog.MaxFacts)
	for range eventlog.MaxSections - 1 {
		big.Sections = append(big.Sections, eventlog.Section{Data: []byte("small")})
	}
	big.Sections = append(big.Sections, eventlog.Section{Data: bytes.Repeat([]byte("s"), eventlog.MaxSection)})
	x.append(w, []eventlog.Record{big})
	many := make([]eventlog.Record, eventlog.MaxBatchRecords)
	for i := range many {
		many[i] = eventlog.Record{Type: 5, Time: big.Time}
	}
	c := x.append(w, many)
	x.reopen()
	got, err := x.log.Get(x.ctx, 2)
	x.must(err)
	if len(got.Facts) != eventlog.MaxFacts || len(got.Sections[15].Data) != eventlog.MaxSection || x.head().Seq != c.Last {
		t.Errorf("facts %d, section %d, head %d", len(got.Facts), len(got.Sections[15].Data), x.head().Seq)
	}
}

func times(t *testing.T, x *fixture) {
	w := x.acquire("w")
	now := x.head().Time + 5_000_000
	x.append(w, []eventlog.Record{{Type: 7, Time: now}, {Type: 7, Time: now}})
	if got := x.head().Time; got != now {
		t.Errorf("head's time is %d, want %d", got, now)
	}
	x.wantErr(w.Append([]eventlog.Record{{Type: 7, Time: now - 1}}).Wait(x.ctx), eventlog.ErrInvalid)
	w = x.acquire("w")
	x.wantErr(w.Append([]eventlog.Record{{Type: 7, Time: now + 2}, {Type: 7, Time: now + 1}}).Wait(x.ctx), eventlog.ErrInvalid)
	if got := x.head().Time; got < now {
		t.Errorf("the epoch record's time is %d, before %d", got, now)
	}
}
