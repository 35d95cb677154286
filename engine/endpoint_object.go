package engine

import (
	"encoding/json"
	"time"

	"github.com/hookline/hookline/engine/record"
)

func (e *Engine) endpointObject(s sealedEndpoint) (Endpoint, error) {
	var p record.EndpointPrivate
	err := e.openJSON(s.Private, s.tenant, s.PrivateType, 0, &p)
	if err != nil && !isErased(err) {
		return Endpoint{}, err
	}
	o := Endpoint{Erased: err != nil, ID: e.id(record.PrefixEndpoint, s.Seq, 0), URL: p.URL, Transport: s.timing.Transport, Description: p.Description,
		Status: s.Status(), DisabledAt: timeOrNull(s.DisabledAt), SuppressedAt: timeOrNull(s.SuppressedAt),
		ConsecutiveFailures: int(s.Failures), Headers: p.Headers, Settings: p.Settings, CreatedAt: Time(s.CreatedAt), Number: s.timing.Number}
	if o.Headers == nil {
		o.Headers = map[string]string{}
	}
	if described := e.cfg.Transports[o.Transport].Settings; described != nil && o.Settings != nil {
		o.Settings = described.Mask(o.Settings)
	} else {
		o.Settings = json.RawMessage("{}") // of a transport that is not installed any more nobody knows what is secret
	}
	if r := s.ConsentRate; r != 0 {
		o.GrantedRate = ptr(int(r))
	}
	if p := s.PreviousAt(s.asOf); p != nil {
		o.PreviousSecretExpiresAt = ptr(Time(p.Until))
	}
	if s.DisabledAt != 0 {
		o.DisabledReason = ptr(s.DisabledReason.String())
	}
	if c := s.timing.Concurrency; c != 0 {
		o.Concurrency = ptr(int(c))
	}
	if r := s.timing.RateLimit; r != 0 {
		o.RateLimit = ptr(int(r))
	}
	if ms := s.timing.TimeoutMS; ms != 0 {
		o.Timeout = ptr((time.Duration(ms) * time.Millisecond).String())
	}
	if s.timing.Schedule != nil {
		o.Schedule = texts(s.timing.Schedule.Waits)
	}
	if len(s.subs) == 1 {
		o.EventTypes = s.subs[0].EventTypes
		var sp record.SubscriptionPrivate
		if err := e.openJSON(s.subs[0].Private, s.tenant, s.subs[0].PrivateType, 0, &sp); isErased(err) {
			o.Erased = true
		} else if err != nil {
			return Endpoint{}, err
		}
		if sp.Filter != "" {
			o.Filter = &sp.Filter
		}
	}
	return o, nil
}

func texts(waits []time.Duration) []string {
	out := make([]string, len(waits))
	for i, w := range waits {
		out[i] = w.String()
	}
	return out
}

func timeOrNull(ms int64) *Time {
	if ms == 0 {
		return nil
	}
	return ptr(Time(ms))
}

func ptr[T any](v T) *T { return &v }

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
