package engine

import (
	"encoding/json"
	"time"
)

// The objects as every face shows them. Times are RFC 3339 UTC with ms. Pointers are null when absent.

// Time renders as RFC 3339 UTC with milliseconds.
type Time int64 // Unix ms

func (t Time) MarshalJSON() ([]byte, error) {
	return time.UnixMilli(int64(t)).UTC().AppendFormat(make([]byte, 0, 32), `"2006-01-02T15:04:05.000Z"`), nil
}

func (t *Time) UnmarshalJSON(b []byte) error {
	v, err := time.Parse(`"`+time.RFC3339Nano+`"`, string(b))
	*t = Time(v.UnixMilli())
	return err
}

// Tenant is one customer of the provider.
type Tenant struct {
	ID               string          `json:"id"`
	Profile          string          `json:"profile"`
	ProfileVersion   int             `json:"profile_version"`
	Name             string          `json:"name"`
	Attributes       json.RawMessage `json:"attributes"`
	ManagementEvents bool            `json:"management_events"`
	CreatedAt        Time            `json:"created_at"`
	Erased           bool            `json:"erased,omitempty" doc:"what people wrote of it is gone for good: the tenant's keys were destroyed, or it could not be salvaged"`
}

// Endpoint is a customer's address.
type Endpoint struct {
	ID                  string            `json:"id"`
	URL                 string            `json:"url"`
	Erased              bool              `json:"erased,omitempty" doc:"what people wrote of it is gone for good: the tenant's keys were destroyed, or it could not be salvaged"`
	Transport           string            `json:"transport"`
	Description         string            `json:"description"`
	Status              string            `json:"status" enum:"enabled,disabled,suppressed"`
	DisabledAt          *Time             `json:"disabled_at"`
	DisabledReason      *string           `json:"disabled_reason"`
	SuppressedAt        *Time             `json:"suppressed_at"`
	ConsecutiveFailures int               `json:"consecutive_failures"`
	EventTypes          []string          `json:"event_types" doc:"of its only subscription; null when it has several"`
	Filter              *string           `json:"filter" doc:"of its only subscription; null when it has none or there are several subscriptions"`
	Headers             map[string]string `json:"headers"`
	Settings            json.RawMessage   `json:"settings"`
	Concurrency         *int              `json:"concurrency"`
	RateLimit           *int              `json:"rate_limit" doc:"attempts a second; null = no limit"`
	Timeout             *string           `json:"timeout"`
	Schedule            []string          `json:"schedule"`
	Secret              string            `json:"secret,omitempty" doc:"only in the answer to create and rotate-secret"`
	// GrantedRate is what the receiver allowed in its handshake.
	GrantedRate *int `json:"granted_rate" doc:"attempts a minute that the receiver allowed in its handshake; null = any, or no handshake"`
	// PreviousSecretExpiresAt is the end of an overlap: until then the secret before signs too.
	PreviousSecretExpiresAt *Time `json:"previous_secret_expires_at" doc:"until then the secret before the last rotation signs too; null = it does not"`
	CreatedAt               Time  `json:"created_at"`
	// FilterWarnings are those of the catalogue's schemas.
	FilterWarnings []FilterRemark `json:"filter_warnings,omitempty" doc:"in the answer to a change of event_types or filter: what is most likely a mistake"`
	// Number is the endpoint's integer id at DNSimple's face.
	Number uint64 `json:"-"`
}

// Subscription routes event types to an endpoint.
type Subscription struct {
	ID         string   `json:"id"`
	EndpointID string   `json:"endpoint_id"`
	EventTypes []string `json:"event_types"`
	Filter     *string  `json:"filter" doc:"null when it has none"`
	CreatedAt  Time     `json:"created_at"`
	Erased     bool     `json:"erased,omitempty" doc:"what people wrote of it is gone for good: the tenant's keys were destroyed, or it could not be salvaged"`
	Mode       string   `json:"mode" enum:"live,shadow" doc:"shadow: it is evaluated and counted, and delivers nothing"`
	Version    uint64   `json:"version" doc:"seq of the record that made it what it is: it holds for every event with a greater one"`
	Failures   uint64   `json:"failures" doc:"events that its filter could not be evaluated on, since this version"`

	LastFailure *SubscriptionFailure `json:"last_failure" doc:"the newest of them; null = there is none"`
	Shadow      *ShadowCounts        `json:"shadow" doc:"what it would have done; null for a live one, and in the past"`

	FilterWarnings []FilterRemark `json:"filter_warnings,omitempty" doc:"in the answer to a change: what is most likely a mistake"`
}

