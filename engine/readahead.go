package engine

import (
	"context"
	"sync"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// readAhead brings bodies from the log. A backlog is worked off in the order it was published, so that one read of a
// run of records serves the attempts that come next; a lone retry costs one point read. Safe for concurrent use.
type readAhead struct {
	e *Engine

	mu    sync.Mutex
	kept  map[eventlog.Seq]*eventBody
	order []eventlog.Seq
	bytes int
	last  eventlog.Seq // of the miss before
}

const (
	readAheadNear   = 4096    // records between two misses that count as a run, and that a read passes at most
	readAheadEvents = 64      // events a read brings at most
	readAheadBytes  = 1 << 20 // of bodies a read brings at most
	readAheadBudget = 8 << 20 // of what kept bodies cost
)

func newReadAhead(e *Engine) *readAhead {
	return &readAhead{e: e, kept: map[eventlog.Seq]*eventBody{}}
}

func (r *readAhead) load(seq eventlog.Seq) (*eventBody, error) {
	r.mu.Lock()
	if b := r.kept[seq]; b != nil {
		r.mu.Unlock()
		return b, nil
	}
	near := seq > r.last && seq-r.last < readAheadNear
	r.last = seq
	if !near {
		r.mu.Unlock()
		return r.e.loadBody(seq)
	}
	defer r.mu.Unlock()
	return r.run(seq)
}

// run reads the events from seq on.
func (r *readAhead) run(seq eventlog.Seq) (*eventBody, error) {
	var first *eventBody
	n, size := 0, 0
	for rec, err := range r.e.cfg.Log.Read(context.Background(), seq-1) {
		if err != nil && first == nil {
			return nil, err
		}
		if err != nil {
			break // what was read is good; the attempt that needs the rest meets the error itself
		}
		if rec.Seq-seq >= readAheadNear {
			r.last = rec.Seq
			break
		}
		if rec.Type != record.TypeEventPublished {
			continue
		}
		b, err := r.e.openBody(&rec)
		if rec.Seq == seq {
			if first = b; err != nil {
				return nil, err
			}
		}
		if err == nil {
			r.keep(rec.Seq, b)
			size += len(b.body)
		}
		if n++; n >= readAheadEvents || size >= readAheadBytes {
			r.last = rec.Seq
			break
		}
	}
	if first == nil {
		return nil, eventlog.ErrNotFound
	}
	return first, nil
}

func (r *readAhead) keep(seq eventlog.Seq, b *eventBody) {
	if r.kept[seq] != nil {
		return
	}
	r.kept[seq] = b
	r.order = append(r.order, seq)
	r.bytes += b.cost()
	for r.bytes > readAheadBudget && len(r.order) > 1 {
		old := r.order[0]
		r.order = r.order[1:]
		r.bytes -= r.kept[old].cost()
		delete(r.kept, old)
	}
}
