// Package pebblelog is the log on disk: eventlog's contract on Pebble, in one directory of one process.
//
// # Promises
//
// Beside those of package eventlog:
//
//   - Two processes never share a directory: the second opener gets ErrInUse.
//   - A log that was cut before its high-water mark (at most 100 ms or 64 batches behind the head) does not open:
//     ErrCorrupt. A cut after the mark is seen only when the log was closed cleanly: then the mark is exact.
//   - A damaged block is never served: reads of it fail with a *eventlog.CorruptError that names seqs.
//   - A disk that fails a write or an fsync, or no longer takes commits, ends the process (Options.OnFatal): what was
//     under way is never acknowledged, and nothing is tried again on top of a state that nobody knows.
//   - The log does not fill the disk: LowSpace tells early, below Options.Reserve it stops.
//
// # Layout
//
// Options.Dir holds `pebble` (the database) and `mark` (the high-water mark, see mark.go). One Append is one Pebble
// commit: a key 'F' + first seq with the batch (headers and facts), and a key 'S' + seq for each record that has
// sections. Folding reads facts only, one point read gets one record's sections, and they can be removed in place.
// ../FORMAT.md has the byte tables.
//
// # Concurrency
//
// A Log is safe for concurrent use. An appended batch passes through three goroutines: the caller of Append encodes
// it, the applier hands it to Pebble without waiting for the sync, the finisher waits for the sync, moves the head and
// completes the commit. A fourth goroutine watches mark, disk space and deadline, a fifth (scrub) reads older batches
// at leisure. Close ends all of them. Reads hold no Pebble iterator while they yield, so that a slow reader pins
// nothing and Close waits for nobody's loop.
package pebblelog

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookline/hookline/eventlog"
)

// Log is a log on disk. See Open.
type Log struct {
	opts Options
	db   *pebble.DB
	lock lock
	mark *mark

	// head is the durable head. It is replaced by the finisher only.
	head atomic.Pointer[eventlog.Head]
	// news wakes those who wait for a new head.
	news signal
	// down is closed when the log takes no more appends: closed by its user, or failed. cause says why.
	down      chan struct{}
	downOnce  sync.Once
	fatalOnce sync.Once
	cause     error // written before down is closed

	closeOnce sync.Once
	closeErr  error
	closing   atomic.Bool

	// reading is held shared while a read uses the database, and exclusively to close it.
	reading  sync.RWMutex
	isClosed bool

	// removing is held by the one removal of sections that may run.
	removing sync.Mutex

	// appending guards what decides about the next batch.
	appending sync.Mutex
	writer    *Writer
	last      tail // of everything appended, durable or not
	hasher    eventlog.Hasher

	// pipe holds the batches under way. toApply and toSync have room for all of them.
	pipe     pipe
	toApply  chan *underway
	toSync   chan *underway
	pipeline sync.WaitGroup // applier and finisher

	stopped    context.Context // ends watch and scrub
	stop       context.CancelFunc
	background sync.WaitGroup
	chores     atomic.Int64 // begun and done by watch: odd while one is under way
	marking    marking
	space      space
}

// tail is the end of the appended records.
type tail struct {
	seq   eventlog.Seq
	time  int64
	chain eventlog.Hash
	epoch uint64
}

var (
	_ eventlog.Log      = (*Log)(nil)
	_ eventlog.Backuper = (*Log)(nil)
)

// Head implements eventlog.Log. It does not block.
func (l *Log) Head(context.Context) (eventlog.Head, error) {
	if err := l.gone(); err != nil {
		return eventlog.Head{}, err
	}
	return *l.head.Load(), nil
}

// Wait implements eventlog.Log.
func (l *Log) Wait(ctx context.Context, after eventlog.Seq) error {
	for {
		changed := l.news.next()
		if err := l.gone(); err != nil {
			return err
		}
		if l.head.Load().Seq > after {
			return nil
		}
		select {
		case <-changed:
		case <-l.down: // by failure: nothing is appended any more
			return l.cause
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// gone returns ErrClosed once Close has begun. A failed log can still be read.
func (l *Log) gone() error {
	if l.closing.Load() {
		return eventlog.ErrClosed
	}
	return nil
}

// failed returns why the log is broken, nil as long as it is not.
func (l *Log) failed() error { return l.pipe.failure() }

// takeDown makes everything appended from now on fail with cause. Only the first call counts.
func (l *Log) takeDown(cause error) {
	l.downOnce.Do(func() {
		l.cause = cause
		close(l.down)
	})
}

// signal is a broadcast that costs nothing while nobody waits.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// next returns a channel that is closed at the next notify. Ask for it before looking at what it announces.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
