// Package feed is the log as a Watermill subscriber: everything a Watermill router or bridge can do with messages, it
// can do with the log's batches. It only reads.
//
// # Promises
//
//   - One message a stored batch, in the order of the log, from the batch that holds Options.After + 1 on; durable
//     batches only. When After lies inside a batch the whole batch comes: skip what is <= After.
//   - The next message comes only after Ack. A Nack brings the same batch again after Options.Pause, for ever.
//   - Nothing is remembered: a consumer that wants to go on later keeps MetadataLast of what it has acknowledged, and
//     gives it as After. A consumer that stores it together with its effects sees each batch exactly once.
//   - Messages hold facts and sealed sums, never section data: Get loads those where they are needed.
//
// The message's UUID is the first seq, its payload the stored batch (see ../FORMAT.md and Decode).
//
// # Concurrency
//
// A Feed is safe for concurrent use. Each subscription is one goroutine, which ends with its context, with Close of
// the Feed (which waits for it), with Close of the log, or with damage (see Err); then its channel is closed. Whoever
// made the Feed closes it, before the log.
package feed

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/hookline/hookline/eventlog"
)

// Topic is the only topic there is.
const Topic = "records"

// Metadata of a message, decimal.
const (
	MetadataFirst = "first_seq"
	MetadataLast  = "last_seq"
	MetadataEpoch = "epoch"
)

// ErrTopic: a topic other than Topic was asked for.
var ErrTopic = errors.New("feed: no such topic")

// Options of a Feed. The zero value reads from the beginning.
type Options struct {
	// After is the last seq that the consumer has: 0 for none.
	After eventlog.Seq
	// Pause is the time between a Nack and the same message again, default 1 s.
	Pause time.Duration
}

// Feed is a message.Subscriber over a log.
type Feed struct {
	log    eventlog.Log
	opts   Options
	closed context.Context
	close  context.CancelFunc

	mu   sync.Mutex
	subs sync.WaitGroup
	err  error
}

var _ message.Subscriber = (*Feed)(nil)

// New returns a feed of log.
func New(log eventlog.Log, opts Options) *Feed {
	if opts.Pause <= 0 {
		opts.Pause = time.Second
	}
	f := &Feed{log: log, opts: opts}
	f.closed, f.close = context.WithCancel(context.Background())
	return f
}

// Subscribe implements message.Subscriber. Every subscription begins at Options.After.
func (f *Feed) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	if topic != Topic {
		return nil, fmt.Errorf("%w: %q: subscribe to %q", ErrTopic, topic, Topic)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Err() != nil {
		return nil, fmt.Errorf("feed: %w", eventlog.ErrClosed)
	}
	s := &subscription{feed: f, out: make(chan *message.Message), after: f.opts.After}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(f.closed, cancel)
	f.subs.Go(func() {
		defer cancel()
		defer stop()
		defer close(s.out)
		if err := s.run(ctx); ctx.Err() == nil && !errors.Is(err, eventlog.ErrClosed) {
			f.fail(err)
		}
	})
	return s.out, nil
}

// Err returns why a subscription ended although nobody asked for it: the log's error, nil when there was none.
func (f *Feed) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *Feed) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

// Close implements message.Subscriber: it ends all subscriptions and waits for them. It is idempotent.
func (f *Feed) Close() error {
	f.mu.Lock()
	f.close()
	f.mu.Unlock()
	f.subs.Wait()
	return nil
}

// subscription is one consumer's place in the log.
type subscription struct {
	feed  *Feed
	out   chan *message.Message
	after eventlog.Seq
}

// run delivers until something ends it; it never returns nil.
func (s *subscription) run(ctx context.Context) error {
	for {
		if err := s.feed.log.Wait(ctx, s.after); err != nil {
			return err
		}
		for b, err := range s.feed.log.ReadBatches(ctx, s.after) {
			if err != nil {
				return err
			}
			if err := s.deliver(ctx, &b); err != nil {
				return err
			}
			s.after = b.Last()
		}
	}
}

// deliver brings one batch until it is acknowledged.
func (s *subscription) deliver(ctx context.Context, b *eventlog.Batch) error {
	payload := eventlog.AppendBatch(make([]byte, 0, eventlog.EncodedLen(b)), b)
	for {
		acked, err := s.once(ctx, b, payload)
		if acked || err != nil {
			return err
		}
		pause := time.NewTimer(s.feed.opts.Pause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return context.Cause(ctx)
		}
	}
}

func (s *subscription) once(ctx context.Context, b *eventlog.Batch, payload []byte) (acked bool, err error) {
	mctx, cancel := context.WithCancel(ctx)
	defer cancel() // the message's context ends with its Ack or Nack
	m := message.NewMessageWithContext(mctx, strconv.FormatUint(uint64(b.First), 10), payload)
	m.Metadata.Set(MetadataFirst, m.UUID)
	m.Metadata.Set(MetadataLast, strconv.FormatUint(uint64(b.Last()), 10))
	m.Metadata.Set(MetadataEpoch, strconv.FormatUint(b.Epoch, 10))
	select {
	case s.out <- m:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	select {
	case <-m.Acked():
		return true, nil
	case <-m.Nacked():
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// Decode returns the batch in a message of a Feed. Its records' facts alias the payload. The error wraps
// eventlog.ErrCorrupt.
func Decode(m *message.Message) (eventlog.Batch, error) {
	var b eventlog.Batch
	err := new(eventlog.Decoder).Decode(&b, m.Payload)
	return b, err
}
