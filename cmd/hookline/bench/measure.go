package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/hookline/hookline/cmd/hookline/demo/client"
)

const tenant = "bench"

// measure runs one row on a server of its own.
func (b *bench) measure(ctx context.Context, r row, dir string, out *RowResult) (err error) {
	s, err := b.serve(ctx, dir)
	if err != nil {
		return err
	}
	defer func() {
		if s != nil {
			s.kill()
		}
	}()
	if err := s.api.Do(ctx, http.MethodPost, "/v1/tenants", map[string]any{"id": tenant, "profile": "osir", "name": "bench"}, nil); err != nil {
		return err
	}
	m := &measuring{bench: b, row: r, s: s, out: out}
	m.begin()
	switch r.kind {
	case kindPending:
		err = m.pending(ctx)
	case kindAged:
		err = m.aged(ctx)
	case kindReplay:
		err = m.fill(ctx)
	case kindList:
		err = m.list(ctx)
	case kindNeighbour:
		err = m.neighbour(ctx)
	default:
		err = m.plain(ctx)
	}
	if err != nil {
		return err
	}
	if err := m.verify(ctx); err != nil {
		return err
	}
	head, err := s.head(ctx)
	if err != nil {
		return err
	}
	ended := s
	s = nil
	if err := ended.stop(); err != nil {
		return err
	}
	if r.kind == kindReplay {
		if out.Replay, err = b.replay(ctx, dir, head); err != nil {
			return err
		}
	}
	// Whatever still came while the server drained is in the ledger by now.
	m.arrivals()
	return nil
}

func (b *bench) serve(ctx context.Context, dir string) (*server, error) {
	return startServer(ctx, &b.o, dir, b.trust)
}

// measuring is one row under way.
type measuring struct {
	*bench
	row       row
	s         *server
	out       *RowResult
	next      uint64 // number of the next event
	unmatched uint64 // accepted events that no endpoint takes
	cpu       struct{ server, receiver, publisher time.Duration }
	disk      int64
	seqs      publishResult // lowest and highest seq of the row
}

// endpoint creates the endpoint that takes one event type.
func (m *measuring) endpoint(ctx context.Context, url, eventType string, more map[string]any) error {
	in := map[string]any{"url": url, "event_types": []string{eventType}, "secret": secret}
	if m.row.concurrency > 0 {
		in["concurrency"] = m.row.concurrency
	}
	for k, v := range more {
		in[k] = v
	}
	return m.s.api.Do(ctx, http.MethodPost, "/v1/tenants/"+tenant+"/endpoints", in, nil)
}

func (m *measuring) endpoints(ctx context.Context) error {
	urls, err := m.urls(ctx, m.row.addresses, "/hook")
	if err != nil {
		return err
	}
	for i, url := range urls {
		if err := m.endpoint(ctx, url, string(appendType(nil, uint64(i), len(urls), false)), nil); err != nil {
			return err
		}
	}
	return nil
}

// publishing are the arguments that this row's publishes share.
func (m *measuring) publishing() publishArgs {
	a := publishArgs{
		Server: m.s.url, Key: adminKey, Tenant: tenant, Run: m.run, From: m.next,
		Batch: m.row.batch, Types: m.row.addresses, Keyed: m.row.keyed, Size: m.o.Size,
		Unmatched: m.row.kind == kindIngest,
	}
	if m.row.kind != kindIngest {
		a.Window = uint64(m.o.Window)
	}
	return a
}

// publish publishes and waits until everything has arrived.
func (m *measuring) publish(ctx context.Context, a publishArgs) (publishResult, error) {
	var p publishResult
	m.used = ledgerSlots // unknown until the answer is there
	if err := m.publisher.call(ctx, "publish", a, &p); err != nil {
		return p, err
	}
	m.next += p.Accepted
	m.used = m.next
	if m.seqs.Accepted == 0 {
		m.seqs.MinSeq = p.MinSeq
	}
	m.seqs.Accepted += p.Accepted
	m.seqs.MinSeq, m.seqs.MaxSeq = min(m.seqs.MinSeq, p.MinSeq), max(m.seqs.MaxSeq, p.MaxSeq)
	if a.Unmatched && m.row.kind != kindPending { // in the row pending an endpoint takes them, and fails
		m.unmatched += p.Accepted
		return p, nil
	}
	return p, m.received(ctx)
}

