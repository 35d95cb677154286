package engine

import (
	"slices"

	"github.com/hookline/hookline/eventlog"
)

// bodies keeps rendered bodies from the publish to the start of their first attempts, within a budget; what falls out
// is read from the log. It belongs to the sequencer.
type bodies struct {
	kept  map[eventlog.Seq]*keptBody
	order []eventlog.Seq
	bytes int
}

const bodyBudget = 16 << 20

type keptBody struct {
	*eventBody
	starts int // first attempts to come
}

func (b *bodies) put(seq eventlog.Seq, body *eventBody, starts int) {
	b.kept[seq] = &keptBody{body, starts}
	b.bytes += len(body.body)
	b.order = append(b.order, seq)
	for b.bytes > bodyBudget && len(b.order) > 0 {
		b.drop(b.order[0])
		b.order = b.order[1:]
	}
}

// take is for a first attempt; nil = read the log.
func (b *bodies) take(seq eventlog.Seq) *eventBody {
	k := b.kept[seq]
	if k == nil {
		return nil
	}
	if k.starts--; k.starts == 0 {
		b.drop(seq)
		if len(b.order) > 2*len(b.kept)+1024 {
			b.order = slices.DeleteFunc(b.order, func(s eventlog.Seq) bool { return b.kept[s] == nil })
		}
	}
	return k.eventBody
}

func (b *bodies) drop(seq eventlog.Seq) {
	if k := b.kept[seq]; k != nil {
		b.bytes -= len(k.body)
		delete(b.kept, seq)
	}
}
