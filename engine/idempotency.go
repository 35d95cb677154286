package engine

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Idempotency is exact and bounded: the view of the keys answers for records up to its checkpoint, memory for those after
// it. A publisher asks the view before it queues and brings the answer with the checkpoint it is good for; the sequencer
// looks into memory only.

// DedupeWindow is how long a publish counts as the same again, by record time.
const DedupeWindow = 24 * time.Hour

// maxDedupe is how many entries memory holds before publishes wait for the view.
const maxDedupe = 500_000

type dedupeEntry struct {
	seq         eventlog.Seq
	time        int64
	fingerprint [16]byte
}

// dedupe is the sequencer's memory of the records that the view may not have yet.
type dedupe struct {
	entries map[[16]byte]dedupeEntry
	order   []dedupeKey  // by seq
	evicted eventlog.Seq // everything up to here is the view's to answer
	size    atomic.Int64
}

type dedupeKey struct {
	seq  eventlog.Seq
	hash [16]byte
}

// prefetch is the view's answer: good for records up to seq `upTo`.
type prefetch struct {
	upTo  eventlog.Seq
	found bool
	entry dedupeEntry
}

func newDedupe() *dedupe { return &dedupe{entries: map[[16]byte]dedupeEntry{}} }

func (d *dedupe) add(hash [16]byte, e dedupeEntry) {
	d.entries[hash] = e
	d.order = append(d.order, dedupeKey{e.seq, hash})
	d.size.Store(int64(len(d.order)))
}

// check decides on a publication with a dedupe hash.
func (d *dedupe) check(p *publication, now int64) pubState {
	e, ok := d.entries[p.event.Dedupe]
	if !ok {
		if p.seen.upTo < d.evicted {
			return pubPrefetch
		}
		e, ok = p.seen.entry, p.seen.found
	}
	if !ok || now-e.time >= DedupeWindow.Milliseconds() {
		return pubWaiting
	}
	p.first = e.seq
	if e.fingerprint != p.event.Fingerprint {
		return pubConflict
	}
	return pubDuplicate
}

// evict forgets what the view has had for a while. It stays one step behind the view, so that answers fetched just
// before it moves are still good.
func (d *dedupe) evict(upTo eventlog.Seq) {
	n := 0
	for n < len(d.order) && d.order[n].seq <= upTo {
		k := d.order[n]
		if e := d.entries[k.hash]; e.seq == k.seq {
			delete(d.entries, k.hash)
		}
		n++
	}
	d.order = d.order[n:]
	if len(d.order) == 0 {
		d.order = nil
	}
	d.evicted = max(d.evicted, upTo)
	d.size.Store(int64(len(d.order)))
}

func (e *Engine) prefetch(p *publication) error {
	if !p.event.HasDedupe {
		return nil
	}
	d, err := e.cfg.Keys.Dedupe(p.v.id, p.event.Dedupe, e.clock.Now())
	if err != nil {
		return err
	}
	p.seen = prefetch{upTo: d.Checkpoint, found: d.Found,
		entry: dedupeEntry{seq: d.Seq, time: d.TimeMS, fingerprint: d.Fingerprint}}
	return nil
}

// dedupeRoom slows publishers down while memory is full: first it lets go of all that the view has, then it waits for
// the view.
func (e *Engine) dedupeRoom(ctx context.Context) error {
	for e.sequencer.dedupe.size.Load() >= maxDedupe {
		var evicted eventlog.Seq
		err := e.do(ctx, func(s *sequencer) error {
			evictCommand{}.run(s)
			evicted = s.dedupe.evicted
			return nil
		})
		if err != nil {
			return err
		}
		if evicted < e.cfg.KeysFollower.Seq() || e.sequencer.dedupe.size.Load() < maxDedupe {
			continue
		}
		wait, cancel := context.WithTimeout(ctx, 2*time.Second)
		err = e.cfg.KeysFollower.WaitFor(wait, evicted+1)
		cancel()
		if err != nil {
			return &Error{Code: CodeUnavailable, Detail: "the idempotency view is too far behind; try again"}
		}
	}
	return nil
}

// evictCommand lets the sequencer forget what the view had at the last one.
type evictCommand struct{}

func (evictCommand) run(s *sequencer) {
	s.dedupe.evict(s.e.evictable)
	s.e.evictable = s.e.cfg.KeysFollower.Seq()
}

// load fills memory with the records that the view does not have.
func (d *dedupe) load(ctx context.Context, log eventlog.Log, after eventlog.Seq, now int64) error {
	d.evicted = after
	var ev record.EventPublished
	for b, err := range log.ReadBatches(ctx, after) {
		if err != nil {
			return err
		}
		for i := range b.Records {
			r := &b.Records[i]
			if r.Seq <= after || r.Type != record.TypeEventPublished || now-r.Time >= DedupeWindow.Milliseconds() {
				continue
			}
			if err := ev.Decode(r.Facts); err != nil {
				return err
			}
			if ev.HasDedupe {
				d.add(ev.Dedupe, dedupeEntry{seq: r.Seq, time: r.Time, fingerprint: ev.Fingerprint})
			}
		}
	}
	return nil
}
