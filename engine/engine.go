package engine

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookline/hookline/engine/dispatch"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// Engine is one partition: one log, one sequencer.
type Engine struct {
	cfg       Config
	clock     clock
	sequencer *sequencer
	runner    *runner
	ahead     *readAhead
	count     counters
	batches   sync.Pool

	epochs     []state.Epoch // fixed after Open: one writer, one epoch more
	interrupts sync.Map      // transport name -> *atomic.Int64
	profiles   sync.Map      // eventlog.Seq -> *profile.Profile
	provided   atomic.Pointer[profileSet]
	views      sync.Map // tenant id -> *viewSlot
	shadows    shadows
	access     access

	durable   atomic.Pointer[durable]
	low       atomic.Bool
	held      atomic.Bool // nothing is sent: see Release
	releasing sync.Mutex
	outage    *outage
	ready     atomic.Bool
	evictable eventlog.Seq // the sequencer's: see evictCommand

	life      context.Context // canceled by Close
	endLife   context.CancelFunc
	flying    context.Context // canceled when attempts under way are broken off
	breakOff  context.CancelFunc
	failed    atomic.Pointer[error]
	failOnce  sync.Once
	dead      chan struct{}
	stopOnce  sync.Once
	closed    chan struct{}
	grace     time.Duration // of a drain
	done      sync.WaitGroup
	seqDone   chan struct{}
	snapshots *snapshots
	pasts     *pasts
	removals  atomic.Pointer[[]*state.Removal] // what retention has removed: see noteRemovals

	recoverReads chan struct{} // slots of recoveries that read a page

	simulations atomic.Int32  // under way or waiting
	simulating  chan struct{} // holds one token while one runs
}

// Open acquires the log, folds it and starts. It returns once the engine is ready: state folded, idempotency known.
// Errors wrap eventlog.ErrCorrupt, ErrInUse or ErrFenced where that is the cause.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	e := &Engine{cfg: cfg, dead: make(chan struct{}), closed: make(chan struct{}), seqDone: make(chan struct{}), outage: newOutage(), grace: drainGrace}
	e.recoverReads = make(chan struct{}, recoverReads)
	e.simulating = make(chan struct{}, 1)
	e.ahead = newReadAhead(e)
	e.snapshots = newSnapshots(cfg.Dir, cfg.Log, cfg.Logger)
	e.pasts = newPasts(e.snapshots)
	e.life, e.endLife = context.WithCancel(context.WithoutCancel(ctx))
	e.flying, e.breakOff = context.WithCancel(context.WithoutCancel(ctx))
	st, err := e.snapshots.load(ctx)
	if err != nil {
		return nil, err
	}
	e.snapshots.last = st.Seq
	w, err := cfg.Log.Acquire(ctx, cfg.Owner)
	if err != nil {
		return nil, err
	}
	if err := e.open(ctx, st, w); err != nil {
		w.Close()
		return nil, err
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context, st *state.State, w eventlog.Writer) error {
	from, began := st.Seq, time.Now()
	if _, err := foldTo(ctx, e.cfg.Log, st, 0, nil); err != nil {
		return err
	}
	e.cfg.Logger.Info("state folded", "from_seq", from, "to_seq", st.Seq, "took", time.Since(began).Round(time.Millisecond),
		"pending", st.Pending.Len())
	e.epochs = st.Epochs()
	e.clock = e.newClock(st.Time)
	s := &sequencer{e: e, st: st, lanes: dispatch.New(st.Pending, e.cfg.MaxInFlight), writer: w, next: w.Next(),
		bodies: bodies{kept: map[eventlog.Seq]keptBody{}}, dedupe: newDedupe(), batch: e.newBatch(),
		slot: make(chan struct{}, maxOutstanding), out: make(chan *batch, maxOutstanding), stop: make(chan struct{}),
		parked: parked{rate: e.cfg.RestartRate}, timeouts: map[time.Duration]int{}, routes: map[string]*routeJournal{},
		own: newOwnWaits(e.cfg.ownWait)}
	s.in.wake = make(chan struct{}, 1)
	e.sequencer = s
	s.now = max(st.Time, e.clock.Now())
	head, err := e.cfg.Log.Head(ctx)
	if err != nil {
		return err
	}
	e.durable.Store(&durable{seq: head.Seq, time: head.Time, chain: head.Chain, digest: st.Digest()})
	if err := e.define(ctx, s); err != nil {
		return err
	}
	e.provide(st)
	e.noteRemovals(st)
	e.cfg.KeysFollower.Start()
	if err := e.startDedupe(ctx, s); err != nil {
		return err
	}
	e.cfg.Follower.Start() // history catches up behind
	st.Pending.Arm()
	s.parkOverdue()
	s.waitOursAgain()
	s.releaseHeld()
	s.resumeRecoveries()
	s.handshakes = handshakes{}
	s.askAll()
	s.more = true
	e.low.Store(e.cfg.LowSpace())
	if e.held.Store(e.cfg.Held); e.cfg.Held {
		e.cfg.Logger.Warn("held: this node was restored and sends nothing until it is released", "pending", st.Pending.Len())
	}
	e.runner = newRunner(max(2, runtime.GOMAXPROCS(0)))
	e.start()
	e.ready.Store(true)
	return nil
}

func (e *Engine) newClock(last int64) clock {
	if !e.cfg.ManualClock {
		return newRealClock(last, time.Now)
	}
	start := e.cfg.ClockStart
	if start.IsZero() {
		start = time.Now()
	}
	return &manualClock{now: max(last, start.UnixMilli())}
}

func (e *Engine) manual() bool { return e.cfg.ManualClock }