// SubscriptionFailure is an event that a filter could not be evaluated on.
type SubscriptionFailure struct {
	At       Time   `json:"at" doc:"record time of the event"`
	EventUID string `json:"event_uid"`
	Error    string `json:"error" doc:"the place, what was seen and what was needed; empty where that was erased"`
}

// ShadowCounts is what a subscription in shadow mode would have done. They are in memory: a start begins anew.
type ShadowCounts struct {
	Since   Time  `json:"since"`
	Matched int64 `json:"matched" doc:"events"`
	Failed  int64 `json:"failed" doc:"events"`
}

// VersionOfSubscription is what a subscription was from a seq on.
type VersionOfSubscription struct {
	Version    uint64   `json:"version" doc:"seq of its record: it held for events with a greater one, up to the next version"`
	Time       Time     `json:"time"`
	By         *string  `json:"by" doc:"admin_key, or the id of a key or portal session; null for what nobody asked for"`
	ByName     *string  `json:"by_name" doc:"the key's name"`
	Note       *string  `json:"note" doc:"why, as it was given"`
	EndpointID string   `json:"endpoint_id"`
	EventTypes []string `json:"event_types"`
	Filter     *string  `json:"filter" doc:"null when it had none, or it was erased"`
	Mode       string   `json:"mode" enum:"live,shadow"`
	Restores   *uint64  `json:"restores" doc:"the version that it rolled back to; null = none"`
	Erased     bool     `json:"erased" doc:"the filter, the note and who it was are gone"`
}

// Matched is one delivery of a published event.
type Matched struct {
	EndpointID      string   `json:"endpoint_id"`
	DeliveryID      string   `json:"delivery_id"`
	SubscriptionID  string   `json:"subscription_id" doc:"the oldest that matched"`
	SubscriptionIDs []string `json:"subscription_ids"`
}

// Unmatched is a subscription that did not match, and why.
type Unmatched struct {
	SubscriptionID string `json:"subscription_id"`
	EndpointID     string `json:"endpoint_id"`
	Reason         string `json:"reason"`
}

// Published answers a publish.
type Published struct {
	ID        string      `json:"id"`
	UID       string      `json:"uid"`
	Seq       uint64      `json:"seq"`
	Duplicate bool        `json:"duplicate"`
	Matched   []Matched   `json:"matched"`
	Unmatched []Unmatched `json:"unmatched,omitempty"`
}

// Event is what happened at the provider.
type Event struct {
	ID         string          `json:"id"`
	UID        string          `json:"uid"`
	Seq        uint64          `json:"seq"`
	Type       string          `json:"type"`
	OccurredAt Time            `json:"occurred_at"`
	CreatedAt  Time            `json:"created_at"`
	Actor      json.RawMessage `json:"actor"`
	Metadata   json.RawMessage `json:"metadata"`
	Matched    []Matched       `json:"matched"`
	Failed     []FilterFailed  `json:"failed,omitempty" doc:"subscriptions whose filter could not be evaluated: neither a match nor a no"`
	// BodyRemoved says why there is no body.
	BodyRemoved *BodyRemoved `json:"body_removed,omitempty" doc:"one event alone only: retention has removed its body"`
	Body        *string      `json:"body,omitempty" doc:"the rendered body, text; one event alone only"`
	BodyBase64  *string      `json:"body_base64,omitempty"`
	Erased      bool         `json:"erased,omitempty" doc:"what was published is gone for good: the tenant's keys were destroyed"`
}

// FilterFailed is a filter that could not be evaluated on an event.
type FilterFailed struct {
	SubscriptionID string `json:"subscription_id"`
	Error          string `json:"error" doc:"the place, what was seen and what was needed"`
}

