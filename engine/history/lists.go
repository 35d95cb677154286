package history

import (
	"strings"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// A list is what happened to a tenant or an endpoint, a row a record. Its rows stand together in parts, one key each:
// what a key costs is paid for dozens of rows. A part ends
//
//   - with its run: runs are partRun records of the log, at multiples of it, fewer when they have many lists;
//   - once it has partBytes, before the next record's row.
//
// Both depend on the log alone, so that parts do, however the follower cuts its batches. The parts of the present run are
// kept in memory and written again as they grow, before each commit: at most partBytes more for a row. After a restart
// Recall makes them anew.
const (
	partRun   = 2048
	partBytes = 1024
	// partLists bounds memory, to some 10 MiB: a run ends when so many lists have a part in it.
	partLists = 1 << 13
)

// layout is what keys depend on beside the log. Its numbers are changed by tests only.
type layout struct {
	window, matches      int          // windowRecords, windowMatches
	soon                 eventlog.Seq // soonRecords
	partRun              eventlog.Seq
	partBytes, partLists int
}

func defaultLayout() layout {
	return layout{window: windowRecords, matches: windowMatches, soon: soonRecords, partRun: partRun, partBytes: partBytes, partLists: partLists}
}

// listKey names a list: of an endpoint, or of a tenant.
type listKey struct {
	letter   byte
	endpoint eventlog.Seq
	tenant   string
}

// lists are the open parts. They belong to the follower's goroutine.
type lists struct {
	layout
	run        eventlog.Seq // of the open parts
	open       map[listKey]*part
	dirty      []*part // that the store does not have as they are; a part may be named twice
	free       []*part
	from, last eventlog.Seq // records seen without a gap; 0 = none
	recalled   bool
}

func newLists(l layout) lists { return lists{layout: l, open: map[listKey]*part{}} }

// pass is told of every record before its rows.
func (l *lists) pass(w *projection.Batch, seq eventlog.Seq) {
	switch run := seq / l.partRun; {
	case seq != l.last+1: // from elsewhere on: what is open has been written
		l.drop()
		l.from, l.run = seq, run
	case run != l.run, len(l.open) >= l.partLists:
		l.finish(w)
		l.drop()
		l.run = run
	}
	l.last = seq
}

// apply is told before records are applied that may have been recalled. Parts whose beginning the log has no more are
// left as the store has them.
func (l *lists) apply() {
	if l.recalled && l.from > max(1, l.run*l.partRun) {
		l.drop()
	}
	l.recalled = false
}

// recall is told after records were shown again: the store has their rows.
func (l *lists) recall() {
	for _, p := range l.dirty {
		p.dirty = false
	}
	l.dirty, l.recalled = l.dirty[:0], true
}

// finish writes what the store does not have.
func (l *lists) finish(w *projection.Batch) {
	for _, p := range l.dirty {
		p.write(w)
	}
	l.dirty = l.dirty[:0]
}

func (l *lists) drop() {
	const keep = 4096
	for _, p := range l.open {
		if len(l.free) < keep && cap(p.rows) <= 8*l.partBytes {
			l.free = append(l.free, p)
		}
	}
	l.dirty = l.dirty[:0]
	if len(l.open) > keep {
		l.open = map[listKey]*part{}
	} else {
		clear(l.open)
	}
}

// row begins a row of a list, in the part that is returned for the rest of it.
func (l *lists) row(w *projection.Batch, k listKey, kind rowKind, r *eventlog.Record) *part {
	p := l.open[k]
	switch {
	case p == nil:
		if n := len(l.free); n > 0 {
			p, l.free = l.free[n-1], l.free[:n-1]
		} else {
			p = new(part)
		}
		k.tenant = strings.Clone(k.tenant) // the record's is valid during Apply only
		l.open[k] = p
		p.begin(k, r.Seq)
	case len(p.rows) >= l.partBytes && p.seq != r.Seq:
		p.write(w)
		p.begin(k, r.Seq)
	}
	if !p.dirty {
		p.dirty = true
		l.dirty = append(l.dirty, p)
	}
	p.rows.u(uint64(r.Seq-p.seq)<<kindBits | uint64(kind))
	p.rows.i(r.Time - p.time)
	p.seq, p.time = r.Seq, r.Time
	return p
}

// part is rows of a list and what the next one is written against.
type part struct {
	key   []byte
	rows  values
	dirty bool
	seq   eventlog.Seq // of the last row
	time  int64
	id    []byte   // of the last row that has one
	types [][2]int // places in rows
}

func (p *part) begin(k listKey, seq eventlog.Seq) {
	if k.endpoint != 0 {
		p.key = appendEndpointSeq(p.key[:0], k.letter, k.endpoint, seq)
	} else {
		p.key = appendTenantSeq(p.key[:0], k.letter, k.tenant, seq)
	}
	p.rows, p.id, p.types, p.dirty = p.rows[:0], p.id[:0], p.types[:0], false
	p.seq, p.time = seq, 0
}

func (p *part) write(w *projection.Batch) {
	if p.dirty {
		w.Set(p.key, p.rows)
		p.dirty = false
	}
}

// putID writes an id as how much it shares with the one before, and the rest: minted ids begin with their time.
func (p *part) putID(id string) {
	n := 0
	for n < min(len(id), len(p.id)) && id[n] == p.id[n] {
		n++
	}
	p.rows.u(uint64(n))
	p.rows.s(id[n:])
	p.id = append(p.id[:0], id...)
}

// putType writes a type once a part, then its number.
func (p *part) putType(typ string) {
	for i, at := range p.types {
		if string(p.rows[at[0]:at[1]]) == typ {
			p.rows.u(uint64(i) + 1)
			return
		}
	}
	p.rows.u(0)
	p.rows.s(typ)
	p.types = append(p.types, [2]int{len(p.rows) - len(typ), len(p.rows)})
}

func (p *part) putEvent(e *record.EventPublished) {
	p.putType(e.Type)
	p.rows.u(uint64(len(e.Matches)))
	for i := range e.Matches {
		p.rows.u(uint64(e.Matches[i].Endpoint))
	}
}

func (p *part) putLater(endpoint, event eventlog.Seq) {
	p.rows.u(uint64(endpoint))
	p.rows.u(uint64(p.seq - event))
}

// creation is what a delivery begins with.
type creation struct {
	ord      uint16
	event    eventlog.Seq
	max      uint8
	due      int64
	resendOf record.Ref
	id, typ  string
}

func (p *part) putCreated(c *creation) {
	p.rows.u(uint64(c.ord))
	p.rows.u(uint64(p.seq - c.event))
	p.rows.u(uint64(c.max))
	p.rows.i(c.due - p.time)
	p.rows.u(uint64(c.resendOf.Seq))
	if c.resendOf.Seq != 0 {
		p.rows.u(uint64(c.resendOf.Ord))
	}
	p.putID(c.id)
	p.putType(c.typ)
}

func (p *part) putAttempt(a *record.AttemptFinished) {
	p.rows.u8(a.Outcome)
	p.rows.u8(byte(a.Trigger))
	p.rows.u(uint64(a.Number))
	p.rows.u(uint64(a.TookMS))
	p.rows.i(p.time - a.StartedAt - int64(a.TookMS))
	if a.Delivery.Seq == 0 {
		p.rows.u(0)
		return
	}
	p.rows.u(uint64(p.seq - a.Delivery.Seq))
	p.rows.u(uint64(a.Delivery.Ord))
	p.rows.u(uint64(a.Delivery.Seq - a.Event))
}
