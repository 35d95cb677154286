package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/hookline/hookline/plugins/brokers"
	"github.com/hookline/hookline/plugins/brokers/ingest"
)

// Subscriber reads a topic as a member of a consumer group; it is a Watermill Subscriber. Watermill's own withholds a partition's
// next record until the Ack (watermill-kafka v3.0.6, processMessage); this one keeps a window and commits what is
// acknowledged, in order. A group may have many processes: a rebalance ends the subscription, and records that were not
// committed come again to whom their partition went.
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
	return sub, sub.connection.check()
}

// Close has nothing to do: a subscription ends with its context.
func (s *Subscriber) Close() error { return nil }

// Subscribe implements message.Subscriber.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	k, err := s.connection.config()
	if err != nil {
		return nil, err
	}
	k.Consumer.Offsets.Initial = sarama.OffsetOldest
	k.Consumer.Offsets.AutoCommit.Enable = false
	k.Consumer.Return.Errors = false
	k.Consumer.MaxWaitTime = 100 * time.Millisecond
	k.ChannelBufferSize = min(s.source.Window, 1000)
	group, err := sarama.NewConsumerGroup(s.connection.Brokers, s.source.Group, k)
	if err != nil {
		return nil, err
	}
	return ingest.Subscription[claimed]{
		Window: s.source.Window,
		Read: func(ctx context.Context, give func(*message.Message, claimed) error) error {
			m := &member{give: give}
			if err := group.Consume(ctx, []string{topic}, m); err != nil {
				return err
			}
			if err := m.why(); err != nil {
				return err
			}
			return errors.New("kafka: the group is balanced anew")
		},
		Settle: settle,
		Ended: func(err error) {
			s.logger.Info("subscription ended", "topic", topic, "error", err)
			if err := group.Close(); err != nil {
				s.logger.Warn("leaving the group", "topic", topic, "error", err)
			}
		},
	}.Start(ctx), nil
}

// claimed is a record and the session it was read in.
type claimed struct {
	session sarama.ConsumerGroupSession
	record  *sarama.ConsumerMessage
}

// settle commits; in a session that has ended that is without effect, and the records come again.
func settle(_ context.Context, batch []claimed) error {
	for _, c := range batch {
		c.session.MarkMessage(c.record, "")
	}
	batch[len(batch)-1].session.Commit()
	return nil
}

// member takes part in one session.
type member struct {
	give func(*message.Message, claimed) error

	mu    sync.Mutex // of err, and of give: partitions take turns
	first error
}

var _ sarama.ConsumerGroupHandler = (*member)(nil)

func (*member) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) why() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.first
}

// ConsumeClaim gives a partition's records until the session ends.
func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case r, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			m.mu.Lock()
			if m.first == nil {
				m.first = m.give(received(r), claimed{session, r})
			}
			err := m.first
			m.mu.Unlock()
			if err != nil {
				return err
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

// received names a record by its place.
func received(r *sarama.ConsumerMessage) *message.Message {
	m := message.NewMessage(fmt.Sprintf("kafka:%s/%d/%d", r.Topic, r.Partition, r.Offset), r.Value)
	for _, h := range r.Headers {
		m.Metadata[strings.ToLower(string(h.Key))] = string(h.Value)
	}
	return m
}
