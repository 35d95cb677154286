package history

import (
	"context"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// source is an endpoint's rows in a list over several endpoints. at is the next row's place when exact, else a bound:
// nothing comes before it in the walk's direction. Bounds are looked up only when they reach the front, so a page costs
// one seek for each endpoint that may have newer rows, and one for each row.
type source struct {
	endpoint eventlog.Seq
	at       record.Ref
	exact    bool
}

// index finds rows of an endpoint: step returns the first at or after `at`, in the walk's direction.
type index interface {
	step(endpoint eventlog.Seq, at record.Ref) (record.Ref, bool)
}

// merge walks the rows of its sources in one order: a heap with the next row on top.
type merge struct {
	span    span
	index   index
	sources []source
}

// checkEvery is how many rows are walked between two looks at the context.
const checkEvery = 1024

// run calls row for each place in order, until it returns false.
func (m *merge) run(ctx context.Context, row func(endpoint eventlog.Seq, at record.Ref) (more bool, err error)) error {
	if m.span.empty() {
		return nil
	}
	for i := range m.sources {
		s := &m.sources[i]
		if m.span.desc && before(m.span.hi, s.at) {
			s.at = m.span.hi
		}
		if !m.span.desc && before(s.at, m.span.lo) {
			s.at = m.span.lo
		}
	}
	for i := len(m.sources)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	for n := 1; len(m.sources) > 0; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s := &m.sources[0]
		if !s.exact {
			at, ok := m.index.step(s.endpoint, s.at)
			if !ok || m.beyond(at) {
				m.drop()
				continue
			}
			s.at, s.exact = at, true
			m.down(0)
			continue
		}
		more, err := row(s.endpoint, s.at)
		if err != nil || !more {
			return err
		}
		if at, ok := m.following(s.at); ok {
			s.at, s.exact = at, false
			m.down(0)
		} else {
			m.drop()
		}
	}
	return nil
}

// following is the bound after a row.
func (m *merge) following(at record.Ref) (record.Ref, bool) {
	if m.span.desc {
		p := prev(at)
		return p, before(p, at) && !before(p, m.span.lo)
	}
	n := next(at)
	return n, before(at, n) && !before(m.span.hi, n)
}

func (m *merge) beyond(at record.Ref) bool {
	if m.span.desc {
		return before(at, m.span.lo)
	}
	return before(m.span.hi, at)
}

func (m *merge) drop() {
	last := len(m.sources) - 1
	m.sources[0] = m.sources[last]
	m.sources = m.sources[:last]
	m.down(0)
}

// first says whether a comes before b. No two endpoints have rows at the same place, so a bound that equals another
// source's row hides nothing there.
func (m *merge) first(a, b *source) bool {
	if m.span.desc {
		return before(b.at, a.at)
	}
	return before(a.at, b.at)
}

func (m *merge) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(m.sources) {
			return
		}
		if c+1 < len(m.sources) && m.first(&m.sources[c+1], &m.sources[c]) {
			c++
		}
		if !m.first(&m.sources[c], &m.sources[i]) {
			return
		}
		m.sources[i], m.sources[c] = m.sources[c], m.sources[i]
		i = c
	}
}

// sources are a tenant's endpoints, or the one that is asked for if it is the tenant's.
// bounded says that an endpoint's rows begin after its creation and end before its deletion, as deliveries do: then
// deleted endpoints cost nothing as long as the page has newer rows.
func (h *History) sources(tenant string, endpoint eventlog.Seq, desc, bounded bool) ([]source, error) {
	lower := appendTenant(nil, keyEndpoint, tenant)
	upper := append(lower[:len(lower):len(lower)], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	if endpoint != 0 {
		lower = appendSeq(lower[:len(lower):len(lower)], endpoint)
		upper = append(lower[:len(lower):len(lower)], 0)
	}
	it, err := h.store.Iter(lower, upper)
	if err != nil {
		return nil, err
	}
	var all []source
	for ok := it.First(); ok; ok = it.Next() {
		s := source{endpoint: lastSeq(it.Key())}
		if desc {
			s.at = record.Ref{Seq: maxSeq, Ord: maxOrd}
		}
		if bounded && !desc {
			s.at = record.Ref{Seq: s.endpoint}
		}
		if v := it.Value(); bounded && desc && len(v) > 0 {
			f := fields{b: v}
			s.at = record.Ref{Seq: eventlog.Seq(f.u())}
			if err := f.end("endpoint"); err != nil {
				_ = it.Close()
				return nil, err
			}
		}
		all = append(all, s)
	}
	return all, it.Close()
}
