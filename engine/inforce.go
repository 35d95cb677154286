package engine

import (
	"context"
	"errors"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/eventlog"
)

// InForce is what an attempt was made by: the versions that were in force when it started, each the seq of its record. Take
// as_of={seq} for the objects themselves.
type InForce struct {
	AsOfSeq         uint64                `json:"as_of_seq" doc:"of the newest record when the attempt started"`
	Profile         string                `json:"profile"`
	ProfileVersion  int                   `json:"profile_version" doc:"whose rules judged it"`
	EndpointVersion uint64                `json:"endpoint_version" doc:"seq of the record that set its URL, headers and settings"`
	SecretVersion   uint64                `json:"secret_version" doc:"seq of the record that set the secret that signed"`
	Schedule        []string              `json:"schedule" doc:"waits that its delivery goes by, from its creation on; of a test the endpoint's"`
	Subscriptions   []SubscriptionVersion `json:"subscriptions" doc:"the endpoint's, newest change first"`
}

// SubscriptionVersion is a subscription as it stood.
type SubscriptionVersion struct {
	SubscriptionID string   `json:"subscription_id"`
	FilterVersion  uint64   `json:"filter_version" doc:"seq of the record that set event types and filter"`
	EventTypes     []string `json:"event_types"`
	Filter         *string  `json:"filter" doc:"null = none, or its content was erased"`
}

// inForce looks at the tenant's changes before an attempt, from the newest to the endpoint's creation.
type inForce struct {
	e        *Engine
	tenant   string
	endpoint eventlog.Seq
	begun    eventlog.Seq // of the delivery
	own      *schedule.Schedule
	known    bool // own is what it was when the delivery began
	seen     map[eventlog.Seq]bool
	out      InForce
}

// inForceAt says what was in force at an attempt; nil where retention has trimmed it.
func (e *Engine) inForceAt(ctx context.Context, r *eventlog.Record, a *record.AttemptFinished) (*InForce, error) {
	started, err := SeqAt(ctx, e.cfg.Log, a.StartedAt)
	if err != nil {
		return nil, storeError(err)
	}
	f := inForce{e: e, tenant: r.Tenant, endpoint: a.Endpoint, begun: a.Delivery.Seq, seen: map[eventlog.Seq]bool{}}
	f.out.AsOfSeq = uint64(max(min(started, r.Seq-1), a.Endpoint, a.Delivery.Seq)) // nothing is attempted before it is there
	f.out.Subscriptions = []SubscriptionVersion{}
	if f.begun == 0 {
		f.begun = eventlog.Seq(f.out.AsOfSeq)
	}
	err = f.lookBack(ctx)
	if err == nil {
		err = f.profile(ctx, a)
	}
	if errors.Is(err, eventlog.ErrTrimmed) {
		return nil, nil
	}
	if err != nil {
		return nil, storeError(err)
	}
	return &f.out, nil
}

