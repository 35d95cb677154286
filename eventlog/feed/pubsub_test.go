package feed

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
)

// TestPubSub is Watermill's own conformance suite. The suite publishes, so each of its topics is a log here, each of
// its messages a batch.
func TestPubSub(t *testing.T) {
	logs := &topics{logs: make(map[string]*topic)}
	t.Cleanup(logs.close) // the suite does not close all that it makes
	tests.TestPubSub(t, tests.Features{
		GuaranteedOrder:                  true,
		Persistent:                       true,
		NewSubscriberReceivesOldMessages: true,
		ForceShort:                       true,
	}, func(*testing.T) (message.Publisher, message.Subscriber) {
		return &publisher{logs}, logs.subscriber()
	}, nil)
}

// topics are the logs that all instances of a test share.
type topics struct {
	mu   sync.Mutex
	logs map[string]*topic
	subs []*subscriber
}

func (ts *topics) subscriber() *subscriber {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	s := &subscriber{topics: ts}
	ts.subs = append(ts.subs, s)
	return s
}

func (ts *topics) close() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, s := range ts.subs {
		_ = s.Close()
	}
}

type topic struct {
	mu  sync.Mutex
	log *memlog.Log
	w   eventlog.Writer
}

func (ts *topics) get(name string) (*topic, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.logs[name] == nil {
		l := memlog.New(memlog.Options{Now: func() int64 { return 0 }})
		w, err := l.Acquire(context.Background(), name)
		if err != nil {
			return nil, err
		}
		ts.logs[name] = &topic{log: l, w: w}
	}
	return ts.logs[name], nil
}

// wire is a message of the suite in a record's facts.
type wire struct {
	UUID     string
	Metadata message.Metadata
	Payload  []byte
}

type publisher struct{ topics *topics }

func (p *publisher) Publish(name string, messages ...*message.Message) error {
	t, err := p.topics.get(name)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range messages {
		facts, err := json.Marshal(wire{m.UUID, m.Metadata, m.Payload})
		if err != nil {
			return err
		}
		if err := t.w.Append([]eventlog.Record{{Type: 7, Facts: facts}}).Wait(m.Context()); err != nil {
			return err
		}
	}
	return nil
}

func (p *publisher) Close() error { return nil }

// subscriber turns a feed's messages back into the suite's, and hands on what becomes of them.
type subscriber struct {
	topics *topics
	mu     sync.Mutex
	feeds  []*Feed
	relays sync.WaitGroup
	closed bool
}

func (s *subscriber) Subscribe(ctx context.Context, name string) (<-chan *message.Message, error) {
	t, err := s.topics.get(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, eventlog.ErrClosed
	}
	f := New(t.log, Options{Pause: time.Millisecond})
	in, err := f.Subscribe(ctx, Topic)
	if err != nil {
		return nil, err
	}
	s.feeds = append(s.feeds, f)
	out := make(chan *message.Message)
	s.relays.Go(func() {
		defer close(out)
		for m := range in {
			relay(m, out)
		}
	})
	return out, nil
}

func relay(m *message.Message, out chan<- *message.Message) {
	b, err := Decode(m)
	if err != nil || b.Records[0].Type == eventlog.TypeEpochStarted {
		m.Ack()
		return
	}
	var w wire
	if err := json.Unmarshal(b.Records[0].Facts, &w); err != nil {
		m.Ack()
		return
	}
	o := message.NewMessageWithContext(m.Context(), w.UUID, w.Payload)
	o.Metadata = w.Metadata
	select {
	case out <- o:
	case <-m.Context().Done():
		return
	}
	select {
	case <-o.Acked():
		m.Ack()
	case <-o.Nacked():
		m.Nack()
	case <-m.Context().Done():
	}
}

func (s *subscriber) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, f := range s.feeds {
		_ = f.Close()
	}
	s.relays.Wait()
	return nil
}
