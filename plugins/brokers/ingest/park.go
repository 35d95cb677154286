package ingest

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"time"
	"unicode/utf8"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Park is a file of messages that could not become events, a JSON line each. One goroutine uses it.
type Park struct{ file *os.File }

// OpenPark opens or creates the file, for its owner's eyes.
func OpenPark(path string) (*Park, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &Park{f}, nil
}

// Parked is a line of the file.
type Parked struct {
	At         time.Time         `json:"at"`
	Topic      string            `json:"topic"`
	MessageID  string            `json:"message_id"`
	Reason     string            `json:"reason"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body,omitempty"`
	BodyBase64 string            `json:"body_base64,omitempty"` // of one that is not UTF-8
}

// put appends the message; it is on disk when put returns nil. A line may be there twice after a crash or an error.
func (p *Park) put(topic string, m *message.Message, reason string, at time.Time) error {
	line := Parked{At: at.UTC(), Topic: topic, MessageID: m.UUID, Reason: reason, Headers: m.Metadata}
	if utf8.Valid(m.Payload) {
		line.Body = string(m.Payload)
	} else {
		line.BodyBase64 = base64.StdEncoding.EncodeToString(m.Payload)
	}
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if _, err := p.file.Write(append(b, '\n')); err != nil {
		return err
	}
	return p.file.Sync()
}

// Close closes the file.
func (p *Park) Close() error { return p.file.Close() }
