package engine

import (
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/pebblelog"
)

// longLog is a log of n records: events, each with one attempt that succeeded, and a change now and then.
func longLog(b *testing.B, n int) *pebblelog.Log {
	log := must(pebblelog.Open(pebblelog.Options{Dir: filepath.Join(b.TempDir(), "log")}))(b)
	b.Cleanup(func() { log.Close() })
	w := must(log.Acquire(b.Context(), "bench"))(b)
	b.Cleanup(func() { w.Close() })
	sec := func() eventlog.Section { return eventlog.NewSection(make([]byte, 100)) }
	now := time.Now().UnixMilli()
	next, batch := w.Next(), []eventlog.Record(nil)
	add := func(t eventlog.Type, tenant string, f facter, sections ...eventlog.Section) eventlog.Seq {
		batch = append(batch, eventlog.Record{Type: t, Time: now, Tenant: tenant, Facts: f.AppendFacts(nil), Sections: sections})
		next++
		return next - 1
	}
	prof := add(record.TypeProfileDefined, "", &record.ProfileDefined{Name: "p", Version: 1, Schedule: schedule.Schedule{Waits: []time.Duration{time.Minute}}}, sec())
	add(record.TypeTenantCreated, "acc", &record.Tenant{Profile: prof}, sec())
	var endpoints []eventlog.Seq
	for i := range 100 {
		ep := add(record.TypeEndpointCreated, "acc", &record.Endpoint{Number: uint64(i + 1), Transport: "https"}, sec(), sec())
		add(record.TypeSubscriptionCreated, "acc", &record.Subscription{Endpoint: ep, EventTypes: []string{"*"}}, sec())
		endpoints = append(endpoints, ep)
	}
	var commit *eventlog.Commit
	for i := 0; next <= eventlog.Seq(n); i++ {
		ep := endpoints[i%len(endpoints)]
		ev := add(record.TypeEventPublished, "acc", &record.EventPublished{ID: "evt_" + strconv.Itoa(i), Type: "domain.registered", Profile: prof,
			OccurredAt: now, BodyLen: 100, Matches: []record.Match{{Endpoint: ep, MaxAttempts: 2, Subscriptions: []eventlog.Seq{ep + 1}}}}, sec())
		add(record.TypeAttemptFinished, "acc", &record.AttemptFinished{Delivery: record.Ref{Seq: ev}, Event: ev, Endpoint: ep, Profile: prof, Number: 1,
			Trigger: record.TriggerSchedule, StartedAt: now, Outcome: 1, StatusCode: 200, Status: record.Succeeded, EventID: "evt", EventType: "domain.registered"}, sec())
		if i%10_000 == 0 {
			add(record.TypeEndpointDisabled, "acc", &record.EndpointChange{Endpoint: ep})
			add(record.TypeEndpointEnabled, "acc", &record.EndpointChange{Endpoint: ep})
		}
		if len(batch) >= 2000 {
			commit, batch = w.Append(batch), nil
			now++
		}
	}
	if len(batch) > 0 {
		commit = w.Append(batch)
	}
	if err := commit.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
	return log
}

// BenchmarkAsOf folds states of the past that nobody has asked for yet, by seq and by time, of a log of
// HOOKLINE_BENCH_RECORDS records (default 1 000 000), with the snapshots that a life of that length leaves. The goal: 2 s at
// 10 000 000 records.
func BenchmarkAsOf(b *testing.B) {
	n := 1_000_000
	if text := os.Getenv("HOOKLINE_BENCH_RECORDS"); text != "" {
		n = must(strconv.Atoi(text))(b)
	}
	log := longLog(b, n)
	head := must(log.Head(b.Context()))(b)
	s := newSnapshots(b.TempDir(), log, slog.New(slog.DiscardHandler))
	began := time.Now()
	if _, err := s.stateAt(b.Context(), head.Seq); err != nil { // leaves the snapshots behind
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(began).Seconds(), "s/first-fold")
	b.Run("state", func(b *testing.B) {
		for i := range b.N {
			at := eventlog.Seq(uint64(head.Seq) * uint64(i%97+1) / 98)
			if st := must(s.stateAt(b.Context(), at))(b); st.Seq != at {
				b.Fatal(st.Seq)
			}
		}
	})
	b.Run("seq at a time", func(b *testing.B) {
		for i := range b.N {
			must(SeqAt(b.Context(), log, head.Time-int64(i%100)))(b)
		}
	})
}
