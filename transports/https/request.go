package https

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hookline/hookline/transports"
)

// ErrRequest: a request that cannot be sent as it stands; our side's fault, not counted.
var ErrRequest = errors.New("https: request cannot be sent")

// maxRequestHead bounds the header fields of a request, in bytes: an endpoint may have 20 of its own, of 4 KiB each.
const maxRequestHead = 128 << 10

// CheckHeader says whether a header field may go out: a token as name (RFC 9110 section 5.1), a value without control
// characters, and none of the fields that frame the message or steer the connection. Idempotency-Key is refused because
// clients between here and the receiver take it for leave to send again. Errors wrap ErrRequest.
func CheckHeader(name, value string) error {
	if name == "" {
		return fmt.Errorf("%w: a header field has no name", ErrRequest)
	}
	for i := range len(name) {
		if !tokenByte(name[i]) {
			return fmt.Errorf("%w: header name %q: byte %q is not allowed, use letters, digits and -", ErrRequest, name, name[i])
		}
	}
	if reserved(name) {
		return fmt.Errorf("%w: header %s is set by the transport or never sent: remove it", ErrRequest, name)
	}
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return fmt.Errorf("%w: header %s: value holds control character %q: remove it", ErrRequest, name, c)
		}
	}
	if value != strings.Trim(value, " \t") {
		return fmt.Errorf("%w: header %s: value begins or ends with a blank: remove it", ErrRequest, name)
	}
	return nil
}

func reserved(name string) bool {
	switch len(name) { // cheap sieve before the lower-casing
	case 2, 4, 6, 7, 10, 14, 15, 16, 17, 19:
	default:
		return false
	}
	switch strings.ToLower(name) {
	case "te", "host", "expect", "upgrade", "trailer", "connection", "keep-alive", "content-length",
		"proxy-connection", "transfer-encoding", "idempotency-key", "x-idempotency-key", "proxy-authorization":
		return true
	}
	return false
}

func tokenByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// appendHead renders everything before the body.
func appendHead(b []byte, e *endpoint, req *transports.Request) ([]byte, error) {
	switch req.Method {
	case "", "POST":
		b = append(b, e.head...)
	case "OPTIONS":
		b = append(append(b, req.Method...), e.head[len("POST"):]...)
	default:
		return b, fmt.Errorf("%w: method %.20q: want POST or OPTIONS", ErrRequest, req.Method)
	}
	for i := range req.Headers {
		h := &req.Headers[i]
		if err := CheckHeader(h.Name, h.Value); err != nil {
			return b, err
		}
		b = append(b, h.Name...)
		b = append(b, ": "...)
		b = append(b, h.Value...)
		b = append(b, "\r\n"...)
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(req.Body)), 10)
	b = append(b, "\r\n\r\n"...)
	if len(b) > maxRequestHead {
		return b, fmt.Errorf("%w: header fields are %d bytes, at most %d: send fewer", ErrRequest, len(b), maxRequestHead)
	}
	return b, nil
}
