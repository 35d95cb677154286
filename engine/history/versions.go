package history

import (
	"context"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// VersionQuery selects the versions of a subscription. That it is the asking tenant's is for the caller to see.
type VersionQuery struct {
	Subscription eventlog.Seq // required
	Page
}

// Versions lists the records that made a subscription what it was, newest first unless Ascending. next is nil at the end.
func (h *History) Versions(ctx context.Context, q VersionQuery) (seqs []eventlog.Seq, next Position, err error) {
	span, err := h.span(q.Page, positionVersions, 0, 0)
	if err != nil || span.empty() {
		return nil, nil, err
	}
	first := span.lo.Seq
	if span.lo.Ord > 0 { // behind a version, which has no ordinals
		first++
	}
	it, err := h.store.Iter(appendEndpointSeq(nil, keySubscription, q.Subscription, first), append(appendEndpointSeq(nil, keySubscription, q.Subscription, span.hi.Seq), 0))
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if cerr := it.Close(); cerr != nil {
			seqs, next, err = nil, nil, cerr
		}
	}()
	for w := (walk{it: it, desc: span.desc}); w.next(); {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if len(seqs) == span.limit {
			return seqs, newPosition(positionVersions, record.Ref{Seq: seqs[len(seqs)-1]}), nil
		}
		seqs = append(seqs, lastSeq(it.Key()))
	}
	return seqs, nil, nil
}

// subscriptionSet notes a version of a subscription.
func (f *fold) subscriptionSet(w *projection.Batch, r *eventlog.Record) error {
	if err := f.subscribed.Decode(r.Facts); err != nil {
		return err
	}
	of := f.subscribed.Subscription
	if r.Type == record.TypeSubscriptionCreated {
		of = r.Seq
	}
	f.key = appendEndpointSeq(f.key[:0], keySubscription, of, r.Seq)
	w.Set(f.key, nil)
	return nil
}
