package history

import (
	"context"
	"errors"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// rowWalk yields the rows of one list between two seqs, ends included, in a direction.
type rowWalk struct {
	ctx    context.Context
	it     *projection.Iter
	prefix []byte // of the list's keys, before the seq
	lo, hi eventlog.Seq
	desc   bool

	begun bool
	part  partReader
	at    int // of the next row, in part.rows
	n     int
	bad   error
}

// checkEvery is how many rows are walked between two looks at the context.
const checkEvery = 1024

// list bounds the keys of a list, which its scope, endpoint or tenant, is the prefix of.
func listBounds(l scopes, tenant string, endpoint eventlog.Seq) (prefix, lower, upper []byte) {
	if endpoint != 0 {
		prefix = appendSeq([]byte{l.endpoint}, endpoint)
	} else {
		prefix = appendTenant(nil, l.tenant, tenant)
	}
	n := len(prefix)
	return prefix, appendSeq(prefix[:n:n], 0), append(appendSeq(prefix[:n:n], maxSeq), 0)
}

// rows walks a list of an endpoint, or of a tenant when endpoint is 0, in the state of the store that `like` sees, or in
// the present when that is nil.
func (h *History) rows(ctx context.Context, like *projection.Iter, l scopes, tenant string, endpoint eventlog.Seq, lo, hi eventlog.Seq, desc bool) (*rowWalk, error) {
	prefix, lower, upper := listBounds(l, tenant, endpoint)
	var it *projection.Iter
	var err error
	if like != nil {
		it, err = like.Clone(lower, upper)
	} else {
		it, err = h.store.Iter(lower, upper)
	}
	if err != nil {
		return nil, err
	}
	return &rowWalk{ctx: ctx, it: it, prefix: prefix, lo: lo, hi: hi, desc: desc}, nil
}

// next returns the next row, valid until the call after; nil at the end and on a fault, which close tells.
func (w *rowWalk) next() *row {
	for w.bad == nil {
		for w.at >= 0 && w.at < len(w.part.rows) {
			r := &w.part.rows[w.at]
			if w.desc {
				w.at--
			} else {
				w.at++
			}
			if w.n++; w.n%checkEvery == 0 && w.ctx.Err() != nil {
				w.bad = context.Cause(w.ctx)
				return nil
			}
			if r.seq >= w.lo && r.seq <= w.hi {
				return r
			}
		}
		if w.lo > w.hi || !w.move() {
			return nil
		}
		key := w.it.Key()
		if first := lastSeq(key); w.begun && (first > w.hi || w.desc && len(w.part.rows) > 0 && w.part.rows[0].seq <= w.lo) {
			return nil
		}
		if w.bad = w.part.read(key, w.it.Value()); w.desc {
			w.at = len(w.part.rows) - 1
		} else {
			w.at = 0
		}
	}
	return nil
}

// move goes to the next part: at first to the one that the walk begins in.
func (w *rowWalk) move() bool {
	switch {
	case w.begun && w.desc:
		return w.it.Prev()
	case w.begun:
		return w.it.Next()
	}
	w.begun = true
	n := len(w.prefix)
	if w.desc {
		return w.it.SeekLT(append(appendSeq(w.prefix[:n:n], w.hi), 0))
	}
	// The part that has lo in it begins at or before it.
	return w.it.SeekLT(append(appendSeq(w.prefix[:n:n], w.lo), 0)) || w.it.First()
}

func (w *rowWalk) close() error { return errors.Join(w.it.Close(), w.bad) }

// tenantRow returns a tenant's row at a seq, nil when there is none.
func (h *History) tenantRow(tenant string, seq eventlog.Seq) (*row, error) {
	w, err := h.rows(context.Background(), nil, allRows(), tenant, 0, seq, seq, true)
	if err != nil {
		return nil, err
	}
	r := w.next()
	return r, w.close()
}
