package engine

import (
	"context"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// testFlight is a test event on its way: one attempt, never retried, neutral for every counter, allowed on a blocked
// endpoint, with an event id of its own (R-5, O-17).
type testFlight struct {
	seq  eventlog.Seq // of its record
	err  error
	body eventlog.Section
	waiter
}

// TestEndpoint sends the sample payload of a catalogue type to an endpoint and returns the attempt, with request and
// response. It is one record, endpoint.tested.
func (e *Engine) TestEndpoint(ctx context.Context, _ Actor, tenant, id, eventType string) (Attempt, error) {
	if e.low.Load() {
		return Attempt{}, diskLow()
	}
	v, err := e.view(ctx, tenant)
	if err != nil {
		return Attempt{}, err
	}
	typ, ok := v.profile.Known(eventType)
	if !ok {
		return Attempt{}, Invalid("event_type", "%q is not in the catalogue of profile %s: see GET /v1/profiles/%s", eventType, v.profile.Name, v.profile.Name)
	}
	body := &eventBody{id: v.profile.NewEventID(), typ: typ.Name}
	body.body, err = v.profile.Render(nil, &profile.Input{ID: body.id, Type: typ.Name, OccurredAt: time.UnixMilli(e.clock.Now()),
		Data: typ.Example, Tenant: v.id, Attributes: v.attributes})
	if err != nil {
		return Attempt{}, err
	}
	sealer, err := e.cfg.Keyring.Sealer(tenant)
	if err != nil {
		return Attempt{}, err
	}
	f := &flight{e: e, number: 1, trigger: record.TriggerTest, body: body, test: &testFlight{waiter: newWaiter(),
		body: sealSection(sealer, tenant, record.TypeEndpointTested, 1, body.body)}}
	if err := e.startTest(ctx, f, tenant, id); err != nil {
		return Attempt{}, err
	}
	if err := f.test.wait(ctx, e); err != nil {
		return Attempt{}, err
	}
	if f.test.err != nil {
		return Attempt{}, &Error{Code: CodeUnavailable, Detail: "the test was interrupted on our side: " + f.test.err.Error()}
	}
	return e.attemptAt(ctx, f.test.seq)
}

func (e *Engine) startTest(ctx context.Context, f *flight, tenant, id string) error {
	return e.change(ctx, func(s *sequencer) error {
		ep, err := s.endpoint(tenant, id)
		if err != nil {
			return err
		}
		if s.draining {
			return errStopping
		}
		s.startTest(f, ep)
		return nil
	})
}

func (s *sequencer) startTest(f *flight, ep *state.Endpoint) {
	f.target, f.startedAt, f.first = s.target(ep), s.now, s.now
	s.tookOff(f)
	s.batch.starts = append(s.batch.starts, f)
}

// tested records a test's result.
func (f *flight) tested(s *sequencer) {
	defer s.answer(f.test)
	if f.err != nil {
		f.test.err = f.err
		return
	}
	a := f.facts()
	f.test.seq = s.appendFacts(record.TypeEndpointTested, f.target.tenant, &a, f.private, f.test.body)
}