// Delivery is the duty to bring one event to one endpoint.
type Delivery struct {
	ID            string    `json:"id"`
	EventID       string    `json:"event_id"`
	EventUID      string    `json:"event_uid"`
	EventType     string    `json:"event_type"`
	EndpointID    string    `json:"endpoint_id"`
	Status        string    `json:"status" enum:"pending,succeeded,exhausted,skipped,canceled"`
	Reason        *string   `json:"reason"`
	AttemptsMade  int       `json:"attempts_made"`
	MaxAttempts   int       `json:"max_attempts"`
	NextAttemptAt *Time     `json:"next_attempt_at"`
	ResendOf      *string   `json:"resend_of"`
	CreatedAt     Time      `json:"created_at"`
	Attempts      []Attempt `json:"attempts,omitempty" doc:"one delivery alone only"`
}

// Recovery is a resend in bulk.
type Recovery struct {
	ID         string   `json:"id"`
	EndpointID string   `json:"endpoint_id"`
	State      string   `json:"state" enum:"running,done,canceled,stopped" doc:"stopped: the endpoint was blocked or deleted meanwhile"`
	Reason     *string  `json:"reason"`
	Status     []string `json:"status" doc:"of the deliveries that are made anew"`
	EventTypes []string `json:"event_types" doc:"null = all"`
	Since      *Time    `json:"since"`
	Until      *Time    `json:"until"`
	Rate       *int     `json:"rate" doc:"deliveries a second; null = as fast as they are attempted"`
	Matched    uint64   `json:"matched" doc:"deliveries that were selected when it was accepted"`
	Created    uint64   `json:"created" doc:"deliveries that were made anew so far"`
	Cursor     *Time    `json:"cursor" doc:"when the delivery was created that it came to last"`
	StartedAt  Time     `json:"started_at"`
	FinishedAt *Time    `json:"finished_at"`
}

// Attempt is one try that finished.
type Attempt struct {
	ID         string           `json:"id"`
	DeliveryID *string          `json:"delivery_id" doc:"null for a test"`
	EventID    string           `json:"event_id"`
	EventType  string           `json:"event_type"`
	EndpointID string           `json:"endpoint_id"`
	Number     int              `json:"number"`
	Trigger    string           `json:"trigger" enum:"schedule,resend,test"`
	StartedAt  Time             `json:"started_at"`
	FinishedAt Time             `json:"finished_at"`
	Outcome    string           `json:"outcome" enum:"acknowledged,rejected,unreachable,timed_out,gone"`
	ErrorKind  *string          `json:"error_kind"`
	Error      *string          `json:"error"`
	Timings    Timings          `json:"timings_ms"`
	Request    AttemptRequest   `json:"request"`
	Response   *AttemptResponse `json:"response"`
	Erased     bool             `json:"erased,omitempty" doc:"request and response are gone for good: the tenant's keys were destroyed"`
	// BodyRemoved says why there is no content.
	BodyRemoved *BodyRemoved `json:"body_removed,omitempty" doc:"retention has removed what was sent, or with the request's URL what came back too"`
	InForce     *InForce     `json:"in_force,omitempty" doc:"one attempt alone only: what it was made by"`
}

// Timings are an attempt's phases in ms; 0 = the phase did not happen.
type Timings struct {
	DNS     float64 `json:"dns"`
	Connect float64 `json:"connect"`
	TLS     float64 `json:"tls"`
	Wait    float64 `json:"wait"`
	Body    float64 `json:"body"`
}

// AttemptRequest is what was sent. Header names are lower-case.
type AttemptRequest struct {
	Method     string              `json:"method"`
	URL        string              `json:"url"`
	Headers    map[string][]string `json:"headers"`
	Body       *string             `json:"body,omitempty"`
	BodyBase64 *string             `json:"body_base64,omitempty"`
}

// AttemptResponse is what came back; at most 64 KiB of the body are kept.
type AttemptResponse struct {
	Status     int                 `json:"status"`
	Headers    map[string][]string `json:"headers"`
	Body       *string             `json:"body,omitempty"`
	BodyBase64 *string             `json:"body_base64,omitempty"`
	Truncated  bool                `json:"truncated"`
}

// EventType is a catalogue entry.
type EventType struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Example     json.RawMessage `json:"example" doc:"of data, made up"`
	Schema      json.RawMessage `json:"schema" doc:"JSON Schema (2020-12) of data; null where the profile gives none"`
}

