package engine

import (
	"context"
	"slices"
	"time"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/filters"
)

// MaxRecoverRate bounds a recovery's rate, deliveries a second.
const MaxRecoverRate = 10_000

// RecoverInput selects an endpoint's deliveries that did not reach it, to be made anew. Zero values select everything.
type RecoverInput struct {
	Status       []string  // of exhausted and skipped; nil = both
	Since, Until time.Time // of the delivery's creation: since inclusive, until exclusive
	EventTypes   []string  // as a subscription selects them; nil = all
	Rate         int       // deliveries a second, 1 to MaxRecoverRate; 0 = as fast as they are attempted
	DryRun       bool      // count only
}

// RecoverAccepted answers a recover.
type RecoverAccepted struct {
	RecoveryID *string `json:"recovery_id" doc:"null after a dry run"`
	Matched    uint64  `json:"matched" doc:"deliveries that are, or would be, made anew"`
}

// Recover resends in bulk: every delivery to the endpoint that the input selects, and after which the event did not
// reach it otherwise, is made anew. What is selected is fixed when it is accepted; the deliveries are created
// from then on, page by page. 409 on a blocked endpoint (but for a dry run) and while another recovery of it runs.
func (e *Engine) Recover(ctx context.Context, by Actor, tenant, endpoint string, in RecoverInput) (RecoverAccepted, error) {
	facts, err := recoverFacts(&in)
	if err != nil {
		return RecoverAccepted{}, err
	}
	check := func(s *sequencer) (*state.Endpoint, error) {
		ep, err := s.endpoint(tenant, endpoint)
		if err != nil || in.DryRun {
			return ep, err
		}
		return ep, s.recoverable(ep)
	}
	err = e.do(ctx, func(s *sequencer) error {
		ep, err := check(s)
		if err == nil {
			facts.Endpoint = ep.Seq
		}
		return err
	})
	if err != nil {
		return RecoverAccepted{}, err
	}
	facts.Upto = e.durable.Load().seq
	if err := e.seeAll(ctx, 0); err != nil {
		return RecoverAccepted{}, err
	}
	if facts.Matched, err = e.countRecoverable(ctx, tenant, &facts); err != nil {
		return RecoverAccepted{}, err
	}
	out := RecoverAccepted{Matched: facts.Matched}
	if in.DryRun {
		return out, nil
	}
	who, err := e.who(tenant, record.TypeRecoveryStarted, by)
	if err != nil {
		return out, err
	}
	err = e.change(ctx, func(s *sequencer) error {
		if _, err := check(s); err != nil { // counting may have taken a while
			return err
		}
		seq := s.appendFacts(record.TypeRecoveryStarted, tenant, &facts, who...)
		x, _ := s.st.Recovery(tenant, seq)
		s.recoveries.add(x)
		out.RecoveryID = ptr(s.id(record.PrefixRecovery, seq, 0))
		return nil
	})
	return out, err
}

// recoverable refuses a recovery of an endpoint that is blocked, or has one.
func (s *sequencer) recoverable(ep *state.Endpoint) error {
	if _, blocked := ep.Blocked(); blocked {
		return conflict("the endpoint is %s: enable it first", ep.Status())
	}
	if ep.Recovery != nil {
		return conflict("recovery %s of the endpoint is running: wait for its end or cancel it", s.id(record.PrefixRecovery, ep.Recovery.Seq, 0))
	}
	return nil
}

func recoverFacts(in *RecoverInput) (f record.RecoveryStarted, err error) {
	if in.Rate < 0 || in.Rate > MaxRecoverRate {
		return f, Invalid("rate", "is %d, want 1 to %d deliveries a second, or 0 for no limit", in.Rate, MaxRecoverRate)
	}
	f.Rate = uint32(in.Rate)
	if in.Status == nil {
		in.Status = []string{"exhausted", "skipped"}
	}
	for _, name := range in.Status {
		status := record.ParseStatus(name)
		if status != record.Exhausted && status != record.Skipped {
			return f, Invalid("status", "%q cannot be recovered: only exhausted and skipped deliveries can", name)
		}
		f.Statuses = append(f.Statuses, status)
	}
	if len(f.Statuses) == 0 {
		return f, Invalid("status", "is an empty list: name exhausted, skipped or both, or leave it out for both")
	}
	slices.Sort(f.Statuses)
	f.Statuses = slices.Compact(f.Statuses)
	if in.EventTypes != nil {
		if f.EventTypes, err = parseTypes(in.EventTypes); err != nil {
			return f, err
		}
	}
	f.Since, f.Until = unixMS(in.Since), unixMS(in.Until)
	if !in.Since.IsZero() && !in.Until.IsZero() && in.Since.After(in.Until) {
		return f, Invalid("since", "lies after until: swap them")
	}
	return f, nil
}

