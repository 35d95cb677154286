package history

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// mixedLog holds n events of one tenant, of one to three deliveries each. Most succeed soon, some at a later attempt or long
// afterwards, some never.
func mixedLog(tb testing.TB, n, endpoints int) (log *memlog.Log, records []eventlog.Record) {
	tb.Helper()
	log = memlog.New(memlog.Options{Now: func() int64 { return benchEpoch }})
	w, err := log.Acquire(context.Background(), "mixed")
	if err != nil {
		tb.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(7, uint64(endpoints)))
	seq, now := w.Next(), int64(benchEpoch)
	var batch []eventlog.Record
	flush := func() {
		if err := w.Append(batch).Wait(context.Background()); err != nil {
			tb.Fatal(err)
		}
		batch = nil
	}
	add := func(t eventlog.Type, facts []byte) eventlog.Seq {
		now += rnd.Int64N(3)
		batch = append(batch, eventlog.Record{Type: t, Time: now, Tenant: "tenant-one", Facts: facts})
		if seq++; rnd.IntN(20) == 0 {
			flush()
		}
		return seq - 1
	}
	eps := make([]eventlog.Seq, endpoints)
	for i := range eps {
		eps[i] = add(record.TypeEndpointCreated, (&record.Endpoint{Number: uint64(i + 1), Transport: "https"}).AppendFacts(nil))
	}
	var pending []record.AttemptFinished // the next attempt of each
	attempt := func(i int) {
		a := &pending[i]
		a.Number++
		a.StartedAt, a.TookMS, a.NextDue, a.Outcome, a.Status = now-4, 3, 0, acknowledged, record.Succeeded
		switch {
		case rnd.IntN(4) > 0:
		case a.Number == 3:
			a.Outcome, a.Status, a.Reason = 2, record.Exhausted, record.ReasonScheduleUsedUp
		default:
			a.Outcome, a.Status, a.NextDue = 2, record.Pending, now+1000
		}
		add(record.TypeAttemptFinished, a.AppendFacts(nil))
		if a.Status != record.Pending {
			pending = slices.Delete(pending, i, i+1)
		}
	}
	for i := range n {
		p := record.EventPublished{ID: benchID(i), Type: benchTypes[i%len(benchTypes)]}
		for _, j := range rnd.Perm(endpoints)[:min(endpoints, 1+rnd.IntN(3))] {
			p.Matches = append(p.Matches, record.Match{Endpoint: eps[j], MaxAttempts: 3})
		}
		s := add(record.TypeEventPublished, p.AppendFacts(nil))
		for ord, m := range p.Matches {
			pending = append(pending, record.AttemptFinished{Delivery: record.Ref{Seq: s, Ord: uint16(ord)}, Event: s, Endpoint: m.Endpoint,
				Trigger: record.TriggerSchedule, EventID: p.ID, EventType: p.Type})
		}
		for len(pending) > 100 {
			attempt(min(int(rnd.ExpFloat64()*15), len(pending)-1)) // the oldest ones wait longest, some very long
		}
	}
	if len(batch) > 0 {
		flush()
	}
	for r, err := range log.Read(context.Background(), 0) {
		if err != nil {
			tb.Fatal(err)
		}
		records = append(records, r)
	}
	return log, records
}

