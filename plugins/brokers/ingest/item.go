package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/ThreeDotsLabs/watermill/message"
)

// errPoison: a message that can never become an event.
var errPoison = errors.New("poison")

const (
	maxPayload = 256 << 10 // bytes of data or payload; hookline's own bound
	maxEvent   = maxPayload + 64<<10
	maxKey     = 256 // bytes of an idempotency key
)

// Key makes an idempotency key of what names a message at its broker; long ones are hashed.
func Key(parts string) string {
	if len(parts) <= maxKey && utf8.ValidString(parts) {
		return parts
	}
	sum := sha256.Sum256([]byte(parts))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// appendItem appends the message as an item of events:batch. The error wraps errPoison.
func (s *Source) appendItem(dst []byte, m *message.Message) ([]byte, error) {
	body := bytes.TrimSpace(m.Payload)
	limit := maxPayload
	if s.Format == FormatEvent {
		limit = maxEvent
	}
	switch {
	case len(body) > limit:
		return dst, fmt.Errorf("%w: has %d bytes, at most %d are taken", errPoison, len(body), limit)
	case !utf8.Valid(body):
		return dst, fmt.Errorf("%w: is not UTF-8", errPoison)
	case !json.Valid(body):
		return dst, fmt.Errorf("%w: is not JSON", errPoison)
	case m.UUID == "":
		return dst, fmt.Errorf("%w: has no message id: set one at its producer, else a second delivery would be a second event", errPoison)
	}
	if s.Format == FormatEvent {
		return s.appendEvent(dst, body, m)
	}
	kind := s.Type
	if kind == "" {
		kind = m.Metadata[s.TypeHeader]
	}
	if kind == "" {
		return dst, fmt.Errorf("%w: has no event type: set the header %s, or type in the source", errPoison, s.TypeHeader)
	}
	dst = append(dst, `{"type":`...)
	dst = appendText(dst, kind)
	if id := m.Metadata[s.IDHeader]; s.IDHeader != "" && id != "" {
		dst = append(dst, `,"id":`...)
		dst = appendText(dst, id)
	}
	dst = append(dst, `,"idempotency_key":`...)
	dst = appendText(dst, Key(m.UUID))
	dst = append(dst, ',', '"')
	dst = append(dst, s.Format...)
	dst = append(dst, '"', ':')
	dst = append(dst, body...)
	return append(dst, '}'), nil
}

// appendEvent takes the object of a publish as it is and adds the key, if it has none of its own.
func (s *Source) appendEvent(dst, body []byte, m *message.Message) ([]byte, error) {
	var members map[string]json.RawMessage
	if body[0] != '{' || json.Unmarshal(body, &members) != nil {
		return dst, fmt.Errorf("%w: is not a JSON object with type and data", errPoison)
	}
	if _, has := members["idempotency_key"]; has {
		return append(dst, body...), nil
	}
	dst = append(dst, `{"idempotency_key":`...)
	dst = appendText(dst, Key(m.UUID))
	if len(members) > 0 {
		dst = append(dst, ',')
	}
	return append(dst, body[1:]...), nil
}

func appendText(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return append(dst, `""`...) // cannot be: any string has a JSON form
	}
	return append(dst, b...)
}
