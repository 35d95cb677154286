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
// Order: the server gives what was not acknowledged again after newer messages, and in no order of its own. So a Subscribe that
// finds such messages lets a new consumer begin behind the last message up to which all are acknowledged, and a gap in the
// consumer's count ends the subscription. One process at a time reads a group.
type Subscriber struct {
	connection Connection
	source     ingest.Source
	logger     *slog.Logger

	conn *conn // made by the first Subscribe
}

var _ message.Subscriber = (*Subscriber)(nil)

// errGap: a message was lost on its way here and will come again behind newer ones.
var errGap = errors.New("nats: a message was lost between server and consumer")

// OpenIngest has the shape of ingest.Open; broker is a Connection.
func OpenIngest(broker json.RawMessage, s ingest.Source, logger *slog.Logger) (message.Subscriber, error) {
	sub := &Subscriber{source: s, logger: logger}
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
	consumer, err := s.consumer(ctx, js, topic)
	if err != nil {
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

// consumer returns the group's consumer, in a state where nothing is given and not acknowledged: else a new one takes over
// behind the last message up to which all are, and the old ones are deleted after it exists.
func (s *Subscriber) consumer(ctx context.Context, js jetstream.JetStream, topic string) (jetstream.Consumer, error) {
	stream, err := js.Stream(ctx, topic)
	if err != nil {
		return nil, err
	}
	var old []string
	var best *jetstream.ConsumerInfo
	list := stream.ListConsumers(ctx)
	for c := range list.Info() {
		if !strings.HasPrefix(c.Name, s.source.Group+"-ingest-") {
			continue
		}
		old = append(old, c.Name)
		if best == nil || c.AckFloor.Stream > best.AckFloor.Stream || c.AckFloor.Stream == best.AckFloor.Stream && c.NumAckPending < best.NumAckPending {
			best = c
		}
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	if best != nil && best.NumAckPending == 0 {
		return stream.Consumer(ctx, best.Name)
	}
	config := jetstream.ConsumerConfig{
		Durable: fmt.Sprintf("%s-ingest-%d", s.source.Group, time.Now().UnixNano()), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxAckPending: s.source.Window, DeliverPolicy: jetstream.DeliverAllPolicy,
	}
	if best != nil {
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, best.AckFloor.Stream+1
	}
	c, err := stream.CreateConsumer(ctx, config)
	if err != nil {
		return nil, err
	}
	for _, name := range old {
		if err := stream.DeleteConsumer(ctx, name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return nil, err
		}
	}
	return c, nil
}

// ackWait is how long the server waits before it gives a message again to the same consumer.
const ackWait = 5 * time.Minute

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
