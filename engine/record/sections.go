package record

import (
	"encoding/json"
	"fmt"
)

// The plaintext of sealed sections. Off the hot path it is JSON; EventPrivate and AttemptPrivate are binary.

// TenantPrivate is section 0 of tenant.created and tenant.updated.
type TenantPrivate struct {
	Name       string          `json:"name,omitempty"`
	Attributes json.RawMessage `json:"attributes,omitempty"`
	By         string          `json:"by,omitempty"`
}

// EndpointPrivate is section 0 of endpoint.created and endpoint.updated.
type EndpointPrivate struct {
	URL         string            `json:"url"`
	Description string            `json:"description,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	Settings    json.RawMessage   `json:"settings,omitempty"`
	By          string            `json:"by,omitempty"`
}

// SubscriptionPrivate is section 0 of subscription.created and subscription.updated.
type SubscriptionPrivate struct {
	Filter string `json:"filter,omitempty"`
	By     string `json:"by,omitempty"`
	Note   string `json:"note,omitempty"` // why, in the words of who changed it
}

// KeyPrivate is section 0 of key.issued.
type KeyPrivate struct {
	Name string `json:"name,omitempty"`
	By   string `json:"by,omitempty"`
}

// WhoPrivate is section 0 of changes that say nothing else than who made them.
type WhoPrivate struct {
	By string `json:"by"`
}

// EventPrivate is section 1 of event.published: what the publisher gave beside type, id and data.
type EventPrivate struct {
	Actor    []byte // raw JSON
	Metadata []byte // raw JSON
	OrderKey string
	Failed   []string // texts of filter failures, in the order of EventPublished.Failed
}

// Empty says that there is nothing to keep.
func (p *EventPrivate) Empty() bool {
	return len(p.Actor) == 0 && len(p.Metadata) == 0 && p.OrderKey == "" && len(p.Failed) == 0
}

func (p *EventPrivate) Append(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.s(string(p.Actor))
	e.s(string(p.Metadata))
	e.s(p.OrderKey)
	e.u(uint64(len(p.Failed)))
	for _, f := range p.Failed {
		e.s(f)
	}
	return e
}

func (p *EventPrivate) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "event private"); err != nil {
		return err
	}
	p.Actor, p.Metadata, p.OrderKey = []byte(d.s()), []byte(d.s()), d.s()
	p.Failed = nil
	for range d.n(1) {
		p.Failed = append(p.Failed, d.s())
	}
	return d.end("event private")
}

// Header is one header field.
type Header struct{ Name, Value string }

// AttemptPrivate is section 0 of attempt.finished and endpoint.tested: what went out beside the event's body and what
// came back. The section is empty when the tenant's keys were destroyed while the attempt was under way.
type AttemptPrivate struct {
	URL             string
	RequestHeaders  []Header
	ResponseHeaders []Header
	Error           string
	ResponseBody    []byte
	Truncated       bool
}

func (p *AttemptPrivate) Append(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.s(p.URL)
	e.headers(p.RequestHeaders)
	e.headers(p.ResponseHeaders)
	e.s(p.Error)
	e.flag(p.Truncated)
	e.u(uint64(len(p.ResponseBody)))
	e.raw(p.ResponseBody)
	return e
}

func (p *AttemptPrivate) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "attempt private"); err != nil {
		return err
	}
	p.URL = d.s()
	p.RequestHeaders = d.headers()
	p.ResponseHeaders = d.headers()
	p.Error = d.s()
	p.Truncated = d.flag()
	p.ResponseBody = d.take(d.u())
	return d.end("attempt private")
}

func (e *encoder) headers(hs []Header) {
	e.u(uint64(len(hs)))
	for _, h := range hs {
		e.s(h.Name)
		e.s(h.Value)
	}
}

func (d *decoder) headers() []Header {
	n := d.n(2)
	if n == 0 {
		return nil
	}
	hs := make([]Header, 0, n)
	for range n {
		hs = append(hs, Header{Name: d.s(), Value: d.s()})
	}
	return hs
}

// DecodeJSON reads a JSON section into v.
func DecodeJSON(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: section: %w", ErrMalformed, err)
	}
	return nil
}
