package ingest

import (
	"context"
	"errors"

	"github.com/ThreeDotsLabs/watermill/message"
)

// ErrNacked ended a subscription: order forbids going on without the message. It comes again with the next Subscribe.
var ErrNacked = errors.New("ingest: a message was refused by its taker")

// Subscription runs a Subscriber's reading and settling. T is what acknowledges a message at the broker, e.g. an offset.
type Subscription[T any] struct {
	// Window is how many messages may be without an Ack, 1 or more.
	Window int
	// Read gives messages, in order, until ctx ends or the connection fails; give blocks while the window is full.
	Read func(ctx context.Context, give func(*message.Message, T) error) error
	// Settle tells the broker of messages that were acknowledged, oldest first, at most maxSettle; an error ends all.
	Settle func(ctx context.Context, tokens []T) error
	// Ended is called last, with the reason.
	Ended func(error)
}

const maxSettle = 1000

type given[T any] struct {
	m     *message.Message
	token T
}

// Start returns the channel of messages; it is closed when the subscription has ended.
func (s Subscription[T]) Start(ctx context.Context) <-chan *message.Message {
	ctx, cancel := context.WithCancelCause(ctx)
	out := make(chan *message.Message)
	pending := make(chan given[T], s.Window)
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		cancel(s.settle(ctx, pending))
	}()
	go func() {
		err := s.Read(ctx, func(m *message.Message, token T) error {
			m.SetContext(ctx)
			select {
			case pending <- given[T]{m, token}:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			select {
			case out <- m:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		cancel(err)
		<-settled
		close(out)
		s.Ended(context.Cause(ctx))
	}()
	return out
}

// settle waits for acknowledgements in order and passes on what is there.
func (s Subscription[T]) settle(ctx context.Context, pending <-chan given[T]) error {
	var held *given[T]
	tokens := make([]T, 0, maxSettle)
	for {
		next := held
		if held = nil; next == nil {
			select {
			case g := <-pending:
				next = &g
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		select {
		case <-next.m.Acked():
		case <-next.m.Nacked():
			return ErrNacked
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		tokens = append(tokens[:0], next.token)
		for held == nil && len(tokens) < maxSettle {
			select {
			case g := <-pending:
				select {
				case <-g.m.Acked():
					tokens = append(tokens, g.token)
				default:
					held = &g
				}
				continue
			default:
			}
			break
		}
		if err := s.Settle(ctx, tokens); err != nil {
			return err
		}
	}
}
