package history

import (
	"strings"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Most deliveries end within milliseconds: writing each one's waiting down and deleting it again would cost four more
// writes an event. So a delivery is noted under w and u only when it still waits windowRecords records after its
// creation. The younger ones are looked for among all: a list of pending deliveries walks at most that many records.
//
// Both bounds are counted in records, never in time or batches: the keys depend on the log alone.
//
// A burst that is delivered within the window costs no more than one that is delivered at once.
const windowRecords = 1 << 16

// windowMatches bounds memory: deliveries of an event with more of them are noted at once.
const windowMatches = 64

// window remembers the deliveries created by the newest records that still wait.
type window struct {
	slots   []slot
	matches int // windowMatches
	names   names
	last    eventlog.Seq // the newest record
	oldest  eventlog.Seq // nothing before it waits in the window
}

// names are copies of tenants' ids, each once: a record's is valid during Apply only.
type names map[string]string

const maxNames = 1 << 16

func (n *names) of(name string) string {
	if kept, ok := (*n)[name]; ok {
		return kept
	}
	if *n == nil || len(*n) >= maxNames {
		*n = names{}
	}
	kept := strings.Clone(name)
	(*n)[kept] = kept
	return kept
}

// slot is one record's deliveries: the endpoint by ordinal, zero once it has ended.
type slot struct {
	seq       eventlog.Seq
	tenant    string
	waiting   int
	endpoints []eventlog.Seq
}

func (w *window) size() eventlog.Seq { return eventlog.Seq(len(w.slots)) }

func (w *window) at(seq eventlog.Seq) *slot { return &w.slots[seq%w.size()] }

// leave returns the slot whose record leaves the window as `now` is applied; nil when nothing of it waits.
func (w *window) leave(now eventlog.Seq) *slot {
	if now <= w.size() {
		return nil
	}
	if s := w.at(now); s.seq == now-w.size() && s.waiting > 0 {
		return s
	}
	return nil
}

// open takes the slot of the record `now`.
func (w *window) open(now eventlog.Seq, tenant string) *slot {
	s := w.at(now)
	s.seq, s.waiting, s.endpoints = now, 0, s.endpoints[:0]
	s.tenant = w.names.of(tenant)
	return s
}

func (s *slot) add(endpoint eventlog.Seq) {
	s.endpoints = append(s.endpoints, endpoint)
	s.waiting++
}

// ended notes a delivery's end. It says false when the delivery is not in the window: then it has a w key.
func (w *window) ended(ref record.Ref, now eventlog.Seq) bool {
	if ref.Seq+w.size() <= now {
		return false
	}
	s := w.at(ref.Seq)
	if s.seq != ref.Seq || int(ref.Ord) >= len(s.endpoints) {
		return false
	}
	if s.endpoints[ref.Ord] != 0 {
		s.endpoints[ref.Ord] = 0
		s.waiting--
	}
	return true
}

// waitsFrom is the seq of the oldest record in the window a delivery of which still waits; where none does, that of the
// next record.
func (w *window) waitsFrom() eventlog.Seq {
	if w.last >= w.size() {
		w.oldest = max(w.oldest, w.last-w.size()+1)
	}
	for ; w.oldest <= w.last; w.oldest++ {
		if s := w.at(w.oldest); s.seq == w.oldest && s.waiting > 0 {
			break
		}
	}
	return w.oldest
}
