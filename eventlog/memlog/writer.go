package memlog

import "github.com/hookline/hookline/eventlog"

// Writer appends to a Log.
type Writer struct {
	log   *Log
	epoch eventlog.Epoch
	err   error // the first failure: every later append fails with it
}

var _ eventlog.Writer = (*Writer)(nil)

// Epoch implements eventlog.Writer.
func (w *Writer) Epoch() eventlog.Epoch { return w.epoch }

// Next implements eventlog.Writer.
func (w *Writer) Next() eventlog.Seq {
	w.log.mu.RLock()
	defer w.log.mu.RUnlock()
	next, _ := w.log.tail()
	return next
}

// tail is the seq of the next append and the time of the last one. l.mu is held.
func (l *Log) tail() (next eventlog.Seq, time int64) {
	if o := l.outage; o != nil {
		return o.next, o.time
	}
	return l.head.Seq + 1, l.head.Time
}

// Append implements eventlog.Writer. The commit is done when it returns, but in an outage.
func (w *Writer) Append(records []eventlog.Record) *eventlog.Commit {
	l := w.log
	l.mu.Lock()
	defer l.mu.Unlock()
	first, last := l.tail()
	c := eventlog.NewCommit(first, first+eventlog.Seq(len(records))-1)
	if w.err == nil {
		w.err = w.refuse(records, first, last)
	}
	if l.outage != nil {
		l.outage.hold(w, c, records)
		return c
	}
	if w.err == nil {
		c.Chain = l.head.Chain
		if len(records) > 0 {
			c.Chain = l.store(w.epoch, records)
		}
	}
	c.Complete(w.err)
	return c
}

func (w *Writer) refuse(records []eventlog.Record, first eventlog.Seq, last int64) error {
	switch {
	case w.log.closed:
		return eventlog.ErrClosed
	case w.log.writer != w:
		return eventlog.ErrFenced
	}
	return eventlog.Prepare(records, first, last)
}

// Close implements eventlog.Writer. It leaves the log open, without a writer.
func (w *Writer) Close() error {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	if w.err == nil {
		w.err = eventlog.ErrClosed
	}
	return nil
}
