package history

import (
	"context"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// What a recovery selects is what a plain walk through all records selects: as of any seq, page by page whatever their
// size, counted as it is read; each event once.
func TestRecoverableAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		s := open(t, projection.NewMemory(), w.log)
		defer s.close()
		w.steps(rapid.IntRange(20, 200).Draw(t, "steps"))
		s.foldTo(w.log, 0)
		if len(w.endpoints) == 0 {
			return
		}
		records := w.records()
		head := records[len(records)-1].Seq
		for range 6 {
			e := pick(w, "endpoint", w.endpoints)
			q := RecoverQuery{Tenant: e.tenant, Endpoint: e.seq, Upto: eventlog.Seq(rapid.Uint64Range(1, uint64(head)).Draw(t, "upto")),
				Status: rapid.SampledFrom([][]record.Status{{record.Exhausted}, {record.Skipped}, {record.Exhausted, record.Skipped}}).Draw(t, "status")}
			if rapid.Bool().Draw(t, "present") {
				q.Upto = head
			}
			typ := maybe(t, "type", "a.b", "z")
			q.Types = func(t string) bool { return typ == "" || t == typ }
			q.FromMS, q.ToMS = drawTimes(t, w)
			want := modelOf(records, q.Upto).recoverable(&q)
			if n, err := s.CountRecoverable(context.Background(), q); err != nil || n != uint64(len(want)) {
				t.Fatalf("%+v: counted %d, %v, want %d", q, n, err, len(want))
			}
			if got := recoverPages(t, s.History, q); !slices.Equal(got, want) {
				t.Fatalf("%+v: %v, want %v", q, got, want)
			}
			q.Tenant = "somebody else"
			if n, err := s.CountRecoverable(context.Background(), q); err != nil || n != 0 {
				t.Fatalf("of another tenant: %d, %v", n, err)
			}
		}
	})
}

func recoverPages(t *rapid.T, h *History, q RecoverQuery) (refs []record.Ref) {
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	for range 10_000 {
		p, err := h.Recoverable(context.Background(), q, limit)
		if err != nil || len(p.Rows) > limit {
			t.Fatalf("%d rows, %v", len(p.Rows), err)
		}
		for _, r := range p.Rows {
			refs = append(refs, r.Ref)
		}
		if p.End {
			return refs
		}
		if q.After == p.Cursor {
			t.Fatalf("a page that is not the end did not move on from %v", q.After)
		}
		q.After = p.Cursor
	}
	t.Fatalf("it does not end")
	return nil
}

// recoverable is the selection, oldest first: the newest failed one of each event, unless a later one is pending or
// succeeded.
func (m *model) recoverable(q *RecoverQuery) (refs []record.Ref) {
	selected := func(d DeliveryRow) bool {
		return slices.Contains(q.Status, d.Status) && q.Types(d.EventType) && between(d.CreatedMS, q.FromMS, q.ToMS)
	}
	all := m.listDeliveries(DeliveryQuery{Tenant: q.Tenant, Endpoint: q.Endpoint, Page: Page{Ascending: true, Limit: 1 << 30}})
	for i, d := range all {
		if selected(d) && !slices.ContainsFunc(all[i+1:], func(later DeliveryRow) bool {
			return later.Event == d.Event && (later.Status == record.Pending || later.Status == record.Succeeded || selected(later))
		}) {
			refs = append(refs, d.Ref)
		}
	}
	return refs
}

// What is not applied yet is not counted: the caller waits for it and asks again.
func TestRecoverableBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		s := open(t, projection.NewMemory(), w.log)
		defer s.close()
		w.steps(1)
		s.foldTo(w.log, 0)
		q := RecoverQuery{Tenant: "a", Endpoint: 1, Upto: 1 << 40, Status: []record.Status{record.Skipped}, Types: func(string) bool { return true }}
		if _, err := s.CountRecoverable(context.Background(), q); err == nil {
			t.Fatal("what is not applied yet was counted")
		}
	})
}