func (m *measuring) received(ctx context.Context) error {
	seen, since := uint64(0), time.Now()
	for {
		got := m.ledger.head.received.Load()
		if got >= m.expected() {
			return nil
		}
		if got != seen {
			seen, since = got, time.Now()
		}
		if time.Since(since) > m.o.Stall {
			m.arrivals()
			return fmt.Errorf("bench: nothing arrived for %v: %+v%s", m.o.Stall, m.out.Check, m.s.log.said())
		}
		if !pause(ctx, time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}

// expected is how many receipts the accepted events make.
func (m *measuring) expected() uint64 { return m.next - m.unmatched }

// arrivals compares the ledger with what was accepted.
func (m *measuring) arrivals() {
	t := m.ledger.check(m.next)
	m.out.Check.Accepted = m.next
	m.out.Check.Missing, m.out.Check.Duplicated, m.out.Check.Strays = t.Missing-min(t.Missing, m.unmatched), t.Duplicated, t.Strays
}

// plain is a row of one measured stretch.
func (m *measuring) plain(ctx context.Context) error {
	if m.row.kind != kindIngest {
		if err := m.endpoints(ctx); err != nil {
			return err
		}
	}
	if err := m.warmUp(ctx); err != nil {
		return err
	}
	a := m.publishing()
	a.Duration = m.o.Duration
	if m.row.kind == kindLatency {
		a.Rate = 50
	}
	if err := m.before(); err != nil {
		return err
	}
	p, err := m.publish(ctx, a)
	if err != nil {
		return err
	}
	m.rate(p)
	if m.row.kind == kindLatency {
		m.out.Latency = latency(m.ledger.stamps[a.From:min(m.next, stampSlots)])
	}
	if err := m.settled(ctx); err != nil {
		return err
	}
	if err := m.after(p.Accepted); err != nil {
		return err
	}
	return m.occupied(ctx, p.Accepted)
}

// warmUp opens the connections, as the bare loop has opened its own.
func (m *measuring) warmUp(ctx context.Context) error {
	a := m.publishing()
	a.Count = uint64(max(2*m.row.addresses, 4*Connections))
	_, err := m.publish(ctx, a)
	return err
}

func (m *measuring) rate(p publishResult) {
	m.out.Events = p.Accepted
	took := p.Elapsed
	m.out.PubRate = float64(p.Accepted) / took.Seconds()
	if m.row.kind != kindIngest {
		took = max(took, time.Duration(m.ledger.head.last.Load()-p.First))
	}
	m.out.Seconds = took.Seconds()
	m.out.Rate = float64(p.Accepted) / took.Seconds()
}

// before notes what has been used so far.
func (m *measuring) before() (err error) {
	if m.disk, err = diskUsed(m.s.dir); err != nil {
		return err
	}
	return m.cpuNow(&m.cpu.server, &m.cpu.receiver, &m.cpu.publisher)
}

func (m *measuring) cpuNow(server, receiver, publisher *time.Duration) error {
	var err1, err2, err3 error
	*server, err1 = cpuTime(m.s.pid())
	*receiver, err2 = cpuTime(m.receiver.pid())
	*publisher, err3 = cpuTime(m.publisher.pid())
	return errors.Join(err1, err2, err3)
}

// settled waits until no delivery is pending: the last result is recorded, and the work for it is in the CPU time.
func (m *measuring) settled(ctx context.Context) error {
	if m.row.kind == kindIngest {
		return nil
	}
	for began := time.Now(); ; {
		var p client.Page[json.RawMessage]
		if err := m.s.api.Do(ctx, http.MethodGet, "/v1/tenants/"+tenant+"/deliveries?status=pending&limit=1", nil, &p); err != nil {
			return err
		}
		if len(p.Data) == 0 {
			return nil
		}
		if time.Since(began) > m.o.Stall {
			return fmt.Errorf("bench: everything was received, and %v later a delivery is still pending: %s", m.o.Stall, p.Data[0])
		}
		if !pause(ctx, 10*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}

// after notes CPU and memory of so many events since before.
func (m *measuring) after(events uint64) error {
	var server, receiver, publisher time.Duration
	if err := m.cpuNow(&server, &receiver, &publisher); err != nil {
		return err
	}
	per := func(d time.Duration) float64 { return d.Seconds() / float64(max(events, 1)) * 1000 }
	m.out.CPU = per(server - m.cpu.server)
	m.out.ReceiverCPU = per(receiver - m.cpu.receiver)
	m.out.PublisherCPU = per(publisher - m.cpu.publisher)
	mem, err := memoryOf(m.s.pid())
	m.out.PssMiB, m.out.PeakMiB = mib(mem.Pss), mib(mem.Peak)
	return err
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// occupied measures disk after the idle wait.
func (m *measuring) occupied(ctx context.Context, events uint64) error {
	if m.row.idle && m.o.Idle > 0 {
		m.say("%s: idle for %v before disk is measured", m.row.name, m.o.Idle)
		if !pause(ctx, m.o.Idle) {
			return context.Cause(ctx)
		}
		m.out.IdleSeconds = m.o.Idle.Seconds()
	}
	used, err := diskUsed(m.s.dir)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("bench: the data directory is gone: %w", err)
	}
	m.out.Disk = used
	m.out.DiskPer = float64(used-m.disk) / float64(max(events, 1))
	return err
}
