package engine

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/filters"
)

// Bounds of a publish.
const (
	MaxData           = 256 << 10 // bytes of data or payload
	MaxDepth          = 64        // nesting within data
	MaxBatchEvents    = 1000
	MaxIdempotencyKey = 256 // bytes
	MaxMetadata       = 16 << 10
)

// eventBody is an event's body in memory until its first attempts have started: after that it comes from the log.
type eventBody struct {
	id, typ string
	body    []byte
}

// publication is one event on its way through the sequencer.
type publication struct {
	in       *PublishInput
	err      *Error
	v        *tenantView
	rec      eventlog.Record
	event    record.EventPublished
	body     *eventBody
	occurred time.Time
	unmatch  []Unmatched
	route    routing

	seen  prefetch // the view's answer on the dedupe hash
	state pubState
	first eventlog.Seq // of the event that this one repeats
	seq   eventlog.Seq
}

type pubState uint8

const (
	pubWaiting   pubState = iota
	pubStale              // the tenant's routing changed: route again
	pubPrefetch           // the view's answer on the dedupe hash is too old: ask again
	pubStored             // seq is its record
	pubDuplicate          // first is the seq of the first one
	pubConflict           // same key, other content
	pubGone               // the tenant was deleted
)

type publishCommand struct {
	tenant string
	items  []*publication
	waiter
}

// Publish accepts events: each is stored durably, routed, and its deliveries are due, or it is answered with an Error of
// its own. An error of the whole call means that nothing was accepted for certain.
func (e *Engine) Publish(ctx context.Context, tenant string, in []PublishInput) ([]PublishResult, error) {
	if e.low.Load() {
		return nil, diskLow()
	}
	if err := e.dedupeRoom(ctx); err != nil {
		return nil, err
	}
	v, err := e.view(ctx, tenant)
	if err != nil {
		return nil, err
	}
	items := make([]publication, len(in))
	waiting := make([]*publication, 0, len(in))
	for i := range in {
		p := &items[i]
		p.in = &in[i]
		if p.err = p.in.Err; p.err == nil {
			p.err = e.prepare(p, v)
		}
		if p.err == nil {
			waiting = append(waiting, p)
		}
	}
	for round := 0; len(waiting) > 0; round++ {
		if round == maxRounds {
			return nil, &Error{Code: CodeUnavailable, Detail: "the tenant's subscriptions change faster than events can be routed; try again"}
		}
		if err := e.available(ctx); err != nil {
			return nil, err
		}
		c := &publishCommand{tenant: tenant, items: waiting, waiter: newWaiter()}
		e.sequencer.enqueue(c)
		if err := c.wait(ctx, e); err != nil {
			return nil, err
		}
		if waiting, err = e.again(ctx, tenant, waiting); err != nil {
			return nil, err
		}
	}
	return e.published(ctx, items)
}

const maxRounds = 100

// again prepares those anew that the sequencer sent back.
func (e *Engine) again(ctx context.Context, tenant string, items []*publication) ([]*publication, error) {
	var back []*publication
	var v *tenantView // one for all of them
	for _, p := range items {
		switch p.state {
		case pubStale:
			if v == nil {
				var err error
				if v, err = e.makeView(ctx, tenant, p.v); err != nil {
					return nil, err
				}
			}
			if p.err = e.prepare(p, v); p.err != nil {
				continue
			}
		case pubPrefetch:
			if err := e.prefetch(p); err != nil {
				return nil, err
			}
		default:
			continue
		}
		p.state = pubWaiting
		back = append(back, p)
	}
	return back, nil
}

func (c *publishCommand) run(s *sequencer) {
	t, ok := s.st.Tenant(c.tenant)
	for _, p := range c.items {
		switch {
		case !ok:
			p.state = pubGone
			continue
		case t.RouteVersion != p.v.version:
			p.state = pubStale
			continue
		}
		if p.event.HasDedupe {
			if p.state = s.dedupe.check(p, s.now); p.state != pubWaiting {
				continue
			}
		}
		p.seq = s.append(p.rec)
		p.state = pubStored
		s.tellFailures(p)
		if n := len(p.event.Matches); n > 0 {
			s.bodies.put(p.seq, p.body, n, s.now)
		}
		if p.event.HasDedupe {
			s.dedupe.add(p.event.Dedupe, dedupeEntry{seq: p.seq, time: s.now, fingerprint: p.event.Fingerprint})
		}
	}
	s.answer(c)
}

