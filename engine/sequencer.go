package engine

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookline/hookline/engine/dispatch"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// command is a piece of work for the sequencer. run decides it: it may append records and add effects.
type command interface{ run(s *sequencer) }

// effect is what becomes true outside once a batch is durable, or what failed with it.
type effect interface{ release(err error) }

// Bounds of one batch: past them the rest of the commands waits for the next one.
const (
	maxBatchRecords = 4096
	maxBatchBytes   = 1 << 20
	maxOutstanding  = 2 // batches handed to the log and not yet durable: few, so that they grow under load
)

// sequencer owns the state: the one goroutine that decides.
type sequencer struct {
	e       *Engine
	st      *state.State
	lanes   *dispatch.Lanes
	laneOf  []*dispatch.Lane // by endpoint handle
	targets []*target        // by endpoint handle
	bodies  bodies
	dedupe  *dedupe
	routes  map[string]*routeJournal // of tenants that have a view
	writer  eventlog.Writer
	next    eventlog.Seq
	now     int64
	batch   *batch

	parked   parked
	own      ownWaits
	closing  []*state.Endpoint // whose gate closed while deliveries waited in their lane
	skips    skips
	advances []*advanceCommand     // of a manual clock, the first one runs
	flights  int                   // under way, tests included
	timeouts map[time.Duration]int // how many of them have which timeout
	draining bool
	more     bool // due work was left over: look again at once

	recoveries  recoveries
	handshakes  handshakes
	suspendedAt time.Time // since when nothing may start; zero = it may

	in struct {
		sync.Mutex
		queue []command
		spare []command
		wake  chan struct{}
	}
	todo   []command   // taken, not yet run
	starts []*flight   // of deliveries that are durable
	held   atomic.Bool // the batch waits for a slot
	slot   chan struct{}
	out    chan *batch
	stop   chan struct{}
}

// batch is what one Append writes and what follows from it.
type batch struct {
	records []eventlog.Record
	arena   []byte // facts of records made here
	bytes   int
	results int // finished attempts among the records
	effects []effect
	starts  []*flight
	commit  *eventlog.Commit
	handed  time.Time
	digest  state.Digest
}

// enqueue hands a command over. It never blocks.
func (s *sequencer) enqueue(c command) {
	s.in.Lock()
	s.in.queue = append(s.in.queue, c)
	s.in.Unlock()
	s.wake()
}

func (s *sequencer) wake() {
	select {
	case s.in.wake <- struct{}{}:
	default:
	}
}

// loop runs until stop: take what waits, decide it, start what is due, hand the batch over.
func (s *sequencer) loop() {
	defer close(s.out)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if !s.idleUntilWork(timer) {
			s.slot <- struct{}{} // the last batch waits for its turn
			<-s.slot
			s.flush()
			return
		}
		s.now = max(s.now, s.e.clock.Now())
		s.take()
		s.runCommands()
		s.dispatch()
		s.e.runner.add(s.starts...)
		clear(s.starts)
		s.starts = s.starts[:0]
		s.stepManualClock()
		s.flush()
	}
}

// idleUntilWork waits for a command, a due time or a turn of the restart rate. false = stop.
func (s *sequencer) idleUntilWork(timer *time.Timer) bool {
	for {
		select {
		case <-s.stop:
			return false
		default:
		}
		if s.more || len(s.todo) > 0 {
			return true
		}
		wait := time.Second // house-keeping, and changes of the disk's state
		if at, ok := s.nextTime(); ok && !s.e.manual() && !s.suspended() {
			wait = min(wait, max(0, time.Duration(at-s.e.clock.Now())*time.Millisecond))
		}
		if !s.suspended() {
			wait = min(wait, s.own.next())
		}
		if s.parked.list.Len() > 0 && !s.suspended() {
			wait = min(wait, s.parked.next(time.Now()))
		}
		if wait == 0 {
			return true
		}
		timer.Reset(wait)
		select {
		case <-s.stop:
			return false
		case <-s.in.wake:
			return true
		case <-timer.C:
			return true
		}
	}
}

func (s *sequencer) take() {
	if len(s.todo) > 0 {
		return
	}
	s.in.Lock()
	s.todo, s.in.queue = s.in.queue, s.in.spare[:0]
	s.in.spare = s.todo[:0] // handed back once todo is used up: the two slices swap roles
	s.in.Unlock()
}

func (s *sequencer) runCommands() {
	n := 0
	for n < len(s.todo) && len(s.batch.records) < maxBatchRecords && s.batch.bytes < maxBatchBytes {
		c := s.todo[n]
		s.todo[n] = nil
		n++
		c.run(s)
	}
	s.todo = s.todo[n:]
}

