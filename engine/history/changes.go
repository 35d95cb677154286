package history

import (
	"context"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// ChangeQuery selects what people and policies changed. Zero values select everything.
type ChangeQuery struct {
	Tenant       string // "" = of all tenants, and of none
	FromMS, ToMS int64  // record time: from inclusive, to exclusive
	Page
}

// Changes lists the records that changed something, newest first unless Ascending. next is nil at the end.
func (h *History) Changes(ctx context.Context, q ChangeQuery) (seqs []eventlog.Seq, next Position, err error) {
	span, err := h.span(q.Page, positionChanges, q.FromMS, q.ToMS)
	if err != nil || span.empty() {
		return nil, nil, err
	}
	first := span.lo.Seq
	if span.lo.Ord > 0 { // behind a change, which has no ordinals
		first++
	}
	key := func(seq eventlog.Seq) []byte { return appendSeq([]byte{keyChange}, seq) }
	if q.Tenant != "" {
		key = func(seq eventlog.Seq) []byte { return appendTenantSeq(nil, keyTenantChange, q.Tenant, seq) }
	}
	it, err := h.store.Iter(key(first), append(key(span.hi.Seq), 0))
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if cerr := it.Close(); cerr != nil {
			seqs, next, err = nil, nil, cerr
		}
	}()
	w := walk{it: it, desc: span.desc}
	for w.next() {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		f := fields{b: it.Value()}
		ms := f.i()
		if err := f.end("change"); err != nil {
			return nil, nil, err
		}
		if !within(ms, q.FromMS, q.ToMS) {
			continue
		}
		if len(seqs) == span.limit {
			return seqs, newPosition(positionChanges, record.Ref{Seq: seqs[len(seqs)-1]}), nil
		}
		seqs = append(seqs, lastSeq(it.Key()))
	}
	return seqs, nil, nil
}

// change notes a record that changed something, under its tenant and among all.
func (f *fold) change(w *projection.Batch, r *eventlog.Record) {
	f.val = f.val[:0]
	f.val.i(r.Time)
	f.key = appendSeq(append(f.key[:0], keyChange), r.Seq)
	w.Set(f.key, f.val)
	if r.Tenant != "" {
		f.key = appendTenantSeq(f.key[:0], keyTenantChange, r.Tenant, r.Seq)
		w.Set(f.key, f.val)
	}
}
