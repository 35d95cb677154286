package engine

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"unicode/utf8"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/seal"
	"github.com/hookline/hookline/transports"
)

// Attempt returns one attempt of a tenant, a test or not.
func (e *Engine) Attempt(ctx context.Context, tenant, id string) (Attempt, error) {
	if err := e.known(ctx, tenant); err != nil {
		return Attempt{}, err
	}
	ref, ok := parseID(e.epochs, record.PrefixAttempt, id)
	if !ok || ref.Ord != 0 || ref.Seq > e.durable.Load().seq {
		return Attempt{}, notFound("attempt", id)
	}
	r, err := e.cfg.Log.Get(ctx, ref.Seq)
	if err != nil {
		return Attempt{}, storeError(err)
	}
	if r.Tenant != tenant || r.Type != record.TypeAttemptFinished && r.Type != record.TypeEndpointTested {
		return Attempt{}, notFound("attempt", id)
	}
	o, err := e.attemptAt(ctx, ref.Seq)
	if err != nil {
		return o, err
	}
	var a record.AttemptFinished
	if err := a.Decode(r.Facts); err != nil {
		return o, storeError(err)
	}
	o.InForce, err = e.inForceAt(ctx, &r, &a)
	return o, err
}

// maxTypeScan bounds the attempts that a page by event type looks at: history does not index them by it. A page may end
// before it is full, with a cursor to go on.
const maxTypeScan = 5000

// attemptsOfType is History.Attempts for attempts of events of one type, which their records tell.
func (e *Engine) attemptsOfType(typ string) func(context.Context, history.AttemptQuery) ([]history.AttemptRow, history.Position, error) {
	return func(ctx context.Context, q history.AttemptQuery) (rows []history.AttemptRow, next history.Position, err error) {
		seen := 0
		var last history.AttemptRow
		walked := e.cfg.History.EachAttempt(ctx, q, func(row history.AttemptRow) bool {
			if seen == maxTypeScan {
				next = last.Position()
				return false
			}
			seen++
			var r eventlog.Record
			var a record.AttemptFinished
			if r, err = e.cfg.Log.Get(ctx, row.Seq); err == nil {
				err = a.Decode(r.Facts)
			}
			switch {
			case err != nil:
				return false
			case a.EventType != typ:
			case len(rows) == q.Limit:
				next = rows[len(rows)-1].Position()
				return false
			default:
				rows = append(rows, row)
			}
			last = row
			return true
		})
		return rows, next, cmp.Or(err, walked)
	}
}

// attemptAt reads one attempt, a test or not, from its record.
func (e *Engine) attemptAt(ctx context.Context, seq eventlog.Seq) (Attempt, error) {
	r, err := e.cfg.Log.Get(ctx, seq)
	if err != nil {
		return Attempt{}, storeError(err)
	}
	var a record.AttemptFinished
	if err := a.Decode(r.Facts); err != nil {
		return Attempt{}, storeError(err)
	}
	o := Attempt{ID: e.id(record.PrefixAttempt, seq, 0), EventID: a.EventID, EventType: a.EventType,
		EndpointID: e.id(record.PrefixEndpoint, a.Endpoint, 0), Number: int(a.Number), Trigger: a.Trigger.String(),
		StartedAt: Time(a.StartedAt), FinishedAt: Time(a.FinishedAt()), Outcome: transports.Outcome(a.Outcome).String(),
		ErrorKind: textOrNull(record.KindName(a.Kind)), Timings: timings(&a), Request: AttemptRequest{Method: "POST"}}
	if a.Delivery.Seq != 0 {
		o.DeliveryID = ptr(e.id(record.PrefixDelivery, a.Delivery.Seq, a.Delivery.Ord))
	}
	return o, e.openAttempt(ctx, &o, &a, &r)
}

// openAttempt fills in what is sealed. What was erased is left out.
func (e *Engine) openAttempt(ctx context.Context, o *Attempt, a *record.AttemptFinished, r *eventlog.Record) error {
	if r.Sections[0].Removed {
		o.BodyRemoved = e.removed(r.Seq, r.Tenant, a.EventType)
		return nil
	}
	plain, err := e.openSection(r.Sections[0], r.Tenant, r.Type, 0)
	if errors.Is(err, seal.ErrDestroyed) {
		o.Erased = true
		o.Error = ptr("erased: the keys of the tenant were destroyed, or this could not be sealed")
		return nil
	}
	if err != nil {
		return storeError(err)
	}
	var p record.AttemptPrivate
	if err := p.Decode(plain); err != nil {
		return storeError(err)
	}
	o.Error = textOrNull(p.Error)
	o.Request.URL, o.Request.Headers = p.URL, headerMap(p.RequestHeaders)
	if a.StatusCode != 0 {
		resp := &AttemptResponse{Status: int(a.StatusCode), Headers: headerMap(p.ResponseHeaders), Truncated: p.Truncated}
		resp.Body, resp.BodyBase64 = bodyText(p.ResponseBody)
		o.Response = resp
	}
	var body []byte
	if r.Type == record.TypeEndpointTested {
		body, err = e.openSection(r.Sections[1], r.Tenant, r.Type, 1)
	} else {
		var eb *eventBody
		if eb, err = e.loadBody(a.Event); err == nil {
			body = eb.body
		}
	}
	if errors.Is(err, errBodyRemoved) {
		o.BodyRemoved = e.removed(a.Event, r.Tenant, a.EventType)
		return nil
	}
	if isErased(err) { // between the two
		o.Erased = true
		return nil
	}
	if err != nil {
		return storeError(err)
	}
	o.Request.Body, o.Request.BodyBase64 = bodyText(body)
	return nil
}

// bodyText shows a body as text where it is text, else as base64.
func bodyText(b []byte) (text, base *string) {
	if utf8.Valid(b) {
		return ptr(string(b)), nil
	}
	return nil, ptr(base64.StdEncoding.EncodeToString(b))
}

func headerMap(hs []record.Header) map[string][]string {
	m := make(map[string][]string, len(hs))
	for _, h := range hs {
		m[h.Name] = append(m[h.Name], h.Value)
	}
	return m
}

func timings(a *record.AttemptFinished) Timings {
	ms := func(i int) float64 { return float64(a.Timings[i]) / 1000 }
	return Timings{DNS: ms(0), Connect: ms(1), TLS: ms(2), Wait: ms(3), Body: ms(4)}
}
