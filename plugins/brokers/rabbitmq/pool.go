package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookline/hookline/plugins/brokers"
)

// pool is one connection with some channels in confirm mode, made when needed and anew when lost. It is safe for
// concurrent use.
type pool struct {
	dial func() (*amqp.Connection, error)
	next atomic.Uint64
	all  []*publisher

	mu     sync.Mutex // held while connecting
	conn   *amqp.Connection
	closed bool

	known sync.Map // exchanges that were seen to exist
}

func newPool(n int, dial func() (*amqp.Connection, error)) *pool {
	p := &pool{dial: dial, all: make([]*publisher, n)}
	for i := range p.all {
		p.all[i] = &publisher{pool: p}
	}
	return p
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.conn != nil {
		_ = p.conn.Close()
	}
}

// exists asks for an exchange on a channel of its own, once: publishing to one that is missing would close a channel with the
// messages of others on it.
func (p *pool) exists(ctx context.Context, exchange string) error {
	if exchange == "" { // the default one
		return nil
	}
	if _, ok := p.known.Load(exchange); ok {
		return nil
	}
	ch, err := p.channel(ctx)
	if err != nil {
		return err
	}
	// The kind does not matter to a passive declaration.
	if err := ch.ExchangeDeclarePassive(exchange, amqp.ExchangeDirect, true, false, false, false, nil); err != nil {
		return err
	}
	p.known.Store(exchange, struct{}{})
	return ch.Close()
}

// channel opens one, on a connection made anew if need be. Those who come meanwhile wait for the same try.
func (p *pool) channel(ctx context.Context) (*amqp.Channel, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, amqp.ErrClosed
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if p.conn == nil || p.conn.IsClosed() {
		c, err := p.dial()
		if err != nil {
			return nil, err
		}
		p.conn = c
	}
	ch, err := p.conn.Channel()
	if err != nil {
		return nil, err
	}
	if err := ch.Confirm(false); err != nil {
		return nil, errors.Join(err, ch.Close())
	}
	return ch, nil
}

// publish sends the message once and waits for the broker's word.
func (p *pool) publish(ctx context.Context, exchange, key string, m amqp.Publishing) error {
	if err := p.exists(ctx, exchange); err != nil {
		return err
	}
	err := p.all[p.next.Add(1)%uint64(len(p.all))].publish(ctx, exchange, key, m)
	if answer := (*amqp.Error)(nil); errors.As(err, &answer) {
		p.known.Delete(exchange) // it may have been removed
	}
	return err
}

// publisher is a place for a channel. A channel that the broker closes (an exchange that may not be written to) takes the messages
// under way on it with it: those to the exchange that is named were refused, the fate of the others is unknown and nobody's fault.
type publisher struct {
	pool *pool

	mu   sync.Mutex // held while opening and writing
	open *session
}

// session is one channel's life.
type session struct {
	ch   *amqp.Channel
	gone chan struct{} // closed with the channel; then why says the reason

	why error

	asks chan ask
	sent uint64 // under the publisher's lock
}

// ask is the question whether a message came back; it is asked after its confirm, which comes after the return.
type ask struct {
	mark   string
	answer chan string // why, or ""
}

func (p *publisher) publish(ctx context.Context, exchange, key string, m amqp.Publishing) error {
	p.mu.Lock()
	if p.open == nil || p.open.ch.IsClosed() {
		ch, err := p.pool.channel(ctx)
		if err != nil {
			p.mu.Unlock()
			return err
		}
		p.open = newSession(ch)
	}
	s := p.open
	s.sent++
	mark := fmt.Sprint(s.sent)
	m.CorrelationId = mark // comes back with a returned message, before its confirm
	confirm, err := s.ch.PublishWithDeferredConfirmWithContext(ctx, exchange, key, true, false, m)
	p.mu.Unlock()
	if err != nil {
		return s.reason(exchange, err)
	}
	select {
	case <-confirm.Done():
	case <-s.gone:
		return s.reason(exchange, amqp.ErrClosed)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if !confirm.Acked() {
		if s.ch.IsClosed() { // closing nacks what is open
			return s.reason(exchange, amqp.ErrClosed)
		}
		return fmt.Errorf("%w: nack", errNo)
	}
	q := ask{mark, make(chan string, 1)}
	select {
	case s.asks <- q:
	case <-s.gone:
		return s.reason(exchange, amqp.ErrClosed)
	}
	if why := <-q.answer; why != "" {
		return fmt.Errorf("%w: %s", errNo, why)
	}
	return nil
}

func newSession(ch *amqp.Channel) *session {
	s := &session{ch: ch, gone: make(chan struct{}), asks: make(chan ask)}
	returns := ch.NotifyReturn(make(chan amqp.Return)) // unbuffered: taken here before the confirm that follows is read
	closing := ch.NotifyClose(make(chan *amqp.Error, 1))
	go s.watch(returns, closing)
	return s
}

// watch notes returned messages and answers for them until the channel is gone.
func (s *session) watch(returns <-chan amqp.Return, closing <-chan *amqp.Error) {
	defer close(s.gone)
	reasons := map[string]string{} // by mark
	for {
		select {
		case r, ok := <-returns:
			if !ok {
				if err := <-closing; err != nil {
					s.why = err
				}
				return
			}
			reasons[r.CorrelationId] = fmt.Sprintf("%d %s", r.ReplyCode, r.ReplyText)
		case q := <-s.asks:
			q.answer <- reasons[q.mark]
			delete(reasons, q.mark)
		}
	}
}

// reason prefers what the broker said to the fact that the channel is gone.
func (s *session) reason(exchange string, err error) error {
	if !errors.Is(err, amqp.ErrClosed) {
		return err
	}
	<-s.gone
	var answer *amqp.Error
	switch {
	case s.why == nil:
		return err
	case errors.As(s.why, &answer) && answer.Recover && answer.Server && !strings.Contains(answer.Reason, "'"+exchange+"'"):
		return brokers.Ours(fmt.Errorf("rabbitmq: a channel was closed for another message: %w", s.why))
	}
	return s.why
}
