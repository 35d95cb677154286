package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hookline/hookline/engine/dispatch"
	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/seal"
	"github.com/hookline/hookline/transports"
)

// flight is one attempt under way. It is made by the sequencer, filled by a runner, and comes back as a command.
type flight struct {
	start      dispatch.Start
	ref        record.Ref
	event      eventlog.Seq
	number     uint16
	trigger    record.Trigger
	first      int64 // start of the delivery's first attempt; this one's, if it is the first
	interrupts uint8
	target     *target
	startedAt  int64
	body       *eventBody // nil = read the log
	test       *testFlight
	handshake  *profile.Handshake // set: no event, but the question for consent

	e       *Engine
	req     transports.Request
	res     transports.Result
	err     error
	ended   int64
	retryAt int64 // the receiver's Retry-After, Unix ms; 0 = none
	private eventlog.Section
}

// start makes the flight of a delivery that leaves its lane.
func (s *sequencer) start(st dispatch.Start, d *state.Delivery, ep *state.Endpoint) {
	f := &flight{e: s.e, start: st, ref: d.Ref(), event: d.Event, number: d.Made + 1, trigger: record.TriggerSchedule,
		first: d.First, interrupts: d.Interruptions, target: s.target(ep), startedAt: s.now}
	if d.Resend() && d.Made == 0 {
		f.trigger = record.TriggerResend
	}
	if f.first == 0 {
		f.first = s.now
	}
	if d.Made == 0 {
		f.body = s.bodies.take(d.Event)
	}
	s.tookOff(f)
	// What an attempt stands on must be durable before it starts: its delivery, and for a later attempt (a wait may be
	// 0 s) the record of the one before, which is somewhere before the last record.
	needs := f.ref.Seq
	if d.Made > 0 || d.Interruptions > 0 {
		needs = s.next - 1
	}
	if needs <= s.e.durable.Load().seq {
		s.starts = append(s.starts, f)
		return
	}
	s.batch.starts = append(s.batch.starts, f)
}

// fly signs and submits: it is called by a runner. Nothing is sent whose result could not be recorded.
func (f *flight) fly() {
	f.hold()
	err := cmp.Or(f.e.failure(), context.Cause(f.e.flying))
	if err == nil {
		err = f.fill()
	}
	if err != nil {
		f.done(transports.Result{}, fmt.Errorf("%w: %w", transports.ErrInterrupted, err))
		return
	}
	t := f.target.transport
	if f.interrupts >= aloneAfter && t.Alone != nil {
		t.Alone.Submit(f.e.flying, &f.req, f.done) // away from the others
		return
	}
	t.Submitter.Submit(f.e.flying, &f.req, f.done)
}

func (f *flight) fill() error {
	t := f.target
	if err := t.open(f.e); err != nil {
		return err
	}
	if f.handshake != nil {
		f.req = t.handshakeRequest(f.handshake)
		return nil
	}
	if f.body == nil {
		body, err := f.e.ahead.load(f.event)
		if err != nil {
			return err
		}
		f.body = body
	}
	f.req = transports.Request{Target: t.url, Body: f.body.body, Timeout: t.timeout, EventID: f.body.id, Settings: t.settings,
		Headers: withOwn(t.signerAt(f.startedAt).Append(make([]transports.Header, 0, 6+len(t.own)), &profile.Attempt{EventID: f.body.id,
			EventType: f.body.typ, At: time.Now(), Body: f.body.body}), t.own)}
	return nil
}

// loadBody reads an event's body from the log.
func (e *Engine) loadBody(seq eventlog.Seq) (*eventBody, error) {
	r, err := e.cfg.Log.Get(context.Background(), seq)
	if err != nil {
		return nil, err
	}
	return e.openBody(&r)
}

func (e *Engine) openBody(r *eventlog.Record) (*eventBody, error) {
	var ev record.EventPublished
	if err := ev.Decode(r.Facts); err != nil {
		return nil, err
	}
	if r.Sections[0].Removed {
		return nil, errBodyRemoved // bodies that pending deliveries need are kept: nobody sends this one
	}
	body, err := e.openSection(r.Sections[0], r.Tenant, r.Type, 0)
	if err != nil {
		return nil, err
	}
	return &eventBody{id: strings.Clone(ev.ID), typ: strings.Clone(ev.Type), body: body}, nil
}

