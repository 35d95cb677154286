package engine

import (
	"errors"
	"sync"
	"time"

	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// durable is what the log holds for certain, with the state's digest there: read by anybody without a lock.
type durable struct {
	seq    eventlog.Seq
	time   int64
	chain  eventlog.Hash
	digest state.Digest
}

// commit releases effects, batch by batch, in order, once durable. It ends when the sequencer does.
func (e *Engine) commit() {
	defer e.done.Done()
	for b := range e.sequencer.out {
		err := e.await(b)
		if err == nil && b.commit != nil {
			last := &b.records[len(b.records)-1]
			e.durable.Store(&durable{seq: last.Seq, time: last.Time, chain: b.commit.Chain, digest: b.digest})
			e.count.appendNanos.Add(int64(time.Since(b.handed)))
			e.count.batches.Add(1)
			e.count.records.Add(int64(len(b.records)))
			e.count.bytes.Add(int64(b.bytes))
			e.count.unrecorded.Add(-int64(b.results))
		}
		for _, ef := range b.effects {
			ef.release(err)
		}
		if err == nil {
			e.runner.add(b.starts...)
		}
		e.reuse(b)
		over := len(e.sequencer.out) == 0 && e.outage.lasting() // else the next batch may be suspect too
		if over {
			e.outage.end()
		}
		<-e.sequencer.slot
		if over || e.manual() || e.sequencer.held.Load() {
			e.sequencer.wake() // a batch waits for the slot, or an advance for the last batch
		}
	}
}

func (e *Engine) await(b *batch) error {
	if err := e.failure(); err != nil {
		return err
	}
	if b.commit == nil {
		return nil
	}
	err := e.settle(b.commit)
	if err != nil {
		e.fail(err)
	}
	return err
}

// Batches are used again: their slices grow once.
func (e *Engine) newBatch() *batch {
	if b, ok := e.batches.Get().(*batch); ok {
		return b
	}
	return &batch{}
}

const maxArena = 1 << 20

func (e *Engine) reuse(b *batch) {
	if cap(b.arena) > maxArena || cap(b.records) > 2*maxBatchRecords {
		return
	}
	clear(b.records)
	clear(b.effects)
	clear(b.starts)
	*b = batch{records: b.records[:0], arena: b.arena[:0], effects: b.effects[:0], starts: b.starts[:0]}
	e.batches.Put(b)
}

// fail stops the engine: nothing more is decided on a log that does not take it.
func (e *Engine) fail(err error) {
	e.failOnce.Do(func() {
		e.failed.Store(&err)
		level := "the log failed"
		if errors.Is(err, eventlog.ErrFenced) {
			level = "another process writes to the log now"
		}
		e.cfg.Logger.Error("engine stops: "+level, "error", err)
		close(e.dead)
	})
}

func (e *Engine) failure() error {
	if p := e.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// Dead is closed when the engine had to stop by itself; Err says why.
func (e *Engine) Dead() <-chan struct{} { return e.dead }

// Err is why the engine stopped by itself; nil while it runs.
func (e *Engine) Err() error { return e.failure() }

// runner fills and submits attempts outside the sequencer.
type runner struct {
	mu     sync.Mutex
	ready  sync.Cond
	queue  []*flight
	closed bool
	done   sync.WaitGroup
}

func newRunner(workers int) *runner {
	r := &runner{}
	r.ready.L = &r.mu
	for range workers {
		r.done.Add(1)
		go r.work()
	}
	return r
}

func (r *runner) add(fs ...*flight) {
	if len(fs) == 0 {
		return
	}
	r.mu.Lock()
	r.queue = append(r.queue, fs...)
	r.mu.Unlock()
	if len(fs) == 1 {
		r.ready.Signal()
	} else {
		r.ready.Broadcast()
	}
}

func (r *runner) work() {
	defer r.done.Done()
	var some [16]*flight
	for {
		r.mu.Lock()
		for len(r.queue) == 0 && !r.closed {
			r.ready.Wait()
		}
		if len(r.queue) == 0 {
			r.mu.Unlock()
			return
		}
		n := copy(some[:], r.queue[:min(len(some), (len(r.queue)+1)/2)])
		clear(r.queue[:n])
		if r.queue = r.queue[n:]; len(r.queue) == 0 {
			r.queue = nil
		}
		r.mu.Unlock()
		for i, f := range some[:n] {
			f.fly()
			some[i] = nil
		}
	}
}

func (r *runner) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.ready.Broadcast()
	r.done.Wait()
}
