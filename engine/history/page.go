package history

import (
	"encoding/binary"
	"fmt"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Page says which part of a list is wanted. The zero value is the newest 50 rows of the present.
type Page struct {
	Limit     int          // rows, 1 and more; 0 = 50
	After     Position     // where the page before ended; nil = at the beginning
	Ascending bool         // oldest first
	AsOf      eventlog.Seq // answer as when this was the newest record; 0 = the present
}

const defaultLimit = 50

// Position is where a page ended: opaque, and good only for the same query. nil = there is no further row.
type Position []byte

// Kinds of positions, and the version of their form.
const (
	positionEvents     = 'e'
	positionDeliveries = 'd'
	positionAttempts   = 'a'
	positionChanges    = 'm'
	positionVersions   = 's'
	positionVersion    = 1
)

func newPosition(kind byte, at record.Ref) Position {
	p := binary.AppendUvarint(Position{positionVersion, kind}, uint64(at.Seq))
	return binary.AppendUvarint(p, uint64(at.Ord))
}

func (p Position) decode(kind byte) (at record.Ref, err error) {
	f := fields{b: p}
	v, k := f.u8(), f.u8()
	seq, ord := f.u(), f.u()
	if f.end("position") != nil || v != positionVersion || k != kind || seq == 0 || ord > uint64(maxOrd) {
		return at, fmt.Errorf("%w: take it from the page before of the same list", ErrPosition)
	}
	return record.Ref{Seq: eventlog.Seq(seq), Ord: uint16(ord)}, nil
}

// span is the part of a list that a query walks, ends included.
type span struct {
	lo, hi record.Ref
	asOf   eventlog.Seq // versions after it do not exist
	desc   bool
	limit  int
}

// empty says that there is nothing to walk.
func (s *span) empty() bool { return before(s.hi, s.lo) }

// span reads a page's fields; from and to bound the record time (0 = open), from inclusive, to exclusive.
func (h *History) span(p Page, kind byte, from, to int64) (s span, err error) {
	s = span{lo: record.Ref{Seq: 1}, hi: record.Ref{Seq: maxSeq, Ord: maxOrd}, asOf: maxSeq, desc: !p.Ascending, limit: p.Limit}
	if p.Limit < 0 {
		return s, fmt.Errorf("history: Page.Limit is %d, want at least 1", p.Limit)
	}
	if p.Limit == 0 {
		s.limit = defaultLimit
	}
	if p.AsOf != 0 {
		if c := h.Checkpoint(); p.AsOf > c {
			return s, fmt.Errorf("%w: AsOf is %d, applied are %d", ErrBehind, p.AsOf, c)
		}
		s.asOf, s.hi.Seq = p.AsOf, p.AsOf
	}
	if from != 0 || to != 0 {
		lo, hi, err := h.seqsBetween(from, to)
		if err != nil {
			return s, err
		}
		s.lo.Seq, s.hi.Seq = max(s.lo.Seq, lo), min(s.hi.Seq, hi)
	}
	if p.After != nil {
		at, err := p.After.decode(kind)
		switch {
		case err != nil:
			return s, err
		case s.desc && !before(s.hi, at):
			s.hi = prev(at)
		case !s.desc && !before(at, s.lo):
			s.lo = next(at)
		}
	}
	return s, nil
}

// seqsBetween narrows a range of record times to seqs by the samples: all records of the range are within, up to a
// sample's length more at both ends. from is inclusive, to exclusive, 0 = open.
func (h *History) seqsBetween(from, to int64) (lo, hi eventlog.Seq, err error) {
	lo, hi = 1, maxSeq
	it, err := h.store.Iter([]byte{keyTime}, []byte{keyTime + 1})
	if err != nil {
		return lo, hi, err
	}
	// Record time never runs back: what follows a sample before `from` may still be before it, what precedes it is.
	if from > 0 && it.SeekLT(appendTime(nil, from)) {
		lo = lastSeq(it.Key()) + 1
	}
	if to > 0 && it.SeekGE(appendTime(nil, to)) {
		hi = lastSeq(it.Key()) - 1
	}
	return lo, hi, it.Close()
}

// within says whether a record time is in a range, from inclusive, to exclusive, 0 = open.
func within(ms, from, to int64) bool {
	return (from == 0 || ms >= from) && (to == 0 || ms < to)
}

// PositionOfDelivery is the Position behind a delivery in a list of deliveries.
func PositionOfDelivery(ref record.Ref) Position { return newPosition(positionDeliveries, ref) }

// Event reads a Position in a list of events; ok is false for nil, the beginning.
func (p Position) Event() (seq eventlog.Seq, ok bool, err error) {
	if p == nil {
		return 0, false, nil
	}
	at, err := p.decode(positionEvents)
	return at.Seq, err == nil, err
}

// PositionOfEvent is the Position behind an event in a list of events.
func PositionOfEvent(seq eventlog.Seq) Position {
	return newPosition(positionEvents, record.Ref{Seq: seq})
}
