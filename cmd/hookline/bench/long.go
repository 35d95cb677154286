package bench

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// fill makes a log of Options.Records records, two for each delivered event.
func (m *measuring) fill(ctx context.Context) error {
	p, err := m.deliver(ctx, m.o.Records/2)
	if err != nil {
		return err
	}
	return m.occupied(ctx, p.Accepted)
}

// deliver publishes so many events, measures, and returns once no delivery waits.
func (m *measuring) deliver(ctx context.Context, events int) (p publishResult, err error) {
	if err := m.endpoints(ctx); err != nil {
		return p, err
	}
	if err := m.warmUp(ctx); err != nil {
		return p, err
	}
	if err := m.before(); err != nil {
		return p, err
	}
	a := m.publishing()
	a.Count = uint64(events)
	m.say("%s: delivering %d events", m.row.name, a.Count)
	if p, err = m.publish(ctx, a); err != nil {
		return p, err
	}
	m.rate(p)
	if err := m.settled(ctx); err != nil {
		return p, err
	}
	return p, m.after(p.Accepted)
}

// replay folds the log of a stopped server, and starts on it: as it was left, and with nothing but the log.
func (b *bench) replay(ctx context.Context, dir string, records uint64) (*Replay, error) {
	r := &Replay{Records: records}
	b.say("replay: log rebuild --check over %d records", records)
	began := time.Now()
	out, err := offline(ctx, b.o.Binary, dir, "rebuild", "--check")
	if err != nil {
		return nil, err
	}
	r.CheckSeconds = time.Since(began).Seconds() // state and history, compared with what was there
	pace := regexp.MustCompile(`(?m)^state: .*\((\d+) records/s\)$`).FindSubmatch(out)
	if pace == nil {
		return nil, fmt.Errorf("bench: log rebuild --check does not tell its pace: %.200q", out)
	}
	if r.Rate, err = strconv.ParseFloat(string(pace[1]), 64); err != nil {
		return nil, err
	}
	start := func(seconds *float64) error {
		s, err := b.serve(ctx, dir)
		if err != nil {
			return err
		}
		*seconds = s.Startup.Seconds()
		return s.stop()
	}
	if err := start(&r.StartSeconds); err != nil {
		return nil, err
	}
	if err := dropDerived(ctx, b.o.Binary, dir); err != nil {
		return nil, err
	}
	return r, start(&r.RefoldSeconds)
}

// aged measures the same stretch twice on one server: first on an empty log, then with Options.Aged records in it.
func (m *measuring) aged(ctx context.Context) error {
	if err := m.endpoints(ctx); err != nil {
		return err
	}
	if err := m.warmUp(ctx); err != nil {
		return err
	}
	stretch := func() (float64, error) {
		if err := m.before(); err != nil {
			return 0, err
		}
		a := m.publishing()
		a.Duration = m.o.Duration
		p, err := m.publish(ctx, a)
		if err != nil {
			return 0, err
		}
		m.rate(p)
		if err := m.settled(ctx); err != nil {
			return 0, err
		}
		return m.out.Rate, m.after(p.Accepted)
	}
	var err error
	m.out.Aged = &Aged{}
	if m.out.Aged.New, err = stretch(); err != nil {
		return err
	}
	a := m.publishing()
	a.Unmatched, a.Window, a.Count, a.Size = true, 0, uint64(m.o.Aged), max(256, minSize)
	m.say("%s: filling the log with %d events", m.row.name, a.Count)
	if _, err := m.publish(ctx, a); err != nil {
		return err
	}
	if m.out.Aged.Records, err = m.s.head(ctx); err != nil {
		return err
	}
	if m.out.Aged.Old, err = stretch(); err != nil {
		return err
	}
	m.out.Aged.Ratio = m.out.Aged.Old / m.out.Aged.New
	return nil
}

// pending compares memory before and after Options.Pending deliveries have failed once. Before it, a tenth of that
// many is delivered: buffers and caches that any traffic fills are not the waiting deliveries' memory.
func (m *measuring) pending(ctx context.Context) error {
	if err := m.endpoints(ctx); err != nil {
		return err
	}
	failing, err := m.urls(ctx, 1, failPath)
	if err != nil {
		return err
	}
	waits := map[string]any{"schedule": []string{"24h", "24h"}}
	if err := m.endpoint(ctx, failing[0], string(appendType(nil, 0, 1, true)), waits); err != nil {
		return err
	}
	a := m.publishing()
	a.Count = uint64(m.o.Pending / 10)
	if _, err := m.publish(ctx, a); err != nil {
		return err
	}
	if err := m.settled(ctx); err != nil {
		return err
	}
	before, err := m.quiet(ctx)
	if err != nil {
		return err
	}
	if err := m.before(); err != nil {
		return err
	}
	a = m.publishing()
	a.Count, a.Unmatched, a.Size = uint64(m.o.Pending), true, max(256, minSize)
	m.say("%s: failing %d deliveries once", m.row.name, a.Count)
	p, err := m.publish(ctx, a)
	if err != nil {
		return err
	}
	m.rate(p)
	after, err := m.quiet(ctx)
	if err != nil {
		return err
	}
	if err := m.after(p.Accepted); err != nil {
		return err
	}
	m.out.Pending = &Pending{Deliveries: p.Accepted, BeforeMiB: mib(before), AfterMiB: mib(after), MiB: mib(after - before)}
	return nil
}

// quiet is the memory once the garbage of the traffic is collected: the least within the idle wait.
func (m *measuring) quiet(ctx context.Context) (int64, error) {
	least := int64(0)
	for began := time.Now(); ; {
		mem, err := memoryOf(m.s.pid())
		if err != nil {
			return 0, err
		}
		if least == 0 || mem.Pss < least {
			least = mem.Pss
		}
		if time.Since(began) >= m.o.Idle {
			return least, nil
		}
		if !pause(ctx, 500*time.Millisecond) {
			return 0, context.Cause(ctx)
		}
	}
}