// recoverQuery is a recovery's selection. Facts that stand in the log hold good types.
func recoverQuery(tenant string, f *record.RecoveryStarted) (history.RecoverQuery, error) {
	q := history.RecoverQuery{Tenant: tenant, Endpoint: f.Endpoint, Upto: f.Upto, Status: f.Statuses, FromMS: f.Since, ToMS: f.Until,
		Types: func(string) bool { return true }}
	if f.EventTypes != nil {
		types, err := filters.ParseTypes(f.EventTypes)
		if err != nil {
			return q, err
		}
		q.Types = types.Match
	}
	return q, nil
}

// countRecoverable walks the selection once, outside the sequencer.
func (e *Engine) countRecoverable(ctx context.Context, tenant string, f *record.RecoveryStarted) (n uint64, err error) {
	q, err := recoverQuery(tenant, f)
	if err != nil {
		return 0, err
	}
	n, err = e.cfg.History.CountRecoverable(ctx, q)
	return n, storeError(err)
}

// Recoveries lists a tenant's recoveries, newest first: those that run and the newest that have ended.
func (e *Engine) Recoveries(ctx context.Context, tenant string, in ListInput) (Page[Recovery], error) {
	var all []state.Recovery
	err := e.do(ctx, func(s *sequencer) error {
		t, ok := s.st.AnyTenant(tenant)
		if !ok {
			return notFound("tenant", tenant)
		}
		for i := len(t.Recoveries) - 1; i >= 0; i-- {
			all = append(all, *t.Recoveries[i])
		}
		return nil
	})
	if err != nil {
		return Page[Recovery]{}, err
	}
	return pageOf(all, in, func(x state.Recovery) eventlog.Seq { return x.Seq },
		func(x state.Recovery) (Recovery, error) { return e.recoveryObject(&x), nil })
}

// Recovery returns one recovery.
func (e *Engine) Recovery(ctx context.Context, tenant, id string) (Recovery, error) {
	return e.recoveryCommand(ctx, e.do, tenant, id, func(*sequencer, *state.Recovery) error { return nil })
}

// CancelRecovery ends a running recovery. What it created stays.
func (e *Engine) CancelRecovery(ctx context.Context, by Actor, tenant, id string) (Recovery, error) {
	if err := e.known(ctx, tenant); err != nil {
		return Recovery{}, err
	}
	who, err := e.who(tenant, record.TypeRecoveryEnded, by)
	if err != nil {
		return Recovery{}, err
	}
	return e.recoveryCommand(ctx, e.change, tenant, id, func(s *sequencer, x *state.Recovery) error {
		if x.EndedAt != 0 {
			return conflict("the recovery has ended: it is %s", x.State)
		}
		s.endRecovery(x, record.RecoveryCanceled, record.ReasonCanceledByUser, who...)
		return nil
	})
}

func (e *Engine) recoveryCommand(ctx context.Context, do func(context.Context, func(*sequencer) error) error, tenant, id string,
	fn func(*sequencer, *state.Recovery) error) (Recovery, error) {
	var out state.Recovery
	err := do(ctx, func(s *sequencer) error {
		if _, ok := s.st.AnyTenant(tenant); !ok {
			return notFound("tenant", tenant)
		}
		ref, ok := parseID(e.epochs, record.PrefixRecovery, id)
		x, found := s.st.Recovery(tenant, ref.Seq)
		if !ok || !found || ref.Ord != 0 {
			return notFound("recovery", id)
		}
		err := fn(s, x)
		out = *x
		return err
	})
	if err != nil {
		return Recovery{}, err
	}
	return e.recoveryObject(&out), nil
}

func (e *Engine) recoveryObject(x *state.Recovery) Recovery {
	o := Recovery{ID: e.id(record.PrefixRecovery, x.Seq, 0), EndpointID: e.id(record.PrefixEndpoint, x.Endpoint, 0), State: x.State.String(),
		Reason: textOrNull(x.Reason.String()), EventTypes: x.EventTypes, Since: timeOrNull(x.Since), Until: timeOrNull(x.Until),
		Matched: x.Matched, Created: x.Created, Cursor: timeOrNull(x.CursorMS), StartedAt: Time(x.StartedAt), FinishedAt: timeOrNull(x.EndedAt)}
	for _, s := range x.Statuses {
		o.Status = append(o.Status, s.String())
	}
	if x.Rate != 0 {
		o.Rate = ptr(int(x.Rate))
	}
	return o
}
