package pebblelog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookline/hookline/eventlog"
)

// Writer appends to a Log. See Log.Acquire.
type Writer struct {
	log    *Log
	epoch  eventlog.Epoch
	err    error            // the first failure: every later append fails with it
	newest *eventlog.Commit // of the last batch that went on its way
}

var _ eventlog.Writer = (*Writer)(nil)

// Acquire implements eventlog.Log. When ctx ends before the epoch record is durable the former Writer is fenced all
// the same.
func (l *Log) Acquire(ctx context.Context, owner string) (eventlog.Writer, error) {
	if err := eventlog.CheckOwner(owner); err != nil {
		return nil, err
	}
	if l.opts.ReadOnly {
		return nil, errors.New("pebblelog: opened ReadOnly: open for writing to acquire")
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	w, c, err := l.acquire(owner)
	if err != nil {
		return nil, err
	}
	if err := c.Wait(ctx); err != nil {
		return nil, err
	}
	return w, nil
}

func (l *Log) acquire(owner string) (*Writer, *eventlog.Commit, error) {
	l.appending.Lock()
	defer l.appending.Unlock()
	if l.isDown() {
		return nil, nil, l.cause
	}
	// From the first append on the mark must not say "clean" any more: after a crash it would be taken for exact.
	if err := l.marking.unclean(l.mark); err != nil {
		l.fatal(err)
		return nil, nil, fmt.Errorf("%w: %w", ErrDisk, err)
	}
	e := eventlog.Epoch{Number: l.last.epoch + 1, Tag: rand.Uint32(), Owner: owner}
	w := &Writer{log: l, epoch: e}
	l.writer = w
	records := eventlog.PrepareEpoch(e, l.last.seq+1, max(l.opts.Now(), l.last.time))
	c, err := l.submit(e, records)
	w.newest = c
	return w, c, err
}

// Epoch implements eventlog.Writer.
func (w *Writer) Epoch() eventlog.Epoch { return w.epoch }

// Next implements eventlog.Writer.
func (w *Writer) Next() eventlog.Seq {
	w.log.appending.Lock()
	defer w.log.appending.Unlock()
	return w.log.last.seq + 1
}

// Append implements eventlog.Writer. When it refuses, it waits for what is under way: the Writer is of no use any more.
func (w *Writer) Append(records []eventlog.Record) *eventlog.Commit {
	l := w.log
	l.appending.Lock()
	defer l.appending.Unlock()
	first := l.last.seq + 1
	if w.err == nil {
		w.err = w.refuse(records, first)
	}
	if w.err == nil && len(records) > 0 {
		c, err := l.submit(w.epoch, records)
		if w.err = err; err == nil {
			w.newest = c
			return c
		}
	}
	c := eventlog.NewCommit(first, first+eventlog.Seq(len(records))-1)
	c.Chain = l.last.chain
	if w.err != nil {
		w.settle() // commits complete in call order
	}
	c.Complete(w.err)
	return c
}

// settle waits until what w appended is done, one way or the other: its waiters learn which.
func (w *Writer) settle() {
	if w.newest != nil {
		_ = w.newest.Wait(context.Background())
	}
}

func (w *Writer) refuse(records []eventlog.Record, first eventlog.Seq) error {
	switch {
	case w.log.isDown():
		return w.log.cause
	case w.log.writer != w:
		return eventlog.ErrFenced
	}
	return eventlog.Prepare(records, first, w.log.last.time)
}

func (l *Log) isDown() bool {
	select {
	case <-l.down:
		return true
	default:
		return false
	}
}

// submit encodes prepared records as the next batch and sends it on its way. l.appending is held.
func (l *Log) submit(e eventlog.Epoch, records []eventlog.Record) (*eventlog.Commit, error) {
	b := eventlog.Batch{
		Epoch: e.Number, Owner: e.Owner, First: l.last.seq + 1, Prev: l.last.chain, Records: records,
	}
	b.Chain = l.hasher.Chain(&b)
	facts := eventlog.EncodedLen(&b)
	bytes := facts + batchOverhead
	for i := range records {
		if len(records[i].Sections) > 0 {
			bytes += eventlog.EncodedSectionsLen(records[i].Sections) + batchOverhead
		}
	}
	l.pipe.wait(bytes, l.down)
	if l.isDown() {
		return nil, l.cause
	}
	c := eventlog.NewCommit(b.First, b.Last())
	c.Chain = b.Chain
	u := &underway{commit: c, batch: l.db.NewBatchWithSize(bytes), bytes: bytes}
	u.head = eventlog.Head{Seq: b.Last(), Time: records[len(records)-1].Time, Chain: b.Chain, First: 1}
	encode(u.batch, &b, facts)
	if err := l.pipe.push(u); err != nil {
		return nil, err
	}
	l.last = tail{seq: b.Last(), time: u.head.Time, chain: b.Chain, epoch: e.Number}
	l.space.appended(bytes)
	l.toApply <- u
	return c, nil
}

// batchOverhead is an upper bound of what Pebble adds to a key and value in a batch.
const batchOverhead = 32

// encode writes b straight into Pebble's batch: the body is copied once.
func encode(to *pebble.Batch, b *eventlog.Batch, facts int) {
	op := to.SetDeferred(keyLen, facts)
	putKey(op.Key, keyBatch, b.First)
	eventlog.AppendBatch(op.Value[:0], b)
	_ = op.Finish() // fails for indexed batches only
	for i := range b.Records {
		r := &b.Records[i]
		if len(r.Sections) == 0 {
			continue
		}
		op := to.SetDeferred(keyLen, eventlog.EncodedSectionsLen(r.Sections))
		putKey(op.Key, keySections, r.Seq)
		eventlog.AppendSections(op.Value[:0], r.Sections)
		_ = op.Finish()
	}
}

// Close implements eventlog.Writer. It waits until what was appended is done, and leaves the log open.
func (w *Writer) Close() error {
	w.log.appending.Lock()
	if w.err == nil {
		w.err = eventlog.ErrClosed
	}
	w.log.appending.Unlock()
	w.settle()
	return nil
}