func (f *inForce) lookBack(ctx context.Context) error {
	if err := f.e.seeAt(ctx, 0, eventlog.Seq(f.out.AsOfSeq)); err != nil {
		return err
	}
	q := history.ChangeQuery{Tenant: f.tenant, Page: history.Page{Limit: MaxLimit, AsOf: eventlog.Seq(f.out.AsOfSeq)}}
	for {
		seqs, next, err := f.e.cfg.History.Changes(ctx, q)
		if err != nil {
			return err
		}
		for _, seq := range seqs {
			r, err := f.e.cfg.Log.Get(ctx, seq)
			if err != nil {
				return err
			}
			if done, err := f.change(&r); done || err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		q.After = next
	}
}

func (f *inForce) change(r *eventlog.Record) (done bool, err error) {
	switch r.Type {
	case record.TypeEndpointCreated, record.TypeEndpointUpdated:
		var c record.Endpoint
		if err := c.Decode(r.Facts); err != nil {
			return true, err
		}
		created := r.Type == record.TypeEndpointCreated
		if !created && c.Endpoint != f.endpoint || created && r.Seq != f.endpoint {
			return false, nil
		}
		if f.out.EndpointVersion == 0 {
			f.out.EndpointVersion = uint64(r.Seq)
		}
		if !f.known && r.Seq <= f.begun {
			f.known, f.own = true, c.Schedule
		}
		if created && f.out.SecretVersion == 0 {
			f.out.SecretVersion = uint64(r.Seq)
		}
		return created, nil
	case record.TypeEndpointSecretRotated:
		var c record.EndpointChange
		if err := c.Decode(r.Facts); err != nil {
			return true, err
		}
		if c.Endpoint == f.endpoint && f.out.SecretVersion == 0 {
			f.out.SecretVersion = uint64(r.Seq)
		}
	case record.TypeSubscriptionCreated, record.TypeSubscriptionUpdated, record.TypeSubscriptionDeleted:
		return false, f.subscription(r)
	}
	return false, nil
}

func (f *inForce) subscription(r *eventlog.Record) error {
	var s record.Subscription
	if err := s.Decode(r.Facts); err != nil {
		return err
	}
	id := s.Subscription
	if r.Type == record.TypeSubscriptionCreated {
		id = r.Seq
	}
	if f.seen[id] {
		return nil // it was changed again before the attempt
	}
	f.seen[id] = true // whichever endpoint it went to by then
	if s.Endpoint != f.endpoint || r.Type == record.TypeSubscriptionDeleted {
		return nil
	}
	v := SubscriptionVersion{SubscriptionID: f.e.id(record.PrefixSubscription, id, 0), FilterVersion: uint64(r.Seq), EventTypes: s.EventTypes}
	var private record.SubscriptionPrivate
	if err := f.e.openJSON(r.Sections[0], f.tenant, r.Type, 0, &private); err == nil {
		v.Filter = textOrNull(private.Filter)
	} else if !isErased(err) {
		return err
	}
	f.out.Subscriptions = append(f.out.Subscriptions, v)
	return nil
}

// profile names the profile version that judged, and takes the schedule of the one that the delivery began under.
func (f *inForce) profile(ctx context.Context, a *record.AttemptFinished) error {
	judge, err := f.profileAt(ctx, a.Profile)
	if err != nil {
		return err
	}
	f.out.Profile, f.out.ProfileVersion = judge.Name, int(judge.Version)
	if f.own != nil {
		f.out.Schedule = texts(f.own.Waits)
		return nil
	}
	began := judge.Schedule
	if a.Event != 0 && a.Event == a.Delivery.Seq { // created by the publish, which names the profile
		r, err := f.e.cfg.Log.Get(ctx, a.Event)
		if err != nil {
			return err
		}
		var ev record.EventPublished
		if err := ev.Decode(r.Facts); err != nil {
			return err
		}
		p, err := f.profileAt(ctx, ev.Profile)
		if err != nil {
			return err
		}
		began = p.Schedule
	} else if a.Delivery.Seq != 0 {
		began, err = f.versionAt(ctx, judge.Name, a.Delivery.Seq, began)
		if err != nil {
			return err
		}
	}
	f.out.Schedule = texts(began.Waits)
	return nil
}

func (f *inForce) profileAt(ctx context.Context, seq eventlog.Seq) (p record.ProfileDefined, err error) {
	r, err := f.e.cfg.Log.Get(ctx, seq)
	if err == nil {
		err = p.Decode(r.Facts)
	}
	return p, err
}

// versionAt is the schedule of the newest version of a profile at a seq.
func (f *inForce) versionAt(ctx context.Context, name string, at eventlog.Seq, or schedule.Schedule) (schedule.Schedule, error) {
	err := f.e.do(ctx, func(s *sequencer) error {
		if p, ok := s.st.ProfileAsOf(name, at); ok {
			or = p.Schedule
		}
		return nil
	})
	return or, err
}