// startDedupe loads what the view does not have yet. When that is more than memory holds, the view catches up first.
func (e *Engine) startDedupe(ctx context.Context, s *sequencer) error {
	head := e.durable.Load().seq
	const lag = maxDedupe
	if head > lag && e.cfg.KeysFollower.Seq() < head-lag {
		e.cfg.Logger.Info("waiting for the idempotency view", "seq", e.cfg.KeysFollower.Seq(), "head_seq", head)
		if err := e.cfg.KeysFollower.WaitFor(ctx, head-lag); err != nil {
			return fmt.Errorf("engine: idempotency view: %w", err)
		}
	}
	e.evictable = e.cfg.KeysFollower.Seq()
	return s.dedupe.load(ctx, e.cfg.Log, e.evictable, s.now)
}

// start runs the goroutines: sequencer, committer, house-keeping.
func (e *Engine) start() {
	e.done.Add(2)
	go func() {
		defer close(e.seqDone)
		e.sequencer.loop()
	}()
	go e.commit()
	go e.keepHouse()
	if len(e.cfg.Retention)+len(*e.removals.Load()) > 0 { // without rules, what an earlier one began is finished
		e.done.Add(1)
		go e.keepRetention()
	}
}

// keepHouse watches the disk, lets memory of idempotency go, and notes checkpoints.
func (e *Engine) keepHouse() {
	defer e.done.Done()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-e.closed:
			return
		case <-tick.C:
		}
		if low := e.cfg.LowSpace(); low != e.low.Swap(low) {
			e.cfg.Logger.Warn("disk low-water mark crossed", "low", low)
			e.sequencer.wake()
		}
		if e.outage.lasting() {
			continue // the sequencer's queue is for results
		}
		e.sequencer.enqueue(gaugeCommand{})
		if ahead := e.clock.Ahead(); ahead > 1000 && n%60 == 1 {
			e.cfg.Logger.Warn("engine time is ahead of the wall clock and goes at half speed until that has caught up", "ahead_ms", ahead)
		}
		if n%5 == 0 {
			e.sequencer.enqueue(evictCommand{})
			e.snapshots.checkpoint(e.durable.Load())
		}
		if n%60 == 0 {
			e.sequencer.enqueue(noteUsesCommand{})
		}
		e.snapshots.maybe(e.durable.Load().seq)
	}
}

// gaugeCommand copies sizes out of the state.
type gaugeCommand struct{}

func (gaugeCommand) run(s *sequencer) {
	c := &s.e.count
	s.askAgain()
	c.pending.Store(int64(s.st.Pending.Len()))
	c.endpoints.Store(int64(s.st.Endpoints()))
	c.parked.Store(int64(s.parked.list.Len()))
}

// define appends what the log does not have yet: new versions of profiles, the admin key. Durable on return.
func (e *Engine) define(ctx context.Context, s *sequencer) error {
	for _, p := range e.cfg.Profiles {
		if err := s.mayDefine(p); err != nil {
			return err
		}
		if _, err := s.defineProfile(p); err != nil {
			return err
		}
	}
	if err := s.settleErasures(); err != nil {
		return err
	}
	if e.cfg.AdminKey != "" {
		hash := sha256.Sum256([]byte(e.cfg.AdminKey))
		if k := s.st.Key(); k == nil || *k != hash {
			s.appendFacts(record.TypeKeyCreated, "", &record.KeyCreated{Hash: hash})
		}
	}
	e.access.load(e, s.st)
	if len(s.batch.records) == 0 {
		return nil
	}
	b := s.batch
	s.batch = e.newBatch()
	c := s.writer.Append(b.records)
	if err := c.Resolve(ctx); err != nil {
		return err
	}
	last := b.records[len(b.records)-1]
	e.durable.Store(&durable{seq: last.Seq, time: last.Time, chain: c.Chain, digest: s.st.Digest()})
	return nil
}

// Ready says that recovery is done and that the log takes records.
func (e *Engine) Ready() bool {
	return e.ready.Load() && e.failure() == nil && !e.outage.lasting()
}

// ManualClock says which clock is in use.
func (e *Engine) ManualClock() bool { return e.manual() }

// HeadSeq is the last durable record; while the disk is low, and views pause, the last one that lists tell of.
func (e *Engine) HeadSeq() uint64 {
	head := e.durable.Load().seq
	if e.lowSpace() {
		head = min(head, e.cfg.Follower.Seq())
	}
	return uint64(head)
}

// lowSpace says whether the disk is low, or was a moment ago.
func (e *Engine) lowSpace() bool { return e.low.Load() || e.cfg.LowSpace() }

func (e *Engine) id(prefix string, seq eventlog.Seq, ord uint16) string {
	return formatID(e.epochs, prefix, record.Ref{Seq: seq, Ord: ord})
}

// Close ends the engine and writes a snapshot, so that the next start need not fold. Idempotent.
func (e *Engine) Close() error {
	var err error
	e.stopOnce.Do(func() {
		e.breakOff()
		close(e.closed)
		e.ready.Store(false)
		s := e.sequencer
		s.enqueue(drainCommand{make(chan time.Duration, 1)})
		close(s.stop)
		s.wake()
		e.endLife()
		e.pasts.close()
		<-e.seqDone
		e.done.Wait()
		e.runner.close()
		if e.failure() == nil {
			d := e.durable.Load()
			e.snapshots.final(s.st, d)
		}
		e.snapshots.wait()
		err = s.writer.Close()
		if verr := e.cfg.Views.Stop(); err == nil {
			err = verr
		}
		e.failOnce.Do(func() {
			e.failed.Store(&errStopped)
			close(e.dead)
		})
	})
	return err
}
