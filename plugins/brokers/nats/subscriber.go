package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookline/hookline/plugins/brokers/ingest"
)

// Subscriber reads a JetStream stream by a durable consumer; it is a Watermill Subscriber. Watermill's own gives one message at a
// time, and dereferences nil on one with a repeated header (watermill-nats v2.1.3, jetstream.handleMsg).
//
// Order: the server gives what was not acknowledged again only after AckWait, newer messages at once. So a Subscribe that
// finds unacknowledged messages waits that time first, and a gap in the consumer's count ends the subscription. One process
// at a time reads a consumer.
type Subscriber struct {
	connection Connection
	source     ingest.Source
	logger     *slog.Logger
	ackWait    time.Duration

	conn *conn // made by the first Subscribe
}

var _ message.Subscriber = (*Subscriber)(nil)

// errGap: a message was lost on its way here and will come again behind newer ones.
var errGap = errors.New("nats: a message was lost between server and consumer")

// OpenIngest has the shape of ingest.Open; broker is a Connection.
func OpenIngest(broker json.RawMessage, s ingest.Source, logger *slog.Logger) (message.Subscriber, error) {
	sub := &Subscriber{source: s, logger: logger, ackWait: 10 * time.Second}
	if err := decodeConnection(broker, &sub.connection); err != nil {
		return nil, err
	}
	return sub, nil
}

// Close ends the connection; every subscription must have ended.
func (s *Subscriber) Close() error {
	if s.conn != nil {
		s.conn.close()
	}
	return nil
}

// Subscribe implements message.Subscriber; topic is the stream's name. It is called by one goroutine.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	if s.conn == nil {
		c, err := dial(&s.connection, "hookline-ingest")
		if err != nil {
			return nil, err
		}
		s.conn = c
	}
	js, err := jetstream.New(s.conn.Conn)
	if err != nil {
		return nil, err
	}
	consumer, err := js.CreateOrUpdateConsumer(ctx, topic, jetstream.ConsumerConfig{
		Durable: s.source.Group, AckPolicy: jetstream.AckExplicitPolicy, AckWait: s.ackWait, MaxAckPending: s.source.Window,
		DeliverPolicy: jetstream.DeliverAllPolicy,
	})
	if err != nil {
		return nil, err
	}
	if err := s.waitForRest(ctx, consumer); err != nil {
		return nil, err
	}
	return ingest.Subscription[jetstream.Msg]{
		Window: s.source.Window,
		Read: func(ctx context.Context, give func(*message.Message, jetstream.Msg) error) error {
			return s.read(ctx, consumer, give)
		},
		Settle: func(ctx context.Context, batch []jetstream.Msg) error {
			for _, m := range batch[:len(batch)-1] {
				if err := m.Ack(); err != nil {
					return err
				}
			}
			return batch[len(batch)-1].DoubleAck(ctx) // the server answers, and has read those before
		},
		Ended: func(err error) { s.logger.Info("subscription ended", "stream", topic, "error", err) },
	}.Start(ctx), nil
}

// waitForRest waits until the server will give again, first and in order, what another subscription left unacknowledged.
func (s *Subscriber) waitForRest(ctx context.Context, c jetstream.Consumer) error {
	info, err := c.Info(ctx)
	if err != nil || info.NumAckPending == 0 {
		return err
	}
	t := time.NewTimer(s.ackWait + s.ackWait/10)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Subscriber) read(ctx context.Context, c jetstream.Consumer, give func(*message.Message, jetstream.Msg) error) error {
	messages, err := c.Messages(jetstream.PullMaxMessages(min(s.source.Window, 1000)))
	if err != nil {
		return err
	}
	defer messages.Stop()
	var last uint64
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if last != 0 && meta.Sequence.Consumer != last+1 {
			return fmt.Errorf("%w: %d follows %d", errGap, meta.Sequence.Consumer, last)
		}
		last = meta.Sequence.Consumer
		if err := give(received(m, meta), m); err != nil {
			return err
		}
	}
}

// received names a message by Nats-Msg-Id, else by its place in the stream.
func received(m jetstream.Msg, meta *jetstream.MsgMetadata) *message.Message {
	id := m.Headers().Get(nats.MsgIdHdr)
	if id == "" {
		id = fmt.Sprint(meta.Sequence.Stream)
	} else {
		id = "id=" + id
	}
	w := message.NewMessage("nats:"+meta.Stream+"/"+id, m.Data())
	for name, values := range m.Headers() {
		if len(values) > 0 {
			w.Metadata[strings.ToLower(name)] = values[0]
		}
	}
	return w
}
