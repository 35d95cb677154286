package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/filters"
)

// Bounds of a simulation.
const (
	DefaultSimulated = 1000
	MaxSimulated     = 100_000
	maxSamples       = 10
	maxSimulations   = 16   // taken; one runs, the others wait
	simulatePage     = 2000 // rows of the view read at once
)

// SimulateInput is a filter to try on events that a tenant has published.
type SimulateInput struct {
	Tenant         string
	Filter         string
	HasFilter      bool     // false: the subscription's own, or none
	EventTypes     []string // nil = the subscription's, or all
	SubscriptionID string   // whose present filter and event types to compare with; "" = none
	Last           int      // the newest so many events; 0 = DefaultSimulated, or with a range MaxSimulated
	From, To       time.Time
	// Progress is told how far it is, four times a second; its error ends the simulation. nil = nobody.
	Progress func(SimulateProgress) error
}

// selection is what a simulation evaluates: event types and a filter.
type selection struct {
	types  filters.Types
	filter *filters.Filter // nil = every event of the types
}

// simulation is one on its way. It belongs to one goroutine.
type simulation struct {
	e        *Engine
	in       *SimulateInput
	next     selection  // what is tried
	present  *selection // what the subscription has; nil = nothing to compare with
	events   []simulated
	out      *FilterSimulated
	samples  [5][]sample // by sampleKind, the newest
	reader   eventOpener
	pace     pace
	reported time.Time
	done     int
}

// simulated is an event to look at.
type simulated struct {
	seq       eventlog.Seq
	timeMS    int64
	next, now bool // the event types select it
}

// SimulateFilter tries a filter on events of the log before it is saved: the program that routes, on what filters saw. It
// reads what is durable and decides nothing. One runs at a time, and while the engine is at work it takes a twentieth of one
// core at most. It ends with ctx.
func (e *Engine) SimulateFilter(ctx context.Context, in SimulateInput) (FilterSimulated, error) {
	out := FilterSimulated{Errors: []FilterRemark{}}
	s := &simulation{e: e, in: &in, out: &out, reader: eventOpener{e: e, tenant: in.Tenant}, pace: pace{e: e}}
	if err := s.validate(); err != nil {
		return out, err
	}
	if err := s.prepare(ctx); err != nil || len(out.Errors) > 0 {
		return out, err
	}
	leave, err := e.enterSimulation(ctx)
	if err != nil {
		return out, err
	}
	defer leave()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(e.life, func() { cancel(errStopping) })()
	began := time.Now()
	if err := s.run(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return out, err
	}
	out.TookMS = int(time.Since(began).Milliseconds())
	return out, nil
}

// enterSimulation waits for a slot.
func (e *Engine) enterSimulation(ctx context.Context) (leave func(), err error) {
	if e.simulations.Add(1) > maxSimulations {
		e.simulations.Add(-1)
		return nil, &Error{Code: CodeRateLimited, Detail: fmt.Sprintf("%d simulations are under way: try again later", maxSimulations)}
	}
	select {
	case e.simulating <- struct{}{}:
		return func() { <-e.simulating; e.simulations.Add(-1) }, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-e.life.Done():
		err = errStopping
	}
	e.simulations.Add(-1)
	return nil, err
}

func (s *simulation) validate() error {
	in := s.in
	ranged := !in.From.IsZero() || !in.To.IsZero()
	switch {
	case in.Tenant == "":
		return Invalid("tenant", "is missing: whose events to look at")
	case in.Last < 0 || in.Last > MaxSimulated:
		return Invalid("last", "is %d, want 1 to %d events", in.Last, MaxSimulated)
	case in.Last != 0 && ranged:
		return Invalid("last", "stands beside from or to: give a number of events, or a time range")
	case !in.To.IsZero() && !in.From.Before(in.To):
		return Invalid("to", "is not after from: the range is empty")
	case !in.HasFilter && in.EventTypes == nil && in.SubscriptionID == "":
		return Invalid("filter", "is missing: give a filter, event_types, or the subscription_id of one that is saved")
	case in.Last == 0 && ranged:
		in.Last = MaxSimulated
	case in.Last == 0:
		in.Last = DefaultSimulated
	}
	return nil
}

// prepare finds what to evaluate. A text that is no filter is an answer, not an error.
func (s *simulation) prepare(ctx context.Context) error {
	in, err := s.in, error(nil)
	if in.SubscriptionID != "" {
		if err := s.compare(ctx); err != nil {
			return err
		}
		s.next = *s.present
	}
	if in.EventTypes != nil {
		if s.next.types, err = filters.ParseTypes(in.EventTypes); err != nil {
			return Invalid("event_types", "%s", err)
		}
	} else if s.present == nil {
		s.next.types, _ = filters.ParseTypes([]string{"*"})
	}
	if in.HasFilter {
		r := filters.Check(filters.Question{Filter: in.Filter})
		if r.Err != nil {
			s.out.Errors = append(s.out.Errors, remark(r.Err, nil))
			return nil
		}
		s.next.filter = r.Filter
	}
	s.out.Valid = true
	if err := s.e.known(ctx, in.Tenant); err != nil {
		return err
	}
	return s.e.seeAll(ctx, 0)
}

// compare finds the subscription's present filter.
func (s *simulation) compare(ctx context.Context) error {
	v, err := s.e.view(ctx, s.in.Tenant)
	if err != nil {
		return err
	}
	ref, ok := parseID(s.e.epochs, record.PrefixSubscription, s.in.SubscriptionID)
	if !ok || ref.Ord != 0 {
		return notFound("subscription", s.in.SubscriptionID)
	}
	sub, ok := v.index.Get(uint64(ref.Seq))
	if !ok {
		return notFound("subscription", s.in.SubscriptionID)
	}
	s.present = &selection{sub.Types, sub.Filter}
	s.out.Diff = &SimulatedDiff{SubscriptionID: s.in.SubscriptionID}
	return nil
}

func (s *simulation) run(ctx context.Context) error {
	s.pace.begin()
	if err := s.choose(ctx); err != nil {
		return err
	}
	if err := s.read(ctx); err != nil {
		return err
	}
	if err := s.report(true); err != nil {
		return err
	}
	return s.sum(ctx)
}

// choose finds the events, from the view: what their types do not select need not be read.
func (s *simulation) choose(ctx context.Context) error {
	in := s.in
	type selected struct{ next, now bool }
	types := map[string]selected{}
	q := history.EventQuery{Tenant: in.Tenant, FromMS: unixMS(in.From), ToMS: unixMS(in.To)}
	for {
		q.Limit = min(simulatePage, in.Last-len(s.events))
		rows, next, err := s.e.cfg.History.Events(ctx, q)
		if err != nil {
			return storeError(err)
		}
		for i := range rows {
			r := &rows[i]
			sel, known := types[r.Type]
			if !known {
				sel = selected{next: s.next.types.Match(r.Type), now: s.present != nil && s.present.types.Match(r.Type)}
				types[r.Type] = sel
			}
			s.events = append(s.events, simulated{r.Seq, r.TimeMS, sel.next, sel.now})
		}
		if s.out.Truncated = next != nil; next == nil || len(s.events) == in.Last {
			break
		}
		q.After = next
		if err := s.pace.give(ctx); err != nil {
			return err
		}
	}
	if in.From.IsZero() && in.To.IsZero() {
		s.out.Truncated = false // it was asked for so many
	}
	s.out.Events = len(s.events)
	return nil
}
