// Package redis is the transport to Redis Streams.
//
// A target is "redis:STREAM". An attempt is one XADD with the fields event_id, body (byte for byte) and header.NAME for each
// header. Acknowledged means that Redis answered with the entry's id; whether that survives a crash of Redis is its own
// setting (appendonly, appendfsync). An error reply (OOM, WRONGTYPE, NOPERM, ...) is rejected. Redis drops no second copy: a
// consumer that must not see one looks at event_id.
//
// The entry goes through Watermill's publisher (watermill-redisstream v1.4.5), which waits for the reply and passes the
// message's context on; its own field layout (MessagePack) is replaced, and go-redis' retries are off.
package redis

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill-redisstream/pkg/redisstream"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/redis/go-redis/v9"

	"github.com/hookline/hookline/plugins/brokers"
	"github.com/hookline/hookline/plugins/sdk"
	"github.com/hookline/hookline/transports"
)

// Plugin is the transport as a plugin.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "redis", Version: version, ConfigSchema: Schema(), New: New}
}

// Transport adds entries to streams.
type Transport struct {
	attempts  brokers.Attempts
	targets   *brokers.Targets
	publisher *redisstream.Publisher // closes its client
}

var (
	_ transports.Transport = (*Transport)(nil)
	_ io.Closer            = (*Transport)(nil)
)

// New has the shape of sdk.Plugin's New. The server need not be there yet.
func New(settings json.RawMessage) (transports.Transport, error) {
	s, err := parse(settings)
	if err != nil {
		return nil, err
	}
	targets, err := brokers.NewTargets("redis", "streams", s.Streams)
	if err != nil {
		return nil, err
	}
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	t := &Transport{targets: targets}
	t.attempts.Judge, t.attempts.Secrets = judge, []string{s.Password}
	t.publisher, err = redisstream.NewPublisher(redisstream.PublisherConfig{Client: client, Marshaller: fields{}, DefaultMaxlen: s.MaxLen}, nil)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return t, nil
}

// Close ends the connections and waits for what was left under way.
func (t *Transport) Close() error {
	err := t.publisher.Close()
	t.attempts.Wait()
	return err
}

// Deliver implements transports.Transport.
func (t *Transport) Deliver(ctx context.Context, req *transports.Request) (transports.Result, error) {
	stream, err := t.targets.Address(req.Target)
	// go-redis keeps a deadline but cannot be canceled while it reads: it gets a copy and is left behind.
	stream = strings.Clone(stream) // the request's strings are parts of a buffer
	m := message.NewMessage(strings.Clone(req.EventID), bytes.Clone(req.Body))
	for _, h := range req.Headers {
		m.Metadata[strings.Clone(h.Name)] = strings.Clone(h.Value)
	}
	return t.attempts.RunAside(ctx, req, func(ctx context.Context) error {
		if err != nil {
			return err
		}
		m.SetContext(ctx)
		return t.publisher.Publish(stream, m)
	})
}

const (
	fieldEventID = "event_id"
	fieldBody    = "body"
	fieldHeader  = "header."
)

// fields is the layout of an entry.
type fields struct{}

var _ redisstream.Marshaller = fields{}

func (fields) Marshal(_ string, m *message.Message) (map[string]any, error) {
	v := make(map[string]any, len(m.Metadata)+2)
	v[fieldEventID] = m.UUID
	v[fieldBody] = []byte(m.Payload)
	for name, value := range m.Metadata {
		v[fieldHeader+name] = value
	}
	return v, nil
}

func judge(err error) (transports.Outcome, transports.ErrorKind) {
	var reply redis.Error
	switch {
	case !errors.As(err, &reply):
		return 0, ""
	case redis.HasErrorPrefix(reply, "NOAUTH"), redis.HasErrorPrefix(reply, "WRONGPASS"):
		return transports.Unreachable, transports.KindAuthToken
	}
	return transports.Rejected, transports.KindStatus
}

// connectTimeout bounds a connection's making, ioTimeout what was left behind by an attempt.
const (
	connectTimeout = 5 * time.Second
	ioTimeout      = 60 * time.Second
)
