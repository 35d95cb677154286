package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Pump carries one source's messages.
type Pump struct {
	Source     Source
	Subscriber message.Subscriber // the message's UUID is its name at the broker, its metadata the headers, names lower-case
	Client     *Client
	Park       *Park
	Logger     *slog.Logger

	accepted, duplicates, parked, waits atomic.Int64
}

// Stats counts since the start.
type Stats struct {
	Accepted   int64 // events that hookline took, duplicates included
	Duplicates int64 // of these
	Parked     int64
	Waits      int64 // times that a batch had to wait because hookline did not take it
}

// Stats may be called at any time.
func (p *Pump) Stats() Stats {
	return Stats{p.accepted.Load(), p.duplicates.Load(), p.parked.Load(), p.waits.Load()}
}

const (
	maxBatch      = 1000    // events in a batch, hookline's own bound
	maxBatchBytes = 4 << 20 // of items, half of hookline's bound
	firstWait     = 100 * time.Millisecond
	lastWait      = 10 * time.Second
)

// backoff are the waits between tries: doubling, then steady.
type backoff struct{ next time.Duration }

// wait returns the cause of ctx, or nil once it has waited.
func (b *backoff) wait(ctx context.Context, atLeast time.Duration) error {
	b.next = min(max(2*b.next, firstWait), lastWait)
	t := time.NewTimer(max(b.next, atLeast))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Run carries messages until ctx ends, and returns its cause. A subscription that ends is made anew.
func (p *Pump) Run(ctx context.Context) error {
	var b backoff
	for {
		began := time.Now()
		messages, err := p.Subscriber.Subscribe(ctx, p.Source.Topic)
		if err == nil {
			err = p.carry(ctx, messages)
			if err == nil {
				err = errors.New("the subscription ended")
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		p.Logger.Warn("reading from the broker is interrupted", "topic", p.Source.Topic, "error", err)
		if time.Since(began) > time.Minute {
			b = backoff{}
		}
		if err := b.wait(ctx, 0); err != nil {
			return err
		}
	}
}

// batch is what is sent at once; items[i] is of messages[i], nil for one that is poison by reasons[i].
type batch struct {
	messages []*message.Message
	items    [][]byte
	reasons  []string
	bytes    int
}

func (b *batch) add(s *Source, m *message.Message) {
	item, err := s.appendItem(make([]byte, 0, len(m.Payload)+160), m)
	b.messages = append(b.messages, m)
	if err != nil {
		b.items, b.reasons = append(b.items, nil), append(b.reasons, err.Error())
		return
	}
	b.items, b.reasons = append(b.items, item), append(b.reasons, "")
	b.bytes += len(item) + 1
}

// carry sends messages until the channel is closed or ctx ends. While a batch is on its way the next one is gathered.
func (p *Pump) carry(ctx context.Context, messages <-chan *message.Message) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ready := make(chan *batch)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer close(ready)
		p.gather(ctx, messages, ready)
	}()
	var err error
	for b := range ready {
		if err = p.send(ctx, b); err != nil {
			cancel(err)
			break
		}
	}
	<-gone
	return err
}

func (p *Pump) gather(ctx context.Context, messages <-chan *message.Message, ready chan<- *batch) {
	b := &batch{}
	for {
		in, out := messages, ready
		if len(b.messages) == maxBatch || b.bytes >= maxBatchBytes-maxEvent {
			in = nil
		}
		if len(b.messages) == 0 {
			out = nil
		}
		select {
		case m, ok := <-in:
			if !ok {
				if len(b.messages) > 0 {
					select {
					case ready <- b:
					case <-ctx.Done():
					}
				}
				return
			}
			b.add(&p.Source, m)
		case out <- b:
			b = &batch{}
		case <-ctx.Done():
			return
		}
	}
}

// send brings a batch to hookline, however long that takes, and acknowledges its messages in order.
func (p *Pump) send(ctx context.Context, b *batch) error {
	live := make([]int, 0, len(b.items))
	for i := range b.items {
		if b.items[i] != nil {
			live = append(live, i)
		}
	}
	if err := p.deliver(ctx, b, live); err != nil {
		return err
	}
	for i, m := range b.messages {
		if b.reasons[i] != "" {
			if err := p.park(ctx, m, b.reasons[i]); err != nil {
				return err
			}
		}
		m.Ack()
	}
	return nil
}

// deliver returns once each of the items is accepted or has a reason to be parked.
func (p *Pump) deliver(ctx context.Context, b *batch, live []int) error {
	var wait backoff
	for len(live) > 0 {
		items := make([][]byte, len(live))
		for i, at := range live {
			items[i] = b.items[at]
		}
		answers, err := p.Client.post(ctx, p.Source.Tenant, items)
		var no *refused
		switch {
		case err == nil:
			live, err = p.sort(b, live, answers)
		case errors.As(err, &no) && no.poison():
			if len(live) == 1 {
				b.reasons[live[0]] = "hookline: " + no.String()
				return nil
			}
			half := len(live) / 2 // one of them is at fault: find it
			if err := p.deliver(ctx, b, live[:half]); err != nil {
				return err
			}
			live = live[half:]
			continue
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		p.waits.Add(1)
		p.Logger.Warn("hookline does not take events; nothing is acknowledged meanwhile", "tenant", p.Source.Tenant, "events", len(live), "error", err)
		var after time.Duration
		if no != nil {
			after = no.after
		}
		if err := wait.wait(ctx, after); err != nil {
			return err
		}
	}
	return nil
}

// sort counts what was accepted, notes what was refused for itself, and returns what has to be sent again, with the reason.
func (p *Pump) sort(b *batch, live []int, answers []answer) (again []int, err error) {
	for i := range answers {
		a := &answers[i]
		switch {
		case a.Status == 0:
			p.accepted.Add(1)
			if a.Duplicate {
				p.duplicates.Add(1)
			}
		case a.poison():
			b.reasons[live[i]] = "hookline: " + a.String()
		default:
			again, err = append(again, live[i]), fmt.Errorf("an event: %s", a)
		}
	}
	return again, err
}

// park returns once the message is in the file.
func (p *Pump) park(ctx context.Context, m *message.Message, reason string) error {
	var wait backoff
	for {
		err := p.Park.put(p.Source.Topic, m, reason, time.Now())
		if err == nil {
			p.parked.Add(1)
			p.Logger.Warn("message parked", "topic", p.Source.Topic, "message_id", m.UUID, "reason", reason)
			return nil
		}
		p.Logger.Error("parking a message failed; it is not acknowledged", "file", p.Source.Park, "error", err)
		if err := wait.wait(ctx, 0); err != nil {
			return err
		}
	}
}
