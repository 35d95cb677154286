package history

import (
	"context"
	"os"
	"reflect"
	"slices"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// A window, runs and parts that small histories outgrow.
func testLayout() layout {
	return layout{window: testWindow, matches: testMatches, soon: testSoon, partRun: 16, partBytes: 60, partLists: 9}
}

const (
	testWindow  = 12
	testSoon    = 7
	testMatches = 2
)

// subject is a history over a world's log, on a directory that outlives it.
type subject struct {
	*History
	t *rapid.T
}

func open(t *rapid.T, mem *projection.Memory, log eventlog.Log) *subject {
	store, err := projection.Open(context.Background(), projection.Options{
		Dir: "views", Memory: mem, Version: LayoutVersion, Log: log, Logger: quiet(), MemtableBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return &subject{newHistory(store, testLayout()), t}
}

func (s *subject) close() {
	if err := s.store.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// fold applies what the log has, up to the batch that holds `until` (0 = the head).
func (s *subject) foldTo(log eventlog.Log, until eventlog.Seq) {
	if _, err := projection.Fold(context.Background(), projection.FoldOptions{
		Log: log, Store: s.store, View: s.History, Until: until}); err != nil {
		s.t.Fatal(err)
	}
}

// TestMain runs the process that TestKilledWhileFollowing kills, or the tests.
func TestMain(m *testing.M) {
	if dir := os.Getenv(victimDir); dir != "" {
		victim(dir)
	}
	goleak.VerifyTestMain(m)
}

// TestQueriesAgainstModel: every query answers as a plain walk through all records does, for the present and as of an
// earlier seq, page by page, in both directions (R-1 skips, R-5 tests among the attempts only, R-6 resends, promise 6:
// events that nobody matched are listed).
func TestQueriesAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		s := open(t, projection.NewMemory(), w.log)
		defer s.close()
		for range rapid.IntRange(1, 3).Draw(t, "rounds") {
			w.steps(rapid.IntRange(1, 150).Draw(t, "steps"))
			s.foldTo(w.log, 0)
			records := w.records()
			for range 12 {
				compareLists(t, w, s.History, records)
			}
			compareLookups(t, w, s.History, records)
			checkShortLists(t, s.History, records)
		}
	})
}

func drawPage(t *rapid.T, head eventlog.Seq) Page {
	p := Page{Limit: rapid.IntRange(1, 7).Draw(t, "limit"), Ascending: rapid.Bool().Draw(t, "ascending")}
	if rapid.Bool().Draw(t, "past") {
		p.AsOf = eventlog.Seq(rapid.Uint64Range(1, uint64(head)).Draw(t, "as of"))
	}
	return p
}

func drawTimes(t *rapid.T, w *world) (from, to int64) {
	if rapid.Bool().Draw(t, "from") {
		from = rapid.Int64Range(benchEpoch, w.now+1).Draw(t, "from ms")
	}
	if rapid.Bool().Draw(t, "to") {
		to = rapid.Int64Range(benchEpoch, w.now+1).Draw(t, "to ms")
	}
	return from, to
}

// maybe draws one of some values, or the zero value.
func maybe[T any](t *rapid.T, label string, from ...T) (v T) {
	if i := rapid.IntRange(-len(from)/2-1, len(from)-1).Draw(t, label); i >= 0 {
		return from[i]
	}
	return v
}

func drawEndpoint(t *rapid.T, w *world) eventlog.Seq {
	if len(w.endpoints) == 0 || rapid.Bool().Draw(t, "all endpoints") {
		return 0
	}
	return pick(w, "endpoint", w.endpoints).seq
}

func drawDelivery(t *rapid.T, w *world) *worldDelivery {
	if all := append(slices.Clone(w.live), w.ended...); len(all) > 0 {
		return pick(w, "of delivery", all)
	}
	return &worldDelivery{}
}

func compareLists(t *rapid.T, w *world, h *History, records []eventlog.Record) {
	head := records[len(records)-1].Seq
	tenant, page := pick(w, "tenant", w.tenants), drawPage(t, head)
	from, to := drawTimes(t, w)
	asOf := page.AsOf
	if asOf == 0 {
		asOf = head
	}
	m := modelOf(records, asOf)
	typ := maybe(t, "type", "a.b", "z", "none")
	switch rapid.IntRange(0, 3).Draw(t, "list") {
	case 0:
		q := EventQuery{Tenant: tenant, Type: typ, FromMS: from, ToMS: to, Page: page}
		got := allPages(t, page, func(p Page) ([]EventRow, Position, error) {
			q.Page = p
			return h.Events(context.Background(), q)
		})
		same(t, q, got, m.listEvents(q))
	case 1:
		q := DeliveryQuery{Tenant: tenant, Type: typ, FromMS: from, ToMS: to, Page: page, Endpoint: drawEndpoint(t, w)}
		q.Status = maybe(t, "status", []record.Status{record.Pending}, []record.Status{record.Succeeded},
			[]record.Status{record.Exhausted, record.Skipped}, []record.Status{record.Canceled},
			[]record.Status{record.Pending, record.Canceled})
		if rapid.IntRange(0, 3).Draw(t, "by event") == 0 {
			q.Event = drawDelivery(t, w).event
		}
		got := allPages(t, page, func(p Page) ([]DeliveryRow, Position, error) {
			q.Page = p
			return h.Deliveries(context.Background(), q)
		})
		same(t, q, got, m.listDeliveries(q))
	case 2:
		q := AttemptQuery{Tenant: tenant, FromMS: from, ToMS: to, Page: page, Endpoint: drawEndpoint(t, w)}
		q.Outcome = maybe(t, "outcome", uint8(1), 2, 4)
		switch rapid.IntRange(0, 3).Draw(t, "of") {
		case 0:
			q.Event = drawDelivery(t, w).event
		case 1:
			q.Delivery = drawDelivery(t, w).ref
		}
		got := allPages(t, page, func(p Page) ([]AttemptRow, Position, error) {
			q.Page = p
			return h.Attempts(context.Background(), q)
		})
		same(t, q, got, m.listAttempts(q))
	case 3:
		q := ChangeQuery{Tenant: maybe(t, "of a tenant", tenant), FromMS: from, ToMS: to, Page: page}
		got := allPages(t, page, func(p Page) ([]eventlog.Seq, Position, error) {
			q.Page = p
			return h.Changes(context.Background(), q)
		})
		same(t, q, got, m.listChanges(q))
	}
}

// allPages walks a list to its end.
func allPages[T any](t *rapid.T, p Page, list func(Page) ([]T, Position, error)) (all []T) {
	for {
		rows, next, err := list(p)
		if err != nil {
			t.Fatalf("page after %x: %v", p.After, err)
		}
		all = append(all, rows...)
		if next == nil {
			return all
		}
		if len(rows) != p.Limit {
			t.Fatalf("a page of %d rows has a next one, want %d rows", len(rows), p.Limit)
		}
		if len(all) > 10_000 {
			t.Fatal("the pages do not end")
		}
		p.After = next
	}
}

func same[T any](t *rapid.T, query any, got, want []T) {
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v\n got %+v\nwant %+v", query, got, want)
	}
}

