package engine

import (
	"encoding/json"
	"time"

	"github.com/hookline/hookline/eventlog"
)

// Input of the operations, as the faces hand it over. The engine validates every field and answers with *Error.

// PublishInput is one event to publish. The raw messages alias the request's bytes, which stay unchanged until Publish
// returns.
type PublishInput struct {
	Type           string
	Data           json.RawMessage // an object; exactly one of Data and Payload
	Payload        json.RawMessage // any JSON value: its bytes are the body
	ID             string
	OccurredAt     time.Time // zero = now
	OccurredAtRaw  string    // as sent, for the fingerprint
	Actor          json.RawMessage
	Metadata       json.RawMessage
	IdempotencyKey string
	Explain        bool
	// Err, when set, is a fault the face found in this item: it is answered in its place.
	Err *Error
}

// PublishResult is one item's answer: exactly one of both.
type PublishResult struct {
	Published *Published
	Err       *Error
}

// TenantInput creates or patches a tenant. In a patch nil means unchanged.
type TenantInput struct {
	ID               string
	Profile          *string
	Name             *string
	Attributes       *json.RawMessage
	ManagementEvents *bool
}

// EndpointInput creates or patches an endpoint. In a patch an Optional that is not Set means unchanged, one that is
// Null means back to the default.
type EndpointInput struct {
	URL         Optional[string]
	EventTypes  Optional[[]string]
	Filter      Optional[string]
	Description Optional[string]
	Headers     Optional[map[string]*string] // nil = without it
	Secret      Optional[string]
	Transport   Optional[string]
	Settings    Optional[json.RawMessage]
	Concurrency Optional[int]
	RateLimit   Optional[int]      // attempts a second, 1 to 10 000
	Timeout     Optional[string]   // Go duration, "1s" to "60s"
	Schedule    Optional[[]string] // 1-50 Go durations, each <= 30 days
}

// SubscriptionInput creates or patches a subscription.
type SubscriptionInput struct {
	EndpointID Optional[string]
	EventTypes Optional[[]string]
	Filter     Optional[string]
	Mode       Optional[string] // ModeLive or ModeShadow; null = live
	Note       Optional[string] // why, at most MaxNote bytes: kept with the change
}

// Modes of a subscription.
const (
	ModeLive   = "live"
	ModeShadow = "shadow" // evaluates and counts, delivers nothing
)

// MaxNote is how long a note may be, in bytes.
const MaxNote = 1000

// Optional is a field of a merge patch (RFC 7396): absent, null, or a value.
type Optional[T any] struct {
	Set   bool
	Null  bool
	Value T
}

func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	o.Set = true
	if string(b) == "null" {
		o.Null = true
		return nil
	}
	return json.Unmarshal(b, &o.Value)
}

// Some is an Optional with a value.
func Some[T any](v T) Optional[T] { return Optional[T]{Set: true, Value: v} }

// TestInput is a test event.
type TestInput struct {
	EventType string
	Data      json.RawMessage // an object; nil = the catalogue's example
}

// ListInput selects from a list. Zero values select everything.
type ListInput struct {
	Limit      int // 1 to 250; 0 = 50
	Cursor     string
	Ascending  bool
	EndpointID string
	EventID    string // id or uid
	DeliveryID string
	EventType  string
	Status     string
	Outcome    string // of attempts; failed = any but acknowledged
	Metadata   string // text in the event's metadata, as it was sent
	Matched    *bool  // of events: whether they matched an endpoint when they were published
	From, To   time.Time
	MinSeq     uint64 // X-Min-Seq

	asOf eventlog.Seq // 0 = the present; see Past
}

// Actor is who makes a change: it is kept sealed in the record.
type Actor struct{ Name string }
