package engine

import (
	"context"
	"fmt"
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

// TestEndpoint sends the sample payload of a catalogue type, or given data, to an endpoint and returns the attempt, with request and
// response. It is one record, endpoint.tested.
func (e *Engine) TestEndpoint(ctx context.Context, _ Actor, tenant, id string, in TestInput) (Attempt, error) {
	if e.low.Load() {
		return Attempt{}, diskLow()
	}
	if e.held.Load() {
		return Attempt{}, heldError()
	}
	v, err := e.view(ctx, tenant)
	if err != nil {
		return Attempt{}, err
	}
	typ, ok := v.profile.Known(in.EventType)
	if !ok {
		return Attempt{}, Invalid("event_type", "%q is not in the catalogue of profile %s: see GET /v1/profiles/%s", in.EventType, v.profile.Name, v.profile.Name)
	}
	data := in.Data
	if data == nil {
		data = typ.Example
	} else if err := checkTestData(v.profile, &in); err != nil {
		return Attempt{}, err
	}
	body := &eventBody{id: v.profile.NewEventID(), typ: typ.Name}
	body.body, err = v.profile.Render(nil, &profile.Input{ID: body.id, Type: typ.Name, OccurredAt: time.UnixMilli(e.clock.Now()),
		Data: data, Tenant: v.id, Attributes: v.attributes})
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

// checkTestData asks of edited data what publishing asks.
func checkTestData(p *profile.Profile, in *TestInput) error {
	if len(in.Data) > MaxData {
		return &Error{Code: CodeTooLarge, Detail: fmt.Sprintf("data has %d bytes, at most %d (256 KiB) are taken", len(in.Data), MaxData),
			Fields: []FieldError{{Location: "data", Message: fmt.Sprintf("%d bytes, at most %d", len(in.Data), MaxData)}}}
	}
	if len(in.Data) == 0 || in.Data[0] != '{' {
		return Invalid("data", "must be a JSON object")
	}
	if err := p.CheckData(in.EventType, in.Data); err != nil {
		return invalidField("data", err)
	}
	return nil
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
