// Package transports is the contract of one attempt: bring one body to one target, once, and tell what happened.
//
// Blame is a type. What the receiver did, or what became of the network between, is a Result and counts against the
// endpoint. What went wrong on our side (the transport crashed, was stopped, the context was canceled) is an error and
// never counts.
//
// A Transport is safe for concurrent use by many goroutines. Deliver makes at most one request, never retries, never
// follows a redirect, ends by ctx's deadline plus a little, and retains neither the Request nor its slices.
package transports

import (
	"context"
	"errors"
	"time"
)

// Outcome is what one attempt came to. The numbers are the wire's: append only.
type Outcome uint8

const (
	Acknowledged Outcome = iota + 1 // taken, by the profile's rule
	Rejected                        // answered otherwise
	Unreachable                     // nothing answered: DNS, refused, reset, TLS, hang-up
	TimedOut                        // no answer within the timeout
	Gone                            // 410, where the profile gives it that meaning
)

var outcomeNames = [...]string{"", "acknowledged", "rejected", "unreachable", "timed_out", "gone"}

func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}

// ErrorKind is a closed vocabulary that names why an attempt was not acknowledged.
type ErrorKind string

const (
	KindNone            ErrorKind = ""
	KindDNS             ErrorKind = "dns"
	KindRefusedAddress  ErrorKind = "refused_address"
	KindConnectRefused  ErrorKind = "connect_refused"
	KindConnectionReset ErrorKind = "connection_reset"
	KindTLSUntrusted    ErrorKind = "tls_untrusted"
	KindTLSName         ErrorKind = "tls_name"
	KindTLSOther        ErrorKind = "tls_other"
	KindTimeoutConnect  ErrorKind = "timeout_connect"
	KindTimeoutResponse ErrorKind = "timeout_response"
	KindStatus          ErrorKind = "status"
	KindRedirect        ErrorKind = "redirect"
	KindProtocol        ErrorKind = "protocol"
	KindAuthToken       ErrorKind = "auth_token"
)

// Header is one header field; Name is lower-case.
type Header struct{ Name, Value string }

// Request is one attempt.
type Request struct {
	Target  string // the endpoint's URL, or what the transport calls an address
	Headers []Header
	Body    []byte
	Timeout time.Duration // total budget: connect, TLS, request, response status and headers, body
	EventID string        // for transports whose system has a place for it
	Method  string        // of HTTP: "" = POST, or OPTIONS, which asks a receiver for its consent and has no body

	// Settings are the endpoint's own for this transport: one JSON object that fits the transport's schema, or empty.
	Settings []byte
}

// Timings are the phases of an attempt; zero = the phase did not happen (e.g. a reused connection).
type Timings struct{ DNS, Connect, TLS, Wait, Body time.Duration }

// Result is what the receiver (or the network) did. For a transport with status codes, Status > 0 means that a status
// line was read in time; then Outcome is Acknowledged for 200 and Rejected otherwise, and the profile's rule, applied by
// the engine, has the last word.
type Result struct {
	Outcome   Outcome
	Kind      ErrorKind
	Error     string // for people; no payload, no secret
	Status    int
	Headers   []Header
	Body      []byte // at most MaxResponseBody
	Truncated bool   // the body was longer, or cut, or dripped past the deadline
	Timings   Timings
	Took      time.Duration // from the start of Deliver to its end
}

// MaxResponseBody is how much of a response body is kept, in bytes.
const MaxResponseBody = 64 << 10

// Transport makes single attempts.
type Transport interface {
	Deliver(ctx context.Context, req *Request) (Result, error)
}

// Submitter is a Transport that takes attempts without occupying a goroutine each: done is called exactly once, from
// any goroutine, and must not block. ctx covers acceptance only; the attempt is bounded by Request.Timeout. The Request
// must stay unchanged until done.
type Submitter interface {
	Submit(ctx context.Context, req *Request, done func(Result, error))
}

// ErrInterrupted: our side ended the attempt (plugin gone, shutting down). Whether the receiver saw it is unknown.
var ErrInterrupted = errors.New("transports: attempt interrupted on our side")