// Signature is one scheme by which a profile signs.
type Signature struct {
	Scheme   string   `json:"scheme" enum:"none,hmac,standard_webhooks"`
	Headers  []string `json:"headers"`
	Hash     *string  `json:"hash" enum:"sha256,sha512"`
	Encoding *string  `json:"encoding" enum:"hex,base64"`
	Signs    *string  `json:"signs" doc:"what is signed, e.g. {id}.{timestamp}.{body}"`
	Prefix   *string  `json:"prefix"`
	Form     *string  `json:"form" enum:"single,timestamped" doc:"timestamped: t=SECONDS,v1=SIGNATURE"`
	Version  *string  `json:"version" enum:"v1,v1a"`
	Overlaps bool     `json:"overlaps" doc:"it carries two secrets' signatures while one replaces the other"`
}

// Handshake is how a profile asks receivers for their consent.
type Handshake struct {
	Origin string `json:"origin"`
	Rate   *int   `json:"rate" doc:"attempts a minute that are asked for"`
}

// Profile is a provider's rules as they are shown.
type Profile struct {
	Name                  string      `json:"name"`
	Version               int         `json:"version"`
	Title                 string      `json:"title"`
	Description           string      `json:"description"`
	HTTPSOnly             bool        `json:"https_only"`
	Strict                bool        `json:"strict" doc:"publishing refuses unknown types, and data that does not fit its type's schema"`
	Timeout               string      `json:"timeout"`
	Schedule              []string    `json:"schedule" doc:"waits between attempts, from the end of the one before"`
	Jitter                float64     `json:"jitter" doc:"0 to this share of a wait is added"`
	TimeLimit             *string     `json:"time_limit" doc:"nothing is scheduled later than this after the first attempt"`
	MaxAttempts           int         `json:"max_attempts"`
	DisableAfterExhausted bool        `json:"disable_after_exhausted"`
	SuppressAfter         int         `json:"suppress_after" doc:"consecutive failed attempts; 0 = never"`
	RetryAfterCap         *string     `json:"retry_after_cap" doc:"the longest wait that a receiver's Retry-After may ask for; null = it is not honoured"`
	GoneDisables          bool        `json:"gone_disables" doc:"status 410 disables the endpoint"`
	WarnAt                []int       `json:"warn_at" doc:"percent of the way to being disabled or suppressed"`
	ReloadError           *string     `json:"reload_error" doc:"why a newer file of this profile is not in use; null = there is none"`
	Handshake             *Handshake  `json:"handshake" doc:"null = nothing is asked before events are sent"`
	Signatures            []Signature `json:"signatures" doc:"side by side"`
	EventTypes            []EventType `json:"event_types"`
}

// LogStatus is GET /v1/log/status.
type LogStatus struct {
	HeadSeq     uint64            `json:"head_seq"`
	FirstSeq    uint64            `json:"first_seq"`
	Chain       string            `json:"chain" doc:"hex"`
	StateDigest string            `json:"state_digest" doc:"hex"`
	DigestSeq   uint64            `json:"digest_seq"`
	Views       map[string]uint64 `json:"views"`
	Held        bool              `json:"held" doc:"restored, and sending nothing until POST /v1/log:release"`
}

// TransportStatus is one transport and its health.
type TransportStatus struct {
	Name       string  `json:"name"`
	Version    string  `json:"version"`
	State      string  `json:"state" enum:"starting,running,restarting,quarantined,draining,closed"`
	PID        int     `json:"pid"`
	Restarts   int     `json:"restarts"`
	InFlight   int     `json:"in_flight"`
	Checksum   string  `json:"checksum"`
	LastError  *string `json:"last_error"`
	HeldByIt   int     `json:"held" doc:"deliveries held by plugin_fault"`
	Interrupts int     `json:"interrupted_attempts"`
	Results    uint64  `json:"results" doc:"attempts that the plugin has ended, since the start"`
	Faults     uint64  `json:"faults" doc:"of them its own failures"`
	GivenUp    uint64  `json:"given_up" doc:"attempts whose result never came"`

	Confined       []string        `json:"confined" doc:"what holds the process beside its group and empty environment: memory, no_new_privileges, files"`
	SettingsSchema json.RawMessage `json:"settings_schema" doc:"JSON Schema of an endpoint's settings; null = it has none"`
}

// Page is one page of a list.
type Page[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}
