package pebblelog

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookline/hookline/eventlog"
)

// tick is the longest that the mark is behind a slow writer, and the grain of everything else that is watched.
const tick = 100 * time.Millisecond

// markBatches is how many durable batches call for a mark before the tick, though not more often than markPause.
const (
	markBatches = 64
	markPause   = 20 * time.Millisecond
)

// idleBytes is what must have been appended since the last flush for another one to be worth a table.
const idleBytes = 256 << 10

// watch looks after what time brings about: the mark, free space, memtables of an idle log. guard sees that it does not
// hang in that.
func (l *Log) watch() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var idle idle
	var marked time.Time
	for {
		select {
		case <-l.stopped.Done():
			return
		case <-l.space.kick:
			l.chore(l.pollSpace)
			continue
		case <-l.marking.kick:
			if time.Since(marked) < markPause {
				continue // the tick is near
			}
		case <-ticker.C:
			l.chore(l.pollSpace)
			if idle.tick(l.head.Load().Seq, l.space.total.Load()) >= l.opts.IdleFlush {
				l.chore(func() { l.flushIdle(&idle) })
			}
		}
		if l.failed() != nil {
			continue
		}
		marked = time.Now()
		l.chore(l.writeMark)
	}
}

// chore does something that asks the disk, where guard sees it.
func (l *Log) chore(do func()) {
	l.chores.Add(1)
	do()
	l.chores.Add(1)
}

// guard ends the log when a commit, or watch's own work, hangs: a full or broken disk may answer never. It touches no
// disk itself.
func (l *Log) guard() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var commit stuck[*underway]
	var chore stuck[int64]
	for {
		select {
		case <-l.stopped.Done():
			return
		case <-ticker.C:
		}
		if d := commit.tick(l.pipe.oldest()); d >= l.opts.CommitDeadline {
			l.fatal(fmt.Errorf("commit of seq %d is not done after %v: the disk is full or hangs: free space or repair it, and start again",
				commit.on.commit.First, d))
		}
		n := l.chores.Load()
		if n%2 == 0 {
			n = 0 // none is under way
		}
		if d := chore.tick(n); d >= l.opts.CommitDeadline {
			l.fatal(fmt.Errorf("the disk has not answered for %v: it is full or hangs: free space or repair it, and start again", d))
		}
	}
}

func (l *Log) pollSpace() {
	if err := l.space.poll(); err != nil {
		l.fatal(err)
	}
}

func (l *Log) flushIdle(idle *idle) {
	if l.failed() != nil {
		return
	}
	idle.flushed = l.space.total.Load()
	if _, err := l.db.AsyncFlush(); err != nil {
		l.fatal(fmt.Errorf("flush: %w", err))
	}
}

// stuck tells how long the same thing has been under way, in ticks that this process lived through. Zero = nothing is.
type stuck[T comparable] struct {
	on    T
	ticks int
}

func (s *stuck[T]) tick(now T) time.Duration {
	var nothing T
	if now == nothing || now != s.on {
		s.on, s.ticks = now, 0
		return 0
	}
	s.ticks++
	return time.Duration(s.ticks) * tick
}

// idle tells how long nothing has been appended, 0 while a flush would not be worth it.
type idle struct {
	head    eventlog.Seq
	ticks   int
	flushed int64 // bytes appended up to the last flush
}

func (i *idle) tick(head eventlog.Seq, total int64) time.Duration {
	if head != i.head {
		i.head, i.ticks = head, 0
	}
	if total-i.flushed < idleBytes {
		return 0
	}
	i.ticks++
	return time.Duration(i.ticks) * tick
}

func (l *Log) writeMark() {
	if err := l.marking.write(l.mark, &l.head); err != nil {
		l.fatal(err)
	}
}

// marking decides when the mark is written. acquire writes before the first append, watch after that.
type marking struct {
	mu      sync.Mutex
	batches atomic.Int64  // durable since the last write
	kick    chan struct{} // wakes watch when they are many
}

// durable counts a batch.
func (m *marking) durable() {
	if m.batches.Add(1) == markBatches {
		select {
		case m.kick <- struct{}{}:
		default:
		}
	}
}

// write brings the mark up to the durable head.
func (m *marking) write(to *mark, head *atomic.Pointer[eventlog.Head]) error {
	if m.batches.Swap(0) == 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	h := head.Load()
	return to.write(point{seq: h.Seq, chain: h.Chain})
}

// unclean says in the mark that appends may follow.
func (m *marking) unclean(to *mark) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !to.at.clean {
		return nil
	}
	return to.write(point{seq: to.at.seq, chain: to.at.chain})
}
