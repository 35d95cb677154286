package history

import (
	"errors"
	"slices"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// around reads one endpoint's list about the place where a query is: the part with the creations of deliveries, and ahead
// of it the attempts that soon ended them. What was read ahead for one delivery serves its neighbours.
type around struct {
	it, ahead *projection.Iter // over the lists of all endpoints
	reach     eventlog.Seq     // a success is less than this behind the creation
	most      int              // maxDone
	endpoint  eventlog.Seq     // 0 = none yet
	key       []byte
	bad       error

	part partReader // where `it` is; no rows = none
	next partReader // where `ahead` is

	// The successes in the rows from lo to hi, with no part left out; none are known when hi is 0.
	done   map[record.Ref]success
	lo, hi eventlog.Seq
	ended  bool // nothing comes after hi
}

// success is the attempt that ended a delivery soon.
type success struct {
	seq    eventlog.Seq
	number uint16
}

// arounds are those of the endpoints that a query reads: a walk over a tenant's deliveries goes from one to the other.
type arounds struct {
	h    *History
	like *projection.Iter
	all  []*around
	turn int // whose place is given to an endpoint more
	bad  error
}

// maxArounds bounds memory, and what a query over very many endpoints pays before it has to search for each row anyway.
const maxArounds = 16

// of returns the one of an endpoint, nil on a fault, which close tells.
func (s *arounds) of(endpoint eventlog.Seq) *around {
	for _, a := range s.all {
		if a.endpoint == endpoint {
			return a
		}
	}
	if len(s.all) < maxArounds {
		a, err := s.h.around(s.like)
		if err != nil {
			s.bad = err
			return nil
		}
		s.all = append(s.all, a)
		return a
	}
	s.turn = (s.turn + 1) % len(s.all)
	return s.all[s.turn]
}

func (s *arounds) close() error {
	err := s.bad
	for _, a := range s.all {
		err = errors.Join(err, a.close())
	}
	return err
}

// maxDone bounds memory in walks through long lists: what was known is read ahead again.
const maxDone = 8192

func (h *History) around(like *projection.Iter) (*around, error) {
	lower, upper := []byte{allRows().endpoint}, []byte{allRows().endpoint + 1}
	it, err := like.Clone(lower, upper)
	if err != nil {
		return nil, err
	}
	return &around{it: it, reach: h.fold.lists.soon, most: h.maxDone, done: map[record.Ref]success{}}, nil
}

func (a *around) close() error {
	err := a.bad
	if a.ahead != nil {
		err = errors.Join(err, a.ahead.Close())
	}
	return errors.Join(err, a.it.Close())
}

func (p *partReader) first() eventlog.Seq { return p.rows[0].seq }
func (p *partReader) last() eventlog.Seq  { return p.rows[len(p.rows)-1].seq }

// mine says that an iterator is at a part of the endpoint.
func (a *around) mine(it *projection.Iter) bool {
	if !it.Valid() {
		return false
	}
	key := it.Key()
	return len(key) == endpointLen+8 && lastSeq(key[:endpointLen]) == a.endpoint
}

// load reads the part that an iterator is at.
func (a *around) load(p *partReader, it *projection.Iter) bool {
	p.rows = p.rows[:0]
	if a.bad != nil || !a.mine(it) {
		return false
	}
	a.bad = p.read(it.Key(), it.Value())
	return a.bad == nil
}

// cover makes the part the one that has seq in it, or one beside the gap that seq is in.
func (a *around) cover(endpoint, seq eventlog.Seq) {
	if a.endpoint != endpoint {
		a.endpoint, a.part.rows = endpoint, a.part.rows[:0]
		a.lose()
	}
	if len(a.part.rows) > 0 { // a walk wants the neighbour, which costs far less than a search
		switch {
		case seq < a.part.first():
			if a.down() && seq >= a.part.first() {
				return
			}
		case seq > a.part.last():
			if a.up() && seq <= a.part.last() {
				return
			}
		default:
			return
		}
	}
	a.key = append(appendEndpointSeq(a.key[:0], allRows().endpoint, endpoint, seq), 0)
	a.it.SeekLT(a.key)
	if a.load(&a.part, a.it) || a.bad != nil {
		return
	}
	a.key = appendEndpointSeq(a.key[:0], allRows().endpoint, endpoint, 0)
	a.it.SeekGE(a.key)
	a.load(&a.part, a.it)
}

// lose forgets the successes.
func (a *around) lose() {
	clear(a.done)
	a.lo, a.hi, a.ended = 0, 0, false
}

// note takes the successes of a part in.
func (a *around) note(p *partReader) {
	for i := range p.rows {
		if r := &p.rows[i]; r.kind == rowSuccess {
			a.done[r.ref] = success{r.seq, r.number}
		}
	}
}

// up goes to the part after, down to the one before.
func (a *around) up() bool {
	a.it.Next()
	return a.load(&a.part, a.it)
}

func (a *around) down() bool {
	joined := a.hi != 0 && a.lo == a.part.first()
	a.it.Prev()
	if !a.load(&a.part, a.it) {
		return false
	}
	if joined && len(a.done) < a.most {
		a.lo = a.part.first()
		a.note(&a.part)
	}
	return true
}

// find returns the row of an endpoint at a seq, nil when there is none. It is good until the next call.
func (a *around) find(endpoint, seq eventlog.Seq) *row {
	a.cover(endpoint, seq)
	if n, ok := slices.BinarySearchFunc(a.part.rows, seq, bySeq); ok {
		return &a.part.rows[n]
	}
	return nil
}

func bySeq(r row, seq eventlog.Seq) int {
	switch {
	case r.seq < seq:
		return -1
	case r.seq > seq:
		return 1
	}
	return 0
}

// success returns how a delivery ended soon, which find has just found.
func (a *around) success(ref record.Ref) (s success, ok bool) {
	if a.hi == 0 || ref.Seq < a.lo || ref.Seq > a.hi || len(a.done) > a.most {
		a.lose()
		a.lo, a.hi = a.part.first(), a.part.last()
		a.note(&a.part)
	}
	for {
		if s, ok := a.done[ref]; ok {
			return s, true
		}
		if a.ended || a.hi >= ref.Seq+a.reach-1 {
			return s, false
		}
		a.further()
	}
}

// further reads the part behind hi.
func (a *around) further() {
	if a.ahead == nil { // many queries never need it
		ahead, err := a.it.Clone([]byte{allRows().endpoint}, []byte{allRows().endpoint + 1})
		if err != nil {
			a.bad, a.ended = errors.Join(a.bad, err), true
			return
		}
		a.ahead = ahead
	}
	if len(a.next.rows) > 0 && a.next.last() == a.hi && a.mine(a.ahead) {
		a.ahead.Next()
	} else {
		a.key = appendEndpointSeq(a.key[:0], allRows().endpoint, a.endpoint, a.hi+1)
		a.ahead.SeekGE(a.key)
	}
	if !a.load(&a.next, a.ahead) {
		a.ended = true
		return
	}
	a.hi = a.next.last()
	a.note(&a.next)
}

// step returns the delivery of an endpoint that was created first at or after `at`, or last at or before it.
func (a *around) step(endpoint eventlog.Seq, at record.Ref, desc bool) (ref record.Ref, ok bool) {
	for a.cover(endpoint, at.Seq); len(a.part.rows) > 0; {
		rows := a.part.rows
		if desc {
			for i := len(rows) - 1; i >= 0; i-- {
				if rows[i].kind == rowCreated && !before(at, rows[i].ref) {
					return rows[i].ref, true
				}
			}
			if !a.down() {
				break
			}
			continue
		}
		for i := range rows {
			if rows[i].kind == rowCreated && !before(rows[i].ref, at) {
				return rows[i].ref, true
			}
		}
		if !a.up() {
			break
		}
	}
	return ref, false
}
