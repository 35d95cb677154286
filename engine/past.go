package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// AsOf names a point of the log: a seq, or a time, which stands for the newest record that is not later.
type AsOf struct {
	Seq  uint64
	Time time.Time // when Seq is 0
}

// Past answers what the same reads of Engine would have answered when the record at Seq was the newest one. It is safe for
// concurrent use and holds nothing: no need to close it.
type Past struct {
	Seq eventlog.Seq
	e   *Engine
}

// AsOf finds a point of the log. 422 beyond the head, and for a time before the first record; 410 for what retention
// has trimmed.
func (e *Engine) AsOf(ctx context.Context, at AsOf) (*Past, error) {
	head, err := e.cfg.Log.Head(ctx)
	if err != nil {
		return nil, storeError(err)
	}
	seq := eventlog.Seq(at.Seq)
	if seq == 0 {
		if seq, err = e.seqAtTime(ctx, head, at.Time); err != nil {
			return nil, err
		}
	}
	switch {
	case seq > head.Seq:
		return nil, Invalid("as_of", "seq %d lies beyond the head of the log, which is %d", seq, head.Seq)
	case seq < head.First:
		return nil, gone("as_of: seq %d was trimmed from the log by retention: the oldest record kept is %d", seq, head.First)
	}
	return &Past{Seq: seq, e: e}, nil
}

func (e *Engine) seqAtTime(ctx context.Context, head eventlog.Head, t time.Time) (eventlog.Seq, error) {
	if now := max(e.clock.Now(), head.Time); t.UnixMilli() > now {
		return 0, Invalid("as_of", "%s lies in the future: it is %s", t.UTC().Format(time.RFC3339), time.UnixMilli(now).UTC().Format(time.RFC3339))
	}
	seq, err := SeqAt(ctx, e.cfg.Log, t.UnixMilli())
	switch {
	case err != nil:
		return 0, storeError(err)
	case seq == 0 && head.First > 1:
		return 0, gone("as_of: %s was trimmed from the log by retention: the oldest record kept is %d", t.UTC().Format(time.RFC3339), head.First)
	case seq == 0:
		return 0, Invalid("as_of", "%s lies before the first record of the log", t.UTC().Format(time.RFC3339))
	}
	return seq, nil
}

// SeqAt is the newest record that is not later than a time (Unix ms); 0 = all are. Times in a log never run back.
func SeqAt(ctx context.Context, log eventlog.Log, ms int64) (eventlog.Seq, error) {
	head, err := log.Head(ctx)
	if err != nil || head.Seq == 0 {
		return 0, err
	}
	if head.Time <= ms {
		return head.Seq, nil
	}
	lo, hi := max(head.First, 1)-1, head.Seq // the record at lo is not later (or there is none), that at hi is
	for hi-lo > 1 {
		middle := lo + (hi-lo)/2
		b, err := batchAt(ctx, log, middle)
		if err != nil {
			return 0, err
		}
		for i := range b.Records {
			r := &b.Records[i]
			if r.Time > ms {
				hi = min(hi, r.Seq)
				break
			}
			lo = max(lo, r.Seq)
		}
	}
	if lo < head.First {
		return 0, nil
	}
	return lo, nil
}

// batchAt is the batch that holds a seq, with records of its own but without sections' data.
func batchAt(ctx context.Context, log eventlog.Log, seq eventlog.Seq) (b eventlog.Batch, err error) {
	for b, err := range log.ReadBatches(ctx, seq-1) {
		b.Records = append([]eventlog.Record(nil), b.Records...)
		return b, err
	}
	return b, fmt.Errorf("%w: seq %d", eventlog.ErrNotFound, seq)
}

// state runs fn on the state at that seq, folding it unless it is at hand.
func (p *Past) state(ctx context.Context, fn func(stateReader) error) error {
	st, err := p.e.pasts.at(ctx, p.Seq)
	if err != nil {
		return pastError(err)
	}
	return fn(stateReader{st: st, epochs: p.e.epochs, now: st.Time})
}

func pastError(err error) error {
	if errors.Is(err, eventlog.ErrTrimmed) {
		return gone("as_of: retention has trimmed what the state of that time follows from")
	}
	return storeError(err)
}

// Tenant is Engine.Tenant then.
func (p *Past) Tenant(ctx context.Context, id string) (Tenant, error) {
	return p.e.tenantBy(ctx, p.state, id)
}