// done is the transport's answer: from any goroutine, once. What can be done outside the sequencer is done here.
func (f *flight) done(res transports.Result, err error) {
	f.res, f.err = res, err
	f.ended = f.e.finishedAt(f)
	if err == nil && f.handshake == nil {
		f.res.Outcome, f.res.Kind = f.target.profile.Judge(res)
		f.retryAt = retryAt(res.Headers, f.ended)
		f.private = f.seal()
	}
	f.e.sequencer.enqueue(f)
}

// finishedAt is the engine's clock when the result arrived; a manual clock stands still, but a timed-out attempt took
// its timeout.
func (e *Engine) finishedAt(f *flight) int64 {
	if !e.manual() {
		return max(f.startedAt, e.clock.Now())
	}
	if f.err == nil && f.res.Outcome == transports.TimedOut {
		return f.startedAt + f.target.timeout.Milliseconds()
	}
	return f.startedAt
}

func (f *flight) recordType() eventlog.Type {
	if f.test != nil {
		return record.TypeEndpointTested
	}
	return record.TypeAttemptFinished
}

// seal makes the private section. What the receiver did is a fact, whatever became of the tenant's keys meanwhile: when
// they were destroyed, or the keyring fails, the section stays empty, and the attempt is recorded, not made again.
func (f *flight) seal() eventlog.Section {
	s, err := f.e.cfg.Keyring.Sealer(f.target.tenant)
	if err != nil {
		if !errors.Is(err, seal.ErrDestroyed) {
			f.e.cfg.Logger.Error("an attempt is recorded without request and response: they could not be sealed", "tenant", f.target.tenant, "error", err)
		}
		return eventlog.NewSection(nil)
	}
	p := record.AttemptPrivate{URL: f.req.Target, RequestHeaders: recordHeaders(f.req.Headers, len(f.req.Body)),
		ResponseHeaders: recordHeaders(f.res.Headers, -1), Error: f.res.Error, ResponseBody: f.res.Body, Truncated: f.res.Truncated}
	return sealSection(s, f.target.tenant, f.recordType(), 0, p.Append(make([]byte, 0, 512+len(p.ResponseBody))))
}

// run is the result's turn in the sequencer: the slot is free, the decision is made.
func (f *flight) run(s *sequencer) {
	s.landed(f)
	if f.handshake != nil {
		f.answered(s)
		return
	}
	if f.test != nil {
		f.tested(s)
		return
	}
	s.lanes.Done(f.start, f.end())
	if f.err != nil {
		f.interrupted(s)
		return
	}
	f.finished(s)
}

func (f *flight) end() dispatch.End {
	switch {
	case f.err != nil:
		return dispatch.Interrupted
	case f.res.Outcome == transports.Acknowledged:
		return dispatch.Succeeded
	case f.res.Outcome == transports.TimedOut:
		return dispatch.TimedOut
	}
	return dispatch.Failed
}

