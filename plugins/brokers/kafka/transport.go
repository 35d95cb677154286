// Package kafka is the transport to Kafka.
//
// A target is "kafka:TOPIC". A record's value is the body, byte for byte; its key is the event's id, or the value of the header
// that the settings name (records of one key stay in order in their partition, chosen as Kafka's own clients do); its headers
// are the attempt's and event-id. Acknowledged means that all replicas in sync have the record (acks=all); a broker's error is
// rejected. A repeated attempt is a second record: a consumer that must not see two looks at event-id.
//
// The record goes through Watermill's publisher, which waits for Kafka's answer (watermill-kafka v3.0.6, over Sarama's
// SyncProducer); its retries (10 by default) are off, its marshaler is replaced. It takes no context, so an attempt that is
// out of time leaves the call behind, for at most 30 s a network call.
package kafka

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/hookline/hookline/plugins/brokers"
	"github.com/hookline/hookline/plugins/sdk"
	"github.com/hookline/hookline/transports"
)

// Plugin is the transport as a plugin.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "kafka", Version: version, ConfigSchema: Schema(), New: New}
}

// Transport produces records.
type Transport struct {
	attempts brokers.Attempts
	targets  *brokers.Targets
	settings Settings
	config   *sarama.Config
	dialer   *dialer

	mu        sync.Mutex // held while connecting
	publisher *kafka.Publisher
	closed    bool
}

var (
	_ transports.Transport = (*Transport)(nil)
	_ io.Closer            = (*Transport)(nil)
)

// New has the shape of sdk.Plugin's New. No broker need be there yet.
func New(settings json.RawMessage) (transports.Transport, error) {
	s, err := parse(settings)
	if err != nil {
		return nil, err
	}
	targets, err := brokers.NewTargets("kafka", "topics", s.Topics)
	if err != nil {
		return nil, err
	}
	k, err := s.config()
	if err != nil {
		return nil, err
	}
	k.Producer.RequiredAcks = sarama.WaitForAll
	k.Producer.Timeout = ioTimeout
	k.Producer.Retry.Max = 0
	k.Producer.Return.Successes, k.Producer.Return.Errors = true, true
	k.Producer.Partitioner = sarama.NewCustomHashPartitioner(newMurmur2)
	t := &Transport{targets: targets, settings: s, config: k, dialer: newDialer()}
	k.Net.Proxy.Enable, k.Net.Proxy.Dialer = true, t.dialer
	t.attempts.Judge, t.attempts.Secrets = judge, []string{s.Password}
	return t, nil
}

// Close ends the connections, and with them what was left under way; no attempt may be running.
func (t *Transport) Close() error {
	t.dialer.cutAll()
	t.attempts.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.publisher == nil {
		return nil
	}
	return t.publisher.Close()
}

// connected returns the publisher, making it if none is there. Those who come meanwhile wait for the same try.
func (t *Transport) connected(ctx context.Context) (*kafka.Publisher, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.publisher != nil:
		return t.publisher, nil
	case t.closed:
		return nil, errors.New("kafka: closed")
	case ctx.Err() != nil: // waited too long for another's try
		return nil, context.Cause(ctx)
	}
	p, err := kafka.NewPublisher(kafka.PublisherConfig{Brokers: t.settings.Brokers, Marshaler: record{t.settings.KeyHeader}, OverwriteSaramaConfig: t.config}, nil)
	if err != nil {
		return nil, err
	}
	t.publisher = p
	return p, nil
}

// Deliver implements transports.Transport.
func (t *Transport) Deliver(ctx context.Context, req *transports.Request) (transports.Result, error) {
	topic, err := t.targets.Address(req.Target)
	topic = strings.Clone(topic) // the request's strings are parts of a buffer, and the call may outlive the attempt
	m := message.NewMessage(strings.Clone(req.EventID), bytes.Clone(req.Body))
	for _, h := range req.Headers {
		m.Metadata[strings.Clone(h.Name)] = strings.Clone(h.Value)
	}
	return t.attempts.RunAside(ctx, req, func(ctx context.Context) error {
		if err != nil {
			return err
		}
		p, err := t.connected(ctx)
		if err != nil {
			return err
		}
		return p.Publish(topic, m)
	})
}

const headerEventID = "event-id"

// record is the layout of a record.
type record struct{ keyHeader string }

var _ kafka.Marshaler = record{}

func (r record) Marshal(topic string, m *message.Message) (*sarama.ProducerMessage, error) {
	out := &sarama.ProducerMessage{Topic: topic, Value: sarama.ByteEncoder(m.Payload), Headers: make([]sarama.RecordHeader, 0, len(m.Metadata)+1)}
	key := m.UUID
	if r.keyHeader != "" {
		key = m.Metadata[r.keyHeader]
	}
	if key != "" {
		out.Key = sarama.StringEncoder(key)
	}
	if m.UUID != "" {
		out.Headers = append(out.Headers, sarama.RecordHeader{Key: []byte(headerEventID), Value: []byte(m.UUID)})
	}
	for name, value := range m.Metadata {
		out.Headers = append(out.Headers, sarama.RecordHeader{Key: []byte(name), Value: []byte(value)})
	}
	return out, nil
}

func judge(err error) (transports.Outcome, transports.ErrorKind) {
	var answer sarama.KError
	var tooLong sarama.ConfigurationError
	switch {
	case errors.As(err, &answer):
		switch answer {
		case sarama.ErrSASLAuthenticationFailed, sarama.ErrUnsupportedSASLMechanism, sarama.ErrIllegalSASLState:
			return transports.Unreachable, transports.KindAuthToken
		case sarama.ErrNetworkException, sarama.ErrBrokerNotAvailable:
			return transports.Unreachable, transports.KindConnectionReset
		}
		return transports.Rejected, transports.KindStatus
	case errors.Is(err, sarama.ErrMessageSizeTooLarge), errors.As(err, &tooLong):
		return transports.Rejected, transports.KindStatus
	}
	return 0, ""
}
