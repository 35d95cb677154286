package rabbitmq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookline/hookline/plugins/brokers"
	"github.com/hookline/hookline/plugins/brokers/ingest"
)

// Subscriber reads a queue as its exclusive consumer, so that its order is kept; it is a Watermill Subscriber. What was not
// acknowledged when a connection ends goes back to its place in the queue.
type Subscriber struct {
	connection Connection
	source     ingest.Source
	logger     *slog.Logger
}

var _ message.Subscriber = (*Subscriber)(nil)

// OpenIngest has the shape of ingest.Open; broker is a Connection.
func OpenIngest(broker json.RawMessage, s ingest.Source, logger *slog.Logger) (message.Subscriber, error) {
	sub := &Subscriber{source: s, logger: logger}
	if err := brokers.Decode(broker, &sub.connection); err != nil {
		return nil, err
	}
	if s.Window > 65_535 {
		return nil, fmt.Errorf("window is %d, RabbitMQ takes at most 65535", s.Window)
	}
	return sub, sub.connection.check()
}

// Close has nothing to do: a subscription ends with its context.
func (s *Subscriber) Close() error { return nil }

// Subscribe implements message.Subscriber; topic is the queue, which must exist.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	tlsConfig, err := s.connection.TLS.Config()
	if err != nil {
		return nil, err
	}
	conn, err := s.connection.dial("hookline-ingest", tlsConfig)
	if err != nil {
		return nil, err
	}
	ch, deliveries, err := s.consume(conn, topic)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	closing := ch.NotifyClose(make(chan *amqp.Error, 1))
	return ingest.Subscription[uint64]{
		Window: s.source.Window,
		Read: func(ctx context.Context, give func(*message.Message, uint64) error) error {
			for {
				select {
				case d, ok := <-deliveries:
					if !ok {
						if err := <-closing; err != nil {
							return err
						}
						return errors.New("rabbitmq: the queue's consumer was canceled")
					}
					if err := give(received(topic, &d), d.DeliveryTag); err != nil {
						return err
					}
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
		},
		Settle: func(_ context.Context, tags []uint64) error {
			return ch.Ack(tags[len(tags)-1], true) // and all before it
		},
		Ended: func(err error) {
			s.logger.Info("subscription ended", "queue", topic, "error", err)
			_ = conn.CloseDeadline(time.Now().Add(connectTimeout))
		},
	}.Start(ctx), nil
}

func (s *Subscriber) consume(conn *amqp.Connection, queue string) (*amqp.Channel, <-chan amqp.Delivery, error) {
	ch, err := conn.Channel()
	if err != nil {
		return nil, nil, err
	}
	if err := ch.Qos(s.source.Window, 0, false); err != nil {
		return nil, nil, err
	}
	deliveries, err := ch.Consume(queue, s.source.Group, false, true, false, false, nil)
	return ch, deliveries, err
}

// received names a message by its message-id; without one it has no name, and is parked.
func received(queue string, d *amqp.Delivery) *message.Message {
	m := message.NewMessage("", d.Body)
	if d.MessageId != "" {
		m.UUID = "amqp:" + queue + "/" + d.MessageId
	}
	for name, value := range d.Headers {
		if text, ok := value.(string); ok {
			m.Metadata[strings.ToLower(name)] = text
		}
	}
	if d.ContentType != "" {
		m.Metadata["content-type"] = d.ContentType
	}
	if d.Type != "" && m.Metadata["event-type"] == "" {
		m.Metadata["event-type"] = d.Type // AMQP's own place for it
	}
	return m
}