// prepare validates, renders, routes and seals: everything that needs no state, in the publisher's own goroutine.
func (e *Engine) prepare(p *publication, v *tenantView) *Error {
	p.v = v
	if err := e.validate(p); err != nil {
		return err
	}
	if err := e.render(p); err != nil {
		return err
	}
	ev := filterEvent(v, p)
	r := route(v, ev)
	p.route = r
	if p.in.Explain {
		p.unmatch = e.unmatched(v, ev, r)
	}
	p.event.Profile, p.event.RouteVersion = v.profileSeq, v.version
	p.event.Matches, p.event.Failed = r.matches, r.failed
	if err := e.identify(p); err != nil {
		return &Error{Code: CodeUnavailable, Detail: err.Error()}
	}
	if err := e.sealEvent(p, r.texts); err != nil {
		return &Error{Code: CodeUnavailable, Detail: err.Error()}
	}
	if err := e.prefetch(p); err != nil {
		return &Error{Code: CodeUnavailable, Detail: err.Error()}
	}
	return nil
}

func (p *publication) data() []byte {
	if p.in.Payload != nil {
		return p.v.profile.Data(p.in.Payload)
	}
	return p.in.Data
}

func (e *Engine) validate(p *publication) *Error {
	in := p.in
	if err := filters.CheckType(in.Type); err != nil {
		return Invalid("type", "%s", err)
	}
	if err := p.v.profile.CheckPublishType(in.Type); err != nil {
		return invalidField("type", err)
	}
	if (in.Data == nil) == (in.Payload == nil) || len(in.Data)+len(in.Payload) == 0 {
		return Invalid("data", "exactly one of data and payload is needed")
	}
	if n := max(len(in.Data), len(in.Payload)); n > MaxData {
		return &Error{Code: CodeTooLarge, Detail: fmt.Sprintf("data or payload has %d bytes, at most %d (256 KiB) are taken", n, MaxData),
			Fields: []FieldError{{Location: "data", Message: fmt.Sprintf("%d bytes, at most %d", n, MaxData)}}}
	}
	if in.Data != nil && in.Data[0] != '{' {
		return Invalid("data", "must be a JSON object; for another value that is the whole body use payload")
	}
	if err := p.v.profile.CheckData(in.Type, p.data()); err != nil {
		return invalidField("data", err)
	}
	if len(in.Metadata) > 0 && (in.Metadata[0] != '{' || len(in.Metadata) > MaxMetadata) {
		return Invalid("metadata", "must be a JSON object of at most %d bytes", MaxMetadata)
	}
	if len(in.IdempotencyKey) > MaxIdempotencyKey {
		return Invalid("idempotency_key", "has %d bytes, at most %d are taken", len(in.IdempotencyKey), MaxIdempotencyKey)
	}
	if in.ID != "" {
		if err := p.v.profile.CheckEventID(in.ID); err != nil {
			return invalidField("id", err)
		}
	}
	if err := p.v.profile.CheckActor(in.Actor); err != nil && in.Payload == nil {
		return invalidField("actor", err)
	}
	p.occurred = in.OccurredAt
	if p.occurred.IsZero() {
		p.occurred = time.UnixMilli(e.clock.Now())
	}
	if y := p.occurred.UTC().Year(); y < 1970 || y > 9999 {
		return Invalid("occurred_at", "year %d, want 1970 to 9999", y)
	}
	return nil
}

// identify computes the dedupe hash and fingerprint where the publish names an identity: its idempotency key, else
// (type, id) where id is given.
func (e *Engine) identify(p *publication) error {
	in, ev := p.in, &p.event
	ev.HasDedupe = in.IdempotencyKey != "" || in.ID != ""
	if !ev.HasDedupe {
		return nil
	}
	var err error
	if in.IdempotencyKey != "" {
		ev.Dedupe, err = e.cfg.Keyring.Hash(p.v.id, "idempotency_key", []byte(in.IdempotencyKey))
	} else {
		ev.Dedupe, err = e.cfg.Keyring.Hash(p.v.id, "type_id", []byte(in.Type), []byte(in.ID))
	}
	if err != nil {
		return err
	}
	kind := []byte("data")
	if in.Payload != nil {
		kind = []byte("payload")
	}
	ev.Fingerprint, err = e.cfg.Keyring.Hash(p.v.id, "fingerprint", []byte(in.Type), []byte(in.ID), kind, in.Data, in.Payload,
		in.Actor, in.Metadata, []byte(in.OccurredAtRaw))
	return err
}

