// Package memlog is a log in memory, for tests and examples: eventlog's contract without a disk.
//
// # Promises
//
// Those of package eventlog, except that nothing outlives the process: "durable" means appended. Every Append is done
// when it returns. Batches are kept in their stored form, so that what the codec cannot carry is seen here too.
// Reopen gives a new Log over the same records, as a restart of a process would. Interrupt and Resume play an outage of
// a log that is somewhere else: in between nobody knows what became of the appends.
//
// # Concurrency
//
// As eventlog says. There are no goroutines. What reads return aliases the stored bytes and must not be changed.
package memlog

import (
	"context"
	"math/rand/v2"
	"sort"
	"sync"
	"time"

	"github.com/hookline/hookline/eventlog"
)

// Options of a Log. The zero value is good.
type Options struct {
	// Now is the time of epoch records in Unix milliseconds (default: the wall clock). A time before the last
	// record's counts as that one's.
	Now func() int64
}

// Log is a log in memory.
type Log struct {
	opts Options

	mu      sync.RWMutex
	batches []stored
	head    eventlog.Head
	epoch   uint64
	writer  *Writer
	closed  bool
	changed chan struct{} // closed and replaced when head or closed change
	outage  *outage       // nil = appends are stored at once
	hasher  eventlog.Hasher
}

// stored is one batch, and the sections of each of its records (nil: it has none).
type stored struct {
	first, last eventlog.Seq
	batch       []byte
	sections    [][]byte
}

var (
	_ eventlog.Log            = (*Log)(nil)
	_ eventlog.SectionRemover = (*Log)(nil)
)

// New returns an empty log.
func New(opts Options) *Log {
	if opts.Now == nil {
		opts.Now = func() int64 { return time.Now().UnixMilli() }
	}
	return &Log{opts: opts, head: eventlog.Head{First: 1}, changed: make(chan struct{})}
}

// Reopen closes l and returns an open Log with its records.
func (l *Log) Reopen() *Log {
	_ = l.Close()
	l.mu.RLock()
	defer l.mu.RUnlock()
	n := New(l.opts)
	n.batches, n.head, n.epoch = l.batches[:len(l.batches):len(l.batches)], l.head, l.epoch
	return n
}

// Acquire implements eventlog.Log.
func (l *Log) Acquire(ctx context.Context, owner string) (eventlog.Writer, error) {
	if err := eventlog.CheckOwner(owner); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, eventlog.ErrClosed
	}
	for l.outage != nil {
		if err := l.awaitResume(ctx); err != nil {
			return nil, err
		}
		if l.closed {
			return nil, eventlog.ErrClosed
		}
	}
	l.epoch++
	w := &Writer{log: l, epoch: eventlog.Epoch{Number: l.epoch, Tag: rand.Uint32(), Owner: owner}}
	l.writer = w
	l.store(w.epoch, eventlog.PrepareEpoch(w.epoch, l.head.Seq+1, max(l.opts.Now(), l.head.Time)))
	return w, nil
}

// store appends prepared records and returns the chain after them. l.mu is held.
func (l *Log) store(e eventlog.Epoch, records []eventlog.Record) eventlog.Hash {
	b := eventlog.Batch{
		Epoch: e.Number, Owner: e.Owner, First: l.head.Seq + 1, Prev: l.head.Chain, Records: records,
	}
	b.Chain = l.hasher.Chain(&b)
	s := stored{first: b.First, last: b.Last(), batch: eventlog.AppendBatch(nil, &b)}
	s.sections = make([][]byte, len(records))
	for i := range records {
		if len(records[i].Sections) > 0 {
			s.sections[i] = eventlog.AppendSections(nil, records[i].Sections)
		}
	}
	l.batches = append(l.batches, s)
	l.head.Seq, l.head.Time, l.head.Chain = s.last, records[len(records)-1].Time, b.Chain
	l.announce()
	return b.Chain
}

func (l *Log) announce() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// Head implements eventlog.Log.
func (l *Log) Head(context.Context) (eventlog.Head, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return eventlog.Head{}, eventlog.ErrClosed
	}
	return l.head, nil
}

// Wait implements eventlog.Log.
func (l *Log) Wait(ctx context.Context, after eventlog.Seq) error {
	for {
		l.mu.RLock()
		head, closed, changed := l.head.Seq, l.closed, l.changed
		l.mu.RUnlock()
		switch {
		case closed:
			return eventlog.ErrClosed
		case head > after:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// find returns the batch that holds seq, or the zero value beyond the head.
func (l *Log) find(seq eventlog.Seq) (stored, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return stored{}, eventlog.ErrClosed
	}
	i := sort.Search(len(l.batches), func(i int) bool { return l.batches[i].last >= seq })
	if i == len(l.batches) {
		return stored{}, nil
	}
	return l.batches[i], nil
}

// Close implements eventlog.Log. The writer's later appends fail with ErrClosed.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		l.resume(eventlog.ErrClosed)
		l.announce()
	}
	return nil
}
