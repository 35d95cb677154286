package proto

import "errors"

// Bounds of the wire; transport.proto states them for other languages.
const (
	MaxItems   = 128      // attempts or results in a batch
	SoftBytes  = 1 << 20  // a batch that has reached this many bytes is sent
	MaxMessage = 16 << 20 // bytes of one message, the receive limit of both sides
	MaxBody    = 8 << 20  // bytes of an attempt's body

	maxHeaders = 1 << 16 // fields in one attempt or result
)

// ErrMalformed: bytes that are no message of this wire.
var ErrMalformed = errors.New("proto: malformed message")

// What both sides of go-plugin's handshake must agree on.
const (
	Version     = 1 // of the protocol, raised when an old plugin could misread a new host
	CookieKey   = "HOOKLINE_PLUGIN"
	CookieValue = "transport-v1"
	PluginName  = "transport"
)
