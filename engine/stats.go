package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

// Bounds of statistics: they are read from the history when they are asked for.
const (
	maxStatsAttempts = 200_000 // attempts looked at, the newest ones
	maxStatsTenants  = 2_000   // tenants looked at by GET /v1/stats
	MaxStatsSteps    = 500
	StatsSpan        = 24 * time.Hour // when from is left out
	worstEndpoints   = 5
)

// StatsInput selects what is summed up. Zero values: the last 24 h, no steps.
type StatsInput struct {
	From, To time.Time
	Step     time.Duration
}

func (in *StatsInput) fill(now int64) error {
	if in.To.IsZero() {
		in.To = time.UnixMilli(now + 1) // to is exclusive
	}
	if in.From.IsZero() {
		in.From = in.To.Add(-StatsSpan)
	}
	if !in.From.Before(in.To) {
		return Invalid("from", "does not lie before to: swap them")
	}
	if in.Step < 0 || in.Step > 0 && (in.Step < time.Second || in.To.Sub(in.From) > MaxStatsSteps*in.Step) {
		return Invalid("step", "is %v, want 1s and more, and at most %d steps between from and to", in.Step, MaxStatsSteps)
	}
	return nil
}

// EndpointStats sums up an endpoint's attempts, tests aside, and what waits for it.
func (e *Engine) EndpointStats(ctx context.Context, tenant, id string, in StatsInput) (Stats, error) {
	var seq eventlog.Seq
	var pending int
	err := e.do(ctx, func(s *sequencer) error {
		ep, err := s.endpoint(tenant, id)
		if err == nil {
			seq, pending = ep.Seq, ep.Pending
		}
		return err
	})
	if err != nil {
		return Stats{}, err
	}
	sum, err := e.newSum(ctx, &in)
	if err != nil {
		return Stats{}, err
	}
	if err := sum.attempts(ctx, tenant, seq); err != nil {
		return Stats{}, err
	}
	out := sum.stats()
	if out.LastAttempt == nil { // none in the span: perhaps before
		if out.LastAttempt, err = e.lastAttempt(ctx, tenant, seq); err != nil {
			return Stats{}, err
		}
	}
	out.Backlog = int64(pending)
	if pending > 0 {
		oldest, err := e.oldestPending(ctx, tenant, seq)
		if err != nil {
			return Stats{}, err
		}
		out.OldestPendingAt = timeOrNull(oldest)
	}
	return out, nil
}

// Stats sums up the attempts of all tenants.
func (e *Engine) Stats(ctx context.Context, in StatsInput) (SystemStats, error) {
	var out SystemStats
	var tenants []string
	err := e.do(ctx, func(s *sequencer) error {
		out.Stats.Backlog = int64(s.st.Pending.Len())
		s.st.Tenants(func(t *state.Tenant) {
			for _, ep := range t.Endpoints {
				out.Endpoints.add(ep.Status())
			}
			tenants = append(tenants, t.ID)
		})
		return nil
	})
	if err != nil {
		return out, err
	}
	sum, err := e.newSum(ctx, &in)
	if err != nil {
		return out, err
	}
	slices.Sort(tenants)
	if len(tenants) > maxStatsTenants {
		tenants, sum.complete = tenants[:maxStatsTenants], false
	}
	sum.worst = map[eventlog.Seq]*EndpointFailures{}
	var oldest int64
	for _, tenant := range tenants {
		if err := sum.attempts(ctx, tenant, 0); err != nil {
			return out, err
		}
		at, err := e.oldestPending(ctx, tenant, 0)
		if err != nil {
			return out, err
		}
		if at != 0 && (oldest == 0 || at < oldest) {
			oldest = at
		}
	}
	backlog := out.Stats.Backlog
	out.Stats = sum.stats()
	out.Stats.Backlog, out.Stats.OldestPendingAt = backlog, timeOrNull(oldest)
	out.Worst = sum.worstOf()
	return out, nil
}

func (c *EndpointCounts) add(status string) {
	switch status {
	case "enabled":
		c.Enabled++
	case "disabled":
		c.Disabled++
	case "suppressed":
		c.Suppressed++
	}
}

func (e *Engine) oldestPending(ctx context.Context, tenant string, endpoint eventlog.Seq) (int64, error) {
	rows, _, err := e.cfg.History.Deliveries(ctx, history.DeliveryQuery{Tenant: tenant, Endpoint: endpoint, Status: []record.Status{record.Pending},
		Page: history.Page{Limit: 1, Ascending: true}})
	if err != nil || len(rows) == 0 {
		return 0, storeError(err)
	}
	return rows[0].CreatedMS, nil
}