// finished records a counted attempt and what follows, in one batch.
func (f *flight) finished(s *sequencer) {
	a := f.facts()
	ep, alive := s.st.Endpoint(f.target.tenant, f.target.endpoint)
	h, pending := s.st.Pending.Find(f.ref)
	var d decision
	p, _ := s.st.Profile(f.target.profileSeq)
	if alive {
		m := moment{suppressAfter: p.SuppressAfter, warnAt: p.WarnAt, number: int(f.number), first: f.first, finished: f.ended, failures: ep.Failures,
			disabled: ep.DisabledAt != 0, suppressed: ep.SuppressedAt != 0, outcome: f.res.Outcome, rnd: rand.Uint64(),
			retryAt: f.retryAt, retryCap: int64(p.RetryAfterCapMS)}
		if pending {
			m.schedule, m.disableOnFail = s.st.PolicyOf(s.st.Pending.At(h)).Schedule, p.DisableOnFail
		}
		d = decide(m)
	}
	if !pending { // it was ended while the attempt was under way: the attempt counts for its endpoint, the end stands
		d.status, d.reason, d.due = record.Canceled, f.canceledBy(s, alive), 0
	}
	a.Status, a.Reason, a.NextDue = d.status, d.reason, d.due
	s.appendFacts(record.TypeAttemptFinished, f.target.tenant, &a, f.private)
	s.batch.results++
	s.e.count.unrecorded.Add(1)
	s.e.count.attempt(f.res.Outcome)
	s.e.count.ended(d.status)
	change := record.EndpointChange{Endpoint: f.target.endpoint, Delivery: f.ref}
	if d.disable {
		change.Reason = d.why
		s.appendFacts(record.TypeEndpointDisabled, f.target.tenant, &change)
	}
	if d.suppress {
		change.Reason = record.ReasonNone
		s.appendFacts(record.TypeEndpointSuppressed, f.target.tenant, &change)
	}
	if d.disable || d.suppress {
		s.gateClosed(ep)
	}
	if alive {
		s.tellAttempt(ep, p, &a, &d)
	}
}

// canceledBy is why a delivery had ended before its attempt did.
func (f *flight) canceledBy(s *sequencer, endpointAlive bool) record.Reason {
	if endpointAlive {
		return record.ReasonCanceledByUser
	}
	if _, ok := s.st.Tenant(f.target.tenant); ok {
		return record.ReasonEndpointDeleted
	}
	return record.ReasonTenantDeleted
}

func (f *flight) facts() record.AttemptFinished {
	a := record.AttemptFinished{Delivery: f.ref, Event: f.event, Endpoint: f.target.endpoint, Profile: f.target.profileSeq,
		Number: f.number, Trigger: f.trigger, StartedAt: f.startedAt, TookMS: uint32(f.ended - f.startedAt),
		Outcome: uint8(f.res.Outcome), Kind: record.KindNumber(string(f.res.Kind)), StatusCode: uint16(f.res.Status),
		EventID: f.body.id, EventType: f.body.typ}
	t := &f.res.Timings
	for i, d := range [...]time.Duration{t.DNS, t.Connect, t.TLS, t.Wait, t.Body} {
		a.Timings[i] = uint32(d.Microseconds())
	}
	return a
}

// interrupted records an attempt that our side broke off: uncounted, and made again. What a stop broke off is not
// recorded at all: it is still due.
func (f *flight) interrupted(s *sequencer) {
	s.e.count.interrupted.Add(1)
	n, _ := s.e.interrupts.LoadOrStore(f.target.carrier, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
	if s.stopping() {
		s.e.count.brokenOff.Add(1)
		return
	}
	h, pending := s.st.Pending.Find(f.ref)
	if !pending {
		return
	}
	again := min(int(s.st.Pending.At(h).Interruptions)+1, maxInterrupted)
	due, held := interrupted(again, s.now)
	s.e.cfg.Logger.Warn("an attempt was interrupted on our side; it does not count", "tenant", f.target.tenant,
		"delivery", s.id(record.PrefixDelivery, f.ref.Seq, f.ref.Ord), "interruptions", again, "held", held, "error", f.err)
	a := record.AttemptInterrupted{Delivery: f.ref, Endpoint: f.target.endpoint, Number: f.number, Interruptions: uint8(again),
		Due: due, Held: held, FirstStarted: f.first}
	if t := f.target.transport; t != nil {
		a.Plugin = t.build()
	}
	s.appendFacts(record.TypeAttemptInterrupted, f.target.tenant, &a)
	s.waitOurs(f.ref, time.Duration(due-s.now)*time.Millisecond)
}

func recordHeaders(hs []transports.Header, contentLength int) []record.Header {
	out := make([]record.Header, 0, len(hs)+1)
	for _, h := range hs {
		out = append(out, record.Header{Name: h.Name, Value: h.Value})
	}
	if contentLength >= 0 {
		out = append(out, record.Header{Name: "content-length", Value: fmt.Sprint(contentLength)})
	}
	return out
}
