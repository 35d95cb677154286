package engine

import (
	"context"
	"encoding/base64"
	"errors"
	"unicode/utf8"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/seal"
	"github.com/hookline/hookline/transports"
)

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
	plain, err := e.openSection(r.Sections[0], r.Tenant, r.Type, 0)
	if errors.Is(err, seal.ErrDestroyed) {
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
