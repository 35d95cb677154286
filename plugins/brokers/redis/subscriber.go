package redis

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/redis/go-redis/v9"

	"github.com/hookline/hookline/plugins/brokers/ingest"
)

// Subscriber reads a stream as one consumer of a group; it is a Watermill Subscriber. Watermill's own reads one entry a round
// trip and waits for its Ack (watermill-redisstream v1.4.5: Count 1), this one keeps a window and settles in order.
//
// Entries that were read before and not acknowledged come first, in order, at each Subscribe. Group and consumer have the same
// name: one process at a time.
type Subscriber struct {
	client *redis.Client
	source ingest.Source
	logger *slog.Logger
}

var _ message.Subscriber = (*Subscriber)(nil)

// OpenIngest has the shape of ingest.Open; broker is the settings' Connection.
func OpenIngest(broker json.RawMessage, s ingest.Source, logger *slog.Logger) (message.Subscriber, error) {
	c, err := parseConnection(broker)
	if err != nil {
		return nil, err
	}
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	return &Subscriber{client: client, source: s, logger: logger}, nil
}

// Close ends the connections; every subscription must have ended.
func (s *Subscriber) Close() error { return s.client.Close() }

// Subscribe implements message.Subscriber.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	err := s.client.XGroupCreateMkStream(ctx, topic, s.source.Group, "0").Err()
	if err != nil && !redis.HasErrorPrefix(err, "BUSYGROUP") {
		return nil, err
	}
	return ingest.Subscription[string]{
		Window: s.source.Window,
		Read: func(ctx context.Context, give func(*message.Message, string) error) error {
			return s.read(ctx, topic, give)
		},
		Settle: func(ctx context.Context, ids []string) error {
			return s.client.XAck(ctx, topic, s.source.Group, ids...).Err()
		},
		Ended: func(err error) { s.logger.Info("subscription ended", "stream", topic, "error", err) },
	}.Start(ctx), nil
}

const (
	readCount = 500
	readBlock = 200 * time.Millisecond // go-redis cannot be canceled while it waits
)

func (s *Subscriber) read(ctx context.Context, topic string, give func(*message.Message, string) error) error {
	from := "0" // what this consumer has and did not acknowledge; then ">"
	for ctx.Err() == nil {
		got, err := s.client.XReadGroup(ctx, &redis.XReadGroupArgs{
			Group: s.source.Group, Consumer: s.source.Group, Streams: []string{topic, from}, Count: readCount, Block: readBlock,
		}).Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return err
		}
		if len(got) == 0 || len(got[0].Messages) == 0 {
			from = ">"
			continue
		}
		for _, e := range got[0].Messages {
			if err := give(entry(topic, e), e.ID); err != nil {
				return err
			}
			if from != ">" {
				from = e.ID
			}
		}
	}
	return context.Cause(ctx)
}

// entry reads this package's layout, and others' where the payload is called payload or data.
func entry(topic string, e redis.XMessage) *message.Message {
	m := message.NewMessage("redis:"+topic+"/"+e.ID, nil)
	for name, value := range e.Values {
		text, _ := value.(string)
		switch header, ok := strings.CutPrefix(name, fieldHeader); {
		case ok:
			m.Metadata[strings.ToLower(header)] = text
		case name == fieldBody:
			m.Payload = []byte(text)
		case (name == "payload" || name == "data") && m.Payload == nil:
			m.Payload = []byte(text)
		default:
			m.Metadata[strings.ToLower(name)] = text
		}
	}
	return m
}
