package engine

import (
	"sync"
	"sync/atomic"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// shadows are the counts of subscriptions in shadow mode, by their seqs: in memory, since nothing follows from them. Safe
// for concurrent use.
type shadows struct{ kept sync.Map } // eventlog.Seq -> *shadowCounts

// shadowCounts are one version's.
type shadowCounts struct {
	private         eventlog.Hash // of the version's sealed section
	since           int64         // Unix ms of engine time
	matched, failed atomic.Int64
}

// of returns the counts of a version, beginning them where there are none.
func (s *shadows) of(seq eventlog.Seq, private eventlog.Hash, now int64) *shadowCounts {
	fresh := &shadowCounts{private: private, since: now}
	for {
		x, ok := s.kept.LoadOrStore(seq, fresh)
		if !ok {
			return fresh
		}
		if c := x.(*shadowCounts); c.private == private {
			return c
		}
		if s.kept.CompareAndSwap(seq, x, fresh) {
			return fresh
		}
	}
}

func (c *shadowCounts) shown() *ShadowCounts {
	return &ShadowCounts{Since: Time(c.since), Matched: c.matched.Load(), Failed: c.failed.Load()}
}

// noteShadows lets go of counts whose subscription a record is about to change or end.
func (s *sequencer) noteShadows(r *eventlog.Record) {
	switch r.Type {
	case record.TypeSubscriptionUpdated, record.TypeSubscriptionDeleted:
		var f record.Subscription
		if f.Decode(r.Facts) == nil {
			s.e.shadows.kept.Delete(f.Subscription)
		}
	case record.TypeEndpointDeleted:
		var f record.EndpointChange
		if f.Decode(r.Facts) != nil {
			return
		}
		if ep, ok := s.st.Endpoint(r.Tenant, f.Endpoint); ok {
			for _, p := range ep.Subscriptions {
				s.e.shadows.kept.Delete(p.Seq)
			}
		}
	case record.TypeTenantDeleted:
		if t, ok := s.st.Tenant(r.Tenant); ok {
			for _, p := range t.Subscriptions {
				s.e.shadows.kept.Delete(p.Seq)
			}
		}
	}
}

// countShadows counts what subscriptions in shadow mode made of an event that is stored.
func (e *Engine) countShadows(r *routing) {
	for _, c := range r.shadowMatched {
		c.matched.Add(1)
	}
	for _, c := range r.shadowFailed {
		c.failed.Add(1)
	}
	if n := len(r.shadowMatched); n > 0 {
		e.count.shadowMatched.Add(int64(n))
	}
}
