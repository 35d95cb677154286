package engine

import (
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// bodies keeps rendered bodies from the publish to the start of their first attempts, within a budget. When it is full,
// what has waited for long (behind a slow endpoint) goes; else the newest is not kept, since the oldest are wanted next.
// What is not here is read from the log. It belongs to the sequencer.
type bodies struct {
	kept  map[eventlog.Seq]keptBody
	order []eventlog.Seq // by seq; some are gone from kept
	bytes int
}

const (
	bodyBudget   = 32 << 20
	bodyOverhead = 256   // what one costs beside its bytes, about: a million bodies of one byte are not a megabyte
	bodyStale    = 5_000 // ms of engine time
)

type keptBody struct {
	*eventBody
	starts int   // first attempts to come
	at     int64 // engine time of the publish
}

func (k *eventBody) cost() int { return len(k.body) + bodyOverhead }

func (b *bodies) put(seq eventlog.Seq, body *eventBody, starts int, now int64) {
	for b.bytes+body.cost() > bodyBudget {
		if !b.dropOldest(now) {
			return
		}
	}
	b.kept[seq] = keptBody{body, starts, now}
	b.bytes += body.cost()
	if len(b.order) > 2*len(b.kept)+1024 {
		b.compact()
	}
	b.order = append(b.order, seq)
}

// end is for a delivery that ends in any other way.
func (b *bodies) end(d *state.Delivery) {
	if d.Made == 0 && !d.Flying() {
		b.take(d.Event)
	}
}

// take is for a first attempt; nil = read the log.
func (b *bodies) take(seq eventlog.Seq) *eventBody {
	k, ok := b.kept[seq]
	if !ok {
		return nil
	}
	if k.starts--; k.starts > 0 {
		b.kept[seq] = k
	} else {
		b.drop(seq, k)
	}
	return k.eventBody
}

func (b *bodies) drop(seq eventlog.Seq, k keptBody) {
	b.bytes -= k.cost()
	delete(b.kept, seq)
}

// dropOldest drops the oldest one if it is stale.
func (b *bodies) dropOldest(now int64) bool {
	for len(b.order) > 0 {
		seq := b.order[0]
		k, ok := b.kept[seq]
		if ok && now-k.at < bodyStale {
			return false
		}
		b.order = b.order[1:]
		if ok {
			b.drop(seq, k)
			return true
		}
	}
	return false
}

func (b *bodies) compact() {
	n := 0
	for _, seq := range b.order {
		if _, ok := b.kept[seq]; ok {
			b.order[n] = seq
			n++
		}
	}
	b.order = b.order[:n]
}
