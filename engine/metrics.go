package engine

import (
	"sync/atomic"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/transports"
)

// counters since the start; read by Metrics.
type counters struct {
	published, duplicates               atomic.Int64
	filterFailures                      atomic.Int64
	shadowMatched                       atomic.Int64
	skipped, canceled                   atomic.Int64
	succeeded, exhausted                atomic.Int64
	attempts                            [6]atomic.Int64 // by outcome
	interrupted, brokenOff              atomic.Int64
	bodiesRemoved                       atomic.Int64 // sections that retention removed
	unrecorded                          atomic.Int64 // attempts that finished, their records not durable yet
	inFlight                            atomic.Int64
	batches, records, bytes             atomic.Int64
	appendNanos                         atomic.Int64
	pending, endpoints, tenants, parked atomic.Int64
}

func (c *counters) attempt(o transports.Outcome) { c.attempts[o].Add(1) }

func (c *counters) ended(s record.Status) {
	switch s {
	case record.Succeeded:
		c.succeeded.Add(1)
	case record.Exhausted:
		c.exhausted.Add(1)
	}
}

// Metrics are counters since the start, and gauges.
type Metrics struct {
	Published, Duplicates int64
	FilterFailures        int64            // filters that could not be evaluated on an event
	BodiesRemoved         int64            // of events and attempts, by retention
	ShadowMatched         int64            // matches of subscriptions in shadow mode
	Attempts              map[string]int64 // by outcome
	Deliveries            map[string]int64 // by final status
	Interrupted           int64
	InFlight, Pending     int64
	Tenants, Endpoints    int64
	Parked                int64
	HeadSeq               uint64
	Views                 map[string]uint64
	Batches               int64
	Records               int64
	Bytes                 int64
	AppendSeconds         float64 // all batches together, from hand-over to durable
	DiskLow               bool
	LogUnavailable        bool // the outcome of an append is unknown
	Held                  bool // nothing is sent until a release
	ClockAheadMS          int64
}

// Metrics reads all counters; it does not touch the sequencer.
func (e *Engine) Metrics() Metrics {
	c := &e.count
	m := Metrics{Published: c.published.Load(), Duplicates: c.duplicates.Load(), FilterFailures: c.filterFailures.Load(), ShadowMatched: c.shadowMatched.Load(),
		BodiesRemoved: c.bodiesRemoved.Load(), Attempts: map[string]int64{},
		Interrupted: c.interrupted.Load(), InFlight: c.inFlight.Load(), Pending: c.pending.Load(), Tenants: c.tenants.Load(),
		Endpoints: c.endpoints.Load(), Parked: c.parked.Load(), HeadSeq: uint64(e.durable.Load().seq), Views: e.viewSeqs(),
		Batches: c.batches.Load(), Records: c.records.Load(), Bytes: c.bytes.Load(), DiskLow: e.low.Load(), LogUnavailable: e.outage.lasting(),
		Held:         e.held.Load(),
		ClockAheadMS: e.clock.Ahead(), AppendSeconds: float64(c.appendNanos.Load()) / 1e9}
	for o := transports.Acknowledged; o <= transports.Gone; o++ {
		m.Attempts[o.String()] = c.attempts[o].Load()
	}
	m.Deliveries = map[string]int64{
		record.Succeeded.String(): c.succeeded.Load(), record.Exhausted.String(): c.exhausted.Load(),
		record.Skipped.String(): c.skipped.Load(), record.Canceled.String(): c.canceled.Load(),
	}
	return m
}