// TestManyParts: long lists, many parts and runs of the real sizes, folded in several lives with any number of records in
// each: every list is the one of a plain walk through all records, forwards and backwards, in pages of any size, now and
// as of an earlier seq.
func TestManyParts(t *testing.T) {
	for _, endpoints := range []int{1, 7, 400} {
		t.Run(fmt.Sprint(endpoints), func(t *testing.T) {
			log, records := mixedLog(t, map[int]int{1: 3000, 7: 1500, 400: 1500}[endpoints], endpoints)
			head := records[len(records)-1].Seq
			rnd := rand.New(rand.NewPCG(1, uint64(endpoints)))
			mem := projection.NewMemory()
			var h *History
			for until := eventlog.Seq(0); until < head; {
				until = min(head, until+eventlog.Seq(1+rnd.IntN(4000)))
				if h != nil {
					if err := h.store.Close(); err != nil {
						t.Fatal(err)
					}
				}
				h = openIn(t, mem, defaultLayout())
				foldUntil(t, h, log, until)
			}
			defer h.store.Close()
			compareLong(t, h, modelOf(records, maxSeq), Page{}, endpoints)
			past := head/2 + eventlog.Seq(rnd.IntN(2000))
			compareLong(t, h, modelOf(records, past), Page{AsOf: past}, endpoints)

			again := openIn(t, projection.NewMemory(), defaultLayout())
			defer again.store.Close()
			foldUntil(t, again, log, 0)
			live, _, err := h.Digest(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if rebuilt, _, err := again.Digest(t.Context()); err != nil || rebuilt != live {
				t.Errorf("rebuilt %x, live %x %v", rebuilt, live, err)
			}
		})
	}
}

// openIn opens a history whose queries forget soon what they read ahead.
func openIn(t *testing.T, mem *projection.Memory, l layout) *History {
	t.Helper()
	store, err := projection.Open(t.Context(), projection.Options{Dir: "views", Memory: mem, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	h := newHistory(store, l)
	h.maxDone = 300
	return h
}

func foldUntil(t *testing.T, h *History, log eventlog.Log, until eventlog.Seq) {
	t.Helper()
	if _, err := projection.Fold(t.Context(), projection.FoldOptions{Log: log, Store: h.store, View: h, Until: until}); err != nil {
		t.Fatal(err)
	}
}

func compareLong(t *testing.T, h *History, m *model, page Page, endpoints int) {
	t.Helper()
	ctx := t.Context()
	for _, limit := range []int{997, 1 << 20} {
		for _, page.Ascending = range []bool{false, true} {
			page.Limit, page.After = limit, nil
			for _, endpoint := range []eventlog.Seq{0, eventlog.Seq(2 + endpoints/2)} {
				for _, status := range [][]record.Status{nil, {record.Succeeded}, {record.Pending}, {record.Exhausted}} {
					q := DeliveryQuery{Tenant: "tenant-one", Endpoint: endpoint, Status: status, Page: page}
					alike(t, q, m.listDeliveries(q), func(p Page) ([]DeliveryRow, Position, error) {
						q.Page = p
						return h.Deliveries(ctx, q)
					}, page)
				}
				for _, outcome := range []uint8{0, 1, 2} {
					q := AttemptQuery{Tenant: "tenant-one", Endpoint: endpoint, Outcome: outcome, Page: page}
					alike(t, q, m.listAttempts(q), func(p Page) ([]AttemptRow, Position, error) {
						q.Page = p
						return h.Attempts(ctx, q)
					}, page)
				}
			}
			q := EventQuery{Tenant: "tenant-one", Page: page}
			alike(t, q, m.listEvents(q), func(p Page) ([]EventRow, Position, error) {
				q.Page = p
				return h.Events(ctx, q)
			}, page)
		}
	}
}

// alike walks a list to its end and compares.
func alike[T comparable](t *testing.T, query any, want []T, list func(Page) ([]T, Position, error), page Page) {
	t.Helper()
	var got []T
	for {
		rows, next, err := list(page)
		if err != nil {
			t.Fatalf("%+v: %v", query, err)
		}
		got = append(got, rows...)
		if page.After = next; next == nil || len(got) > len(want)+page.Limit {
			break
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%+v: %d rows, want %d", query, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%+v: row %d\n got %+v\nwant %+v", query, i, got[i], want[i])
		}
	}
}

// TestPartsEnd: a key ends with its run, with its bytes between two records, and when a run has many lists, whatever commits
// there are in between.
func TestPartsEnd(t *testing.T) {
	const perRow = 8 // bytes, the first one of a part has 5 more for its time
	for _, c := range []struct {
		what   string
		layout layout
		of     []eventlog.Seq // the endpoints of the records 2, 3, ...
		want   []eventlog.Seq // where parts of endpoint 1 begin
	}{
		{"one part", layout{partRun: 100, partBytes: 1000, partLists: 9}, []eventlog.Seq{1, 1, 2, 1, 1}, []eventlog.Seq{2}},
		{"runs of four", layout{partRun: 4, partBytes: 1000, partLists: 9}, []eventlog.Seq{1, 1, 1, 2, 1, 1, 1, 1}, []eventlog.Seq{2, 4, 8}},
		{"parts of three rows", layout{partRun: 100, partBytes: 5 + 2*perRow + 1, partLists: 9}, []eventlog.Seq{1, 1, 1, 1, 1, 1, 1}, []eventlog.Seq{2, 5, 8}},
		{"five lists, the tenant's two among them", layout{partRun: 100, partBytes: 1000, partLists: 5}, []eventlog.Seq{1, 1, 2, 1, 1, 1}, []eventlog.Seq{2, 5}},
	} {
		c.layout.window, c.layout.matches = 4, 4
		for _, batch := range []int{1, 2, 100} {
			log := memlog.New(memlog.Options{Now: func() int64 { return benchEpoch }})
			w, err := log.Acquire(t.Context(), "parts")
			if err != nil {
				t.Fatal(err)
			}
			store, err := projection.Open(t.Context(), projection.Options{Dir: "views", Memory: projection.NewMemory(), Logger: quiet()})
			if err != nil {
				t.Fatal(err)
			}
			h := newHistory(store, c.layout)
			for part := range slices.Chunk(c.of, batch) {
				var records []eventlog.Record
				for _, endpoint := range part {
					a := record.AttemptFinished{Endpoint: endpoint, Number: 1, Trigger: record.TriggerTest, Outcome: 2, StartedAt: benchEpoch, TookMS: 1}
					records = append(records, eventlog.Record{Type: record.TypeEndpointTested, Time: benchEpoch, Tenant: "t", Facts: a.AppendFacts(nil)})
				}
				if err := w.Append(records).Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				foldUntil(t, h, log, 0)
			}
			it, err := store.Iter(appendEndpointSeq(nil, 'c', 1, 0), appendEndpointSeq(nil, 'c', 2, 0))
			if err != nil {
				t.Fatal(err)
			}
			var got []eventlog.Seq
			for ok := it.First(); ok; ok = it.Next() {
				got = append(got, lastSeq(it.Key()))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, %d records a commit: parts begin at %v, want %v", c.what, batch, got, c.want)
			}
			if err := errors.Join(it.Close(), store.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// trimmed is a log whose first records are gone.
type trimmed struct {
	eventlog.Log
	first eventlog.Seq
}

func (l trimmed) Head(ctx context.Context) (eventlog.Head, error) {
	h, err := l.Log.Head(ctx)
	h.First = l.first
	return h, err
}

func (l trimmed) ReadBatches(ctx context.Context, after eventlog.Seq) iter.Seq2[eventlog.Batch, error] {
	if after+1 < l.first {
		return func(yield func(eventlog.Batch, error) bool) { yield(eventlog.Batch{}, eventlog.ErrTrimmed) }
	}
	return l.Log.ReadBatches(ctx, after)
}

// TestPartsOfATrimmedLog: when the log does not have the beginning of the present run any more, what the store has of it
// stays, and nothing comes twice.
func TestPartsOfATrimmedLog(t *testing.T) {
	log, records := mixedLog(t, 400, 2)
	l := defaultLayout()
	l.partRun = 512
	m := modelOf(records, maxSeq)
	for _, before := range []eventlog.Seq{0, 1, 40, 300} {
		mem := projection.NewMemory()
		h := openIn(t, mem, l)
		foldUntil(t, h, log, 512+400)
		at := h.Checkpoint()
		if err := h.store.Close(); err != nil {
			t.Fatal(err)
		}
		h = openIn(t, mem, l)
		foldUntil(t, h, trimmed{log, at - before + 1}, 0)
		compareLong(t, h, m, Page{}, 2)
		if err := h.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