func (e *Engine) lastAttempt(ctx context.Context, tenant string, endpoint eventlog.Seq) (last *LastAttempt, err error) {
	left := 1000 // tests in a row that are passed over
	err = e.cfg.History.EachAttempt(ctx, history.AttemptQuery{Tenant: tenant, Endpoint: endpoint}, func(a history.AttemptRow) bool {
		if a.Trigger != record.TriggerTest {
			last = lastOf(&a)
		}
		left--
		return last == nil && left > 0
	})
	return last, storeError(err)
}

func lastOf(a *history.AttemptRow) *LastAttempt {
	return &LastAttempt{FinishedAt: Time(a.StartedMS + int64(a.TookMS)), Outcome: transports.Outcome(a.Outcome).String()}
}

// sum adds attempts up.
type sum struct {
	e        *Engine
	in       StatsInput
	left     int // attempts that may still be looked at
	complete bool
	all      bucket
	steps    []bucket
	last     history.AttemptRow                 // the newest; Seq 0 = none
	worst    map[eventlog.Seq]*EndpointFailures // nil = not wanted
}

// bucket is the attempts of a span.
type bucket struct {
	counts AttemptCounts
	took   []uint32 // ms, of those that were answered
}

func (e *Engine) newSum(ctx context.Context, in *StatsInput) (*sum, error) {
	if err := in.fill(e.clock.Now()); err != nil {
		return nil, err
	}
	if err := e.seeAll(ctx, 0); err != nil {
		return nil, err
	}
	s := &sum{e: e, in: *in, left: maxStatsAttempts, complete: true}
	if in.Step > 0 {
		s.steps = make([]bucket, (in.To.Sub(in.From)+in.Step-1)/in.Step)
	}
	return s, nil
}

func (s *sum) attempts(ctx context.Context, tenant string, endpoint eventlog.Seq) error {
	from := s.in.From.UnixMilli()
	q := history.AttemptQuery{Tenant: tenant, Endpoint: endpoint, FromMS: from, ToMS: s.in.To.UnixMilli()}
	return storeError(s.e.cfg.History.EachAttempt(ctx, q, func(a history.AttemptRow) bool {
		if s.left == 0 {
			s.complete = false
			return false
		}
		s.left--
		if a.Trigger == record.TriggerTest {
			return true
		}
		s.all.add(&a)
		if s.steps != nil {
			s.steps[min(int((a.TimeMS-from)/s.in.Step.Milliseconds()), len(s.steps)-1)].add(&a)
		}
		if a.Seq > s.last.Seq {
			s.last = a
		}
		if s.worst != nil && a.Outcome != uint8(transports.Acknowledged) {
			w := s.worst[a.Endpoint]
			if w == nil {
				w = &EndpointFailures{Tenant: tenant, EndpointID: s.e.id(record.PrefixEndpoint, a.Endpoint, 0)}
				s.worst[a.Endpoint] = w
			}
			w.Failed++
		}
		return true
	}))
}

func (b *bucket) add(a *history.AttemptRow) {
	switch transports.Outcome(a.Outcome) {
	case transports.Acknowledged:
		b.counts.Acknowledged++
	case transports.Rejected:
		b.counts.Rejected++
	case transports.Unreachable:
		b.counts.Unreachable++
		return
	case transports.TimedOut:
		b.counts.TimedOut++
		return
	case transports.Gone:
		b.counts.Gone++
	}
	b.took = append(b.took, a.TookMS)
}

func (b *bucket) latency() *Latency {
	n := len(b.took)
	if n == 0 {
		return nil
	}
	slices.Sort(b.took)
	at := func(percent int) int { return int(b.took[min(n*percent/100, n-1)]) }
	return &Latency{P50: at(50), P95: at(95), P99: at(99)}
}

func (s *sum) stats() Stats {
	out := Stats{From: Time(s.in.From.UnixMilli()), To: Time(s.in.To.UnixMilli()), Attempts: s.all.counts, Latency: s.all.latency(), Complete: s.complete}
	if n := s.all.counts.total(); n > 0 {
		out.SuccessRate = ptr(float64(s.all.counts.Acknowledged) / float64(n))
	}
	if s.last.Seq != 0 {
		out.LastAttempt = lastOf(&s.last)
	}
	for i := range s.steps {
		out.Steps = append(out.Steps, StatsStep{From: Time(s.in.From.Add(time.Duration(i) * s.in.Step).UnixMilli()),
			Attempts: s.steps[i].counts, Latency: s.steps[i].latency()})
	}
	return out
}

func (s *sum) worstOf() []EndpointFailures {
	all := make([]EndpointFailures, 0, len(s.worst))
	for _, w := range s.worst {
		all = append(all, *w)
	}
	slices.SortFunc(all, func(a, b EndpointFailures) int {
		return cmp.Or(cmp.Compare(b.Failed, a.Failed), cmp.Compare(a.EndpointID, b.EndpointID))
	})
	return all[:min(len(all), worstEndpoints)]
}