func compareLookups(t *rapid.T, w *world, h *History, records []eventlog.Record) {
	m := modelOf(records, maxSeq)
	tenant := pick(w, "tenant", w.tenants)
	for _, id := range []string{"id-1", "id-2", "id-20", "id", ""} {
		got, err := h.EventsByID(tenant, id)
		if err != nil {
			t.Fatal(err)
		}
		same(t, id, got, m.eventsByID(tenant, id))
	}
	for _, e := range m.events {
		if row, found, err := h.Event(tenant, e.Seq); err != nil || found != (e.tenant == tenant) || found && row != e.EventRow {
			t.Fatalf("event %d of %s for %s: %+v %v %v", e.Seq, e.tenant, tenant, row, found, err)
		}
	}
	for _, d := range m.deliveries {
		row, found, err := h.DeliveryAny(tenant, d.Ref)
		if err != nil || found != (d.tenant == tenant) || found && row != d.DeliveryRow {
			t.Fatalf("delivery %v of %s for %s: %+v %v %v", d.Ref, d.tenant, tenant, row, found, err)
		}
	}
	if _, found, err := h.DeliveryAny(tenant, record.Ref{Seq: w.next}); found || err != nil {
		t.Fatalf("a delivery that does not exist: %v %v", found, err)
	}
}

// checkShortLists: the lists of waiting and of ended deliveries hold exactly what belongs there, by endpoint and by tenant,
// so that they stay short: a key that is left behind would cost a look in every list.
func checkShortLists(t *rapid.T, h *History, records []eventlog.Record) {
	m := modelOf(records, maxSeq)
	matches := map[eventlog.Seq]int{}
	for _, e := range m.events {
		matches[e.Seq] = e.Matches
	}
	want := map[string]int{}
	for _, d := range m.deliveries {
		young := d.Ref.Seq+testWindow > h.Checkpoint() && matches[d.Ref.Seq] <= testMatches
		l := scopes{}
		switch {
		case d.Status == record.Pending && !young:
			l = waitingDeliveries()
		case d.Status != record.Pending && d.Status != record.Succeeded:
			l = endedDeliveries()
		default:
			continue
		}
		want[string(appendEndpointRef(nil, l.endpoint, d.Endpoint, d.Ref))]++
		want[string(appendTenantRef(nil, l.tenant, d.tenant, d.Ref))]++
	}
	it, err := h.store.Iter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		switch key := string(it.Key()); key[0] {
		case 'w', 'u', 'x', 'y':
			if want[key] != 1 {
				t.Fatalf("at %d, key %q does not belong there", h.Checkpoint(), key)
			}
			delete(want, key)
		}
	}
	for key := range want {
		t.Fatalf("at %d, key %q is missing", h.Checkpoint(), key)
	}
}
