package memlog

import (
	"context"
	"fmt"

	"github.com/hookline/hookline/eventlog"
)

// outage is a time in which the outcome of appends is unknown.
type outage struct {
	held []held
	next eventlog.Seq  // of the next append
	time int64         // of the last record appended
	over chan struct{} // closed by Resume
}

// held is a batch whose outcome is unknown.
type held struct {
	writer  *Writer
	commit  *eventlog.Commit
	records []eventlog.Record
	refused error
}

// Interrupt begins an outage: appends from now on are suspect (see eventlog.Commit), and an Acquire waits. Reads go on.
// It does nothing during an outage or on a closed Log.
func (l *Log) Interrupt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.outage == nil && !l.closed {
		l.outage = &outage{next: l.head.Seq + 1, time: l.head.Time, over: make(chan struct{})}
	}
}

// Resume ends an outage: with nil what was appended meanwhile is stored, in order; with an error all of it failed.
func (l *Log) Resume(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resume(err)
}

// resume ends an outage. l.mu is held.
func (l *Log) resume(err error) {
	o := l.outage
	if o == nil {
		return
	}
	l.outage = nil
	for _, h := range o.held {
		if err != nil {
			h.writer.err, h.refused = err, err
		}
		if h.refused != nil {
			h.commit.Complete(h.refused)
			continue
		}
		h.commit.Chain = l.head.Chain
		if len(h.records) > 0 {
			h.commit.Chain = l.store(h.writer.epoch, h.records)
		}
		h.commit.Complete(nil)
	}
	close(o.over)
}

// hold keeps a batch until Resume, also a refused one: commits are done in call order. l.mu is held.
func (o *outage) hold(w *Writer, c *eventlog.Commit, records []eventlog.Record) {
	if n := len(records); n > 0 && w.err == nil {
		o.next, o.time = o.next+eventlog.Seq(n), records[n-1].Time
	}
	o.held = append(o.held, held{w, c, records, w.err})
	c.Suspect(fmt.Errorf("memlog: an outage was asked for: %w", eventlog.ErrUnavailable))
}

// awaitResume waits for the end of the outage, without l.mu, which is held before and after.
func (l *Log) awaitResume(ctx context.Context) error {
	over := l.outage.over
	l.mu.Unlock()
	defer l.mu.Lock()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