// append adds a record to the batch and to the state. What was decided is true from here on, for every later command;
// the world hears of it once it is durable.
func (s *sequencer) append(r eventlog.Record) eventlog.Seq {
	r.Seq, r.Time = s.next, s.now
	s.next++
	s.noteRoute(&r)
	if err := s.st.Apply(&r); err != nil {
		// A record that does not fit the state was decided on the same state: a fault of this program. Nothing of this
		// batch is written.
		panic(err)
	}
	b := s.batch
	b.records = append(b.records, r)
	b.bytes += len(r.Facts) + 64
	for i := range r.Sections {
		b.bytes += len(r.Sections[i].Data)
	}
	return r.Seq
}

// facter is what encodes itself as facts.
type facter interface{ AppendFacts([]byte) []byte }

// appendFacts adds a record whose facts are encoded into the batch's arena.
func (s *sequencer) appendFacts(t eventlog.Type, tenant string, f facter, sections ...eventlog.Section) eventlog.Seq {
	b := s.batch
	n := len(b.arena)
	b.arena = f.AppendFacts(b.arena)
	return s.append(eventlog.Record{Type: t, Tenant: tenant, Facts: b.arena[n:len(b.arena):len(b.arena)], Sections: sections})
}

// answer releases an effect once everything seen so far is durable.
func (s *sequencer) answer(ef effect) { s.batch.effects = append(s.batch.effects, ef) }

// flush hands the batch over, if there is anything in it and a slot is free: batches under way are few, so that under
// load what is decided meanwhile joins the next one. Deciding and starting attempts never waits for it, but when a
// batch is full.
func (s *sequencer) flush() {
	b := s.batch
	if len(b.records) == 0 && len(b.effects) == 0 && len(b.starts) == 0 {
		return
	}
	s.held.Store(true) // before the look at the slots: the committer wakes us after it has freed one
	if len(b.records) >= maxBatchRecords || b.bytes >= maxBatchBytes {
		s.slot <- struct{}{}
	} else {
		select {
		case s.slot <- struct{}{}:
		default:
			return
		}
	}
	s.held.Store(false)
	b.digest = s.st.Digest()
	if len(b.records) > 0 {
		b.handed = time.Now()
		b.commit = s.writer.Append(b.records)
	}
	s.out <- b
	s.batch = s.e.newBatch()
}

// suspended says that nothing may be started: stopping, the disk is low, the log is unavailable, or the node is held.
func (s *sequencer) suspended() bool {
	return s.stopping() || s.e.low.Load() || s.e.outage.lasting() || s.e.held.Load()
}

// stopping says that attempts are not recorded any more when our side breaks them off: draining, or the log failed.
func (s *sequencer) stopping() bool { return s.draining || s.e.failure() != nil }

// lane is an endpoint's lane.
func (s *sequencer) lane(ep *state.Endpoint) *dispatch.Lane {
	h := int(ep.Handle())
	for len(s.laneOf) <= h {
		s.laneOf = append(s.laneOf, nil)
		s.targets = append(s.targets, nil)
	}
	if s.laneOf[h] == nil {
		s.laneOf[h] = s.lanes.NewLane(width(ep))
		s.limit(ep)
	}
	return s.laneOf[h]
}

func width(ep *state.Endpoint) int {
	if c := ep.Config.Concurrency; c != 0 {
		return int(c)
	}
	return dispatch.DefaultConcurrency
}

// forget drops what was kept for an endpoint that is no more; its handle may be given to another.
func (s *sequencer) forget(ep *state.Endpoint) {
	if h := int(ep.Handle()); h < len(s.laneOf) {
		s.laneOf[h], s.targets[h] = nil, nil
	}
	s.closing = slices.DeleteFunc(s.closing, func(c *state.Endpoint) bool { return c == ep })
}

// detach takes a waiting delivery out of its lane, before a record ends it.
func (s *sequencer) detach(h uint32) {
	switch d := s.st.Pending.At(h); {
	case d.Ready():
		s.lanes.Remove(s.lane(s.st.EndpointOf(d)), h)
	case d.Parked():
		s.st.Pending.Unlink(&s.parked.list, h)
	}
}

// id renders a derived id of a record of this log.
func (s *sequencer) id(prefix string, seq eventlog.Seq, ord uint16) string {
	return formatID(s.st.Epochs(), prefix, record.Ref{Seq: seq, Ord: ord})
}

func formatID(epochs []state.Epoch, prefix string, r record.Ref) string {
	tag, _ := state.TagAt(epochs, r.Seq)
	return record.ID{Seq: r.Seq, Ord: r.Ord, Tag: tag}.Format(prefix)
}

// parseID reads a derived id; ok is false when it is none of this log's.
func parseID(epochs []state.Epoch, prefix, id string) (record.Ref, bool) {
	p, err := record.ParseID(prefix, id)
	if err != nil || p.Partition != 0 {
		return record.Ref{}, false
	}
	tag, ok := state.TagAt(epochs, p.Seq)
	return record.Ref{Seq: p.Seq, Ord: p.Ord}, ok && tag == p.Tag
}