// Tenants is Engine.Tenants then.
func (p *Past) Tenants(ctx context.Context, in ListInput) (Page[Tenant], error) {
	return p.e.tenantsBy(ctx, p.state, in)
}

// Endpoint is Engine.Endpoint then.
func (p *Past) Endpoint(ctx context.Context, tenant, id string) (Endpoint, error) {
	return p.e.endpointBy(ctx, p.state, func(r stateReader) (*state.Endpoint, error) { return r.endpoint(tenant, id) })
}

// Endpoints is Engine.Endpoints then.
func (p *Past) Endpoints(ctx context.Context, tenant string, in ListInput) (Page[Endpoint], error) {
	return p.e.endpointsBy(ctx, p.state, tenant, in)
}

// Subscription is Engine.Subscription then.
func (p *Past) Subscription(ctx context.Context, tenant, id string) (Subscription, error) {
	return p.e.subscriptionBy(ctx, p.state, tenant, id, p.e.subscriptionObject)
}

// Subscriptions is Engine.Subscriptions then.
func (p *Past) Subscriptions(ctx context.Context, tenant string, in ListInput) (Page[Subscription], error) {
	return p.e.subscriptionsBy(ctx, p.state, tenant, in, p.e.subscriptionObject)
}

// Events is Engine.Events then.
func (p *Past) Events(ctx context.Context, tenant string, in ListInput) (Page[Event], error) {
	in.asOf = p.Seq
	return p.e.Events(ctx, tenant, in)
}

// Event is Engine.Event then.
func (p *Past) Event(ctx context.Context, tenant, id string) (Event, error) {
	return p.e.eventBy(ctx, tenant, id, p.Seq)
}

// Deliveries is Engine.Deliveries then.
func (p *Past) Deliveries(ctx context.Context, tenant string, in ListInput) (Page[Delivery], error) {
	in.asOf = p.Seq
	return p.e.Deliveries(ctx, tenant, in)
}

// Delivery is Engine.Delivery then.
func (p *Past) Delivery(ctx context.Context, tenant, id string) (Delivery, error) {
	return p.e.deliveryBy(ctx, tenant, id, p.Seq)
}

// Attempts is Engine.Attempts then.
func (p *Past) Attempts(ctx context.Context, tenant string, in ListInput) (Page[Attempt], error) {
	in.asOf = p.Seq
	return p.e.Attempts(ctx, tenant, in)
}

// Attempt is Engine.Attempt then.
func (p *Past) Attempt(ctx context.Context, tenant, id string) (Attempt, error) {
	if ref, ok := parseID(p.e.epochs, record.PrefixAttempt, id); !ok || ref.Seq > p.Seq {
		return Attempt{}, notFound("attempt", id)
	}
	return p.e.Attempt(ctx, tenant, id)
}

// knownAt is known, then: at 0 it is the present.
func (e *Engine) knownAt(ctx context.Context, tenant string, at eventlog.Seq) error {
	if at == 0 {
		return e.known(ctx, tenant)
	}
	return e.do(ctx, func(s *sequencer) error {
		if t, ok := s.st.AnyTenant(tenant); !ok || t.Seq > at {
			return notFound("tenant", tenant)
		}
		return nil
	})
}

// seeAt waits until the view has everything up to a seq; at 0 it is seeAll.
func (e *Engine) seeAt(ctx context.Context, min uint64, at eventlog.Seq) error {
	if at == 0 {
		return e.seeAll(ctx, min)
	}
	ctx, cancel := context.WithTimeout(ctx, ViewWait)
	defer cancel()
	if err := e.cfg.Follower.WaitFor(ctx, at); err != nil {
		return &Error{Code: CodeUnavailable, Detail: fmt.Sprintf("the history view is at seq %d and does not have seq %d yet; try again", e.cfg.Follower.Seq(), at)}
	}
	return nil
}

// upTo leaves out what came after a seq; at 0 it is the present.
func upTo(seqs []eventlog.Seq, at eventlog.Seq) []eventlog.Seq {
	if at == 0 {
		return seqs
	}
	kept := seqs[:0:0]
	for _, seq := range seqs {
		if seq <= at {
			kept = append(kept, seq)
		}
	}
	return kept
}