// sealEvent makes the record: facts plain, body and private part sealed.
func (e *Engine) sealEvent(p *publication, failures []string) error {
	sealer, err := e.cfg.Keyring.Sealer(p.v.id)
	if err != nil {
		return err
	}
	ev := &p.event
	ev.ID, ev.Type, ev.BodyLen = p.body.id, p.in.Type, uint32(len(p.body.body))
	ev.OccurredAt, ev.Payload = p.occurred.UnixMilli(), p.in.Payload != nil
	sections := make([]eventlog.Section, 1, 2)
	sections[0] = sealSection(sealer, p.v.id, record.TypeEventPublished, 0, p.body.body)
	private := record.EventPrivate{Actor: p.in.Actor, Metadata: p.in.Metadata, Failed: failures}
	if !private.Empty() {
		sections = append(sections, sealSection(sealer, p.v.id, record.TypeEventPublished, 1, private.Append(nil)))
	}
	p.rec = eventlog.Record{Type: record.TypeEventPublished, Tenant: p.v.id, Facts: ev.AppendFacts(make([]byte, 0, 160)), Sections: sections}
	return nil
}

func (e *Engine) render(p *publication) *Error {
	in := p.in
	if p.body == nil {
		id := in.ID
		if id == "" {
			id = p.v.profile.NewEventID()
		}
		p.body = &eventBody{id: id, typ: strings.Clone(in.Type)}
	}
	if in.Payload != nil {
		p.body.body = bytes.Clone(in.Payload)
		return nil
	}
	body, err := p.v.profile.Render(nil, &profile.Input{ID: p.body.id, Type: in.Type, OccurredAt: p.occurred, Data: in.Data,
		Actor: in.Actor, Tenant: p.v.id, Attributes: p.v.attributes})
	if err != nil {
		return Invalid("data", "%s", err)
	}
	p.body.body = body
	return nil
}

// published makes the answers; a duplicate's is the first one's, read from the log.
func (e *Engine) published(ctx context.Context, items []publication) ([]PublishResult, error) {
	out := make([]PublishResult, len(items))
	for i := range items {
		p := &items[i]
		switch p.state {
		case pubStored:
			out[i].Published = e.answerTo(p.seq, &p.event)
			out[i].Published.Unmatched = p.unmatch
			e.count.published.Add(1)
			e.count.filterFailures.Add(int64(len(p.event.Failed)))
			e.countShadows(&p.route)
		case pubDuplicate:
			r, err := e.cfg.Log.Get(ctx, p.first)
			if err != nil {
				return nil, storeError(err)
			}
			var ev record.EventPublished
			if err := ev.Decode(r.Facts); err != nil {
				return nil, storeError(err)
			}
			out[i].Published = e.answerTo(p.first, &ev)
			out[i].Published.Duplicate = true
			e.count.duplicates.Add(1)
		case pubConflict:
			out[i].Err = sameKey(p.in, e.id(record.PrefixEvent, p.first, 0))
		case pubGone:
			out[i].Err = notFound("tenant", p.v.id)
		default:
			out[i].Err = p.err
		}
	}
	return out, nil
}

// sameKey is the answer to an event whose key was another one's within the window.
func sameKey(in *PublishInput, first string) *Error {
	location, key := "id", "type and id"
	if in.IdempotencyKey != "" {
		location, key = "idempotency_key", "idempotency key"
	}
	err := conflict("event %s, accepted within the last 24 h, has the same %s but other content: repeat it unchanged, or give this one another", first, key)
	err.Fields = []FieldError{{Location: location, Message: "the same " + key + " as event " + first}}
	return err
}

func (e *Engine) answerTo(seq eventlog.Seq, ev *record.EventPublished) *Published {
	return &Published{ID: ev.ID, UID: e.id(record.PrefixEvent, seq, 0), Seq: uint64(seq), Matched: e.matched(seq, ev)}
}

func (e *Engine) matched(seq eventlog.Seq, ev *record.EventPublished) []Matched {
	out := make([]Matched, len(ev.Matches))
	for i := range ev.Matches {
		m := &ev.Matches[i]
		out[i] = Matched{EndpointID: e.id(record.PrefixEndpoint, m.Endpoint, 0), DeliveryID: e.id(record.PrefixDelivery, seq, uint16(i))}
		out[i].SubscriptionIDs = make([]string, len(m.Subscriptions))
		for j, sub := range m.Subscriptions {
			out[i].SubscriptionIDs[j] = e.id(record.PrefixSubscription, sub, 0)
		}
		out[i].SubscriptionID = out[i].SubscriptionIDs[0]
	}
	return out
}
