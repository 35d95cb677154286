package bench

import (
	"context"
	"time"
)

// hangPath is never answered: the receiver reads the request and waits until the sender gives up.
const hangPath = "/hang"

const (
	neighbourRate   = 1000            // events/s, each for one healthy endpoint and, in the second stretch, for one that hangs
	hangTimeout     = "5s"            // of the hanging endpoints
	neighbourSettle = 7 * time.Second // until the hanging ones have timed out once
)

// neighbour compares the latency of healthy endpoints without and beside as many that hang.
func (m *measuring) neighbour(ctx context.Context) error {
	if err := m.endpoints(ctx); err != nil {
		return err
	}
	if err := m.warmUp(ctx); err != nil {
		return err
	}
	stretch := func(d time.Duration) (*Latency, error) {
		a := m.publishing()
		a.Rate, a.Duration, a.Window = neighbourRate, d, 0
		p, err := m.publish(ctx, a)
		if err != nil {
			return nil, err
		}
		m.rate(p)
		return latency(m.ledger.stamps[a.From:min(m.next, stampSlots)]), nil
	}
	alone, err := stretch(m.o.Duration)
	if err != nil {
		return err
	}
	hanging, err := m.urls(ctx, m.row.addresses, hangPath)
	if err != nil {
		return err
	}
	for i, url := range hanging {
		more := map[string]any{"timeout": hangTimeout}
		if err := m.endpoint(ctx, url, string(appendType(nil, uint64(i), len(hanging), false)), more); err != nil {
			return err
		}
	}
	settle := neighbourSettle
	if m.o.Short {
		settle = time.Second
	}
	if _, err := stretch(settle); err != nil {
		return err
	}
	if err := m.before(); err != nil {
		return err
	}
	beside, err := stretch(m.o.Duration)
	if err != nil {
		return err
	}
	if err := m.after(m.out.Events); err != nil {
		return err
	}
	m.out.Neighbour = &Neighbour{Hanging: len(hanging), Alone: alone, Beside: beside}
	if alone != nil && beside != nil {
		m.out.Neighbour.Ratio = beside.P99 / alone.P99
	}
	return nil
}
