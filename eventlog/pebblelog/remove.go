package pebblelog

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookline/hookline/eventlog"
)

var _ eventlog.SectionRemover = (*Log)(nil)

// removeBatch is how many bytes of rewritten sections are committed together.
const removeBatch = 1 << 20

// RemoveSections implements eventlog.SectionRemover. Rewritten records are synced at the end, together; then the tables
// that held them are compacted, which is what frees the space. Readers and the writer go on meanwhile.
func (l *Log) RemoveSections(ctx context.Context, first, last eventlog.Seq, which func(*eventlog.Record) uint16) (removed int64, err error) {
	if l.opts.ReadOnly {
		return 0, errors.New("pebblelog: opened ReadOnly: open for writing to remove sections")
	}
	l.removing.Lock()
	defer l.removing.Unlock()
	first, last = max(first, l.head.Load().First), min(last, l.head.Load().Seq)
	var c chunk
	var d eventlog.Decoder
	var b eventlog.Batch
	for next := first; next <= last; next = c.next {
		more, err := l.nextChunk(ctx, &c, next, maxChunk)
		if err != nil || !more {
			return removed, err
		}
		for i := range c.len() {
			if err := d.Decode(&b, c.batch(i)); err != nil {
				return removed, err
			}
			n, err := l.removeIn(&b, first, last, which)
			removed += n
			if err != nil {
				return removed, err
			}
		}
	}
	if removed == 0 {
		return 0, nil
	}
	return removed, l.settleRemoval(ctx, first, last)
}

// removeIn rewrites the sections of one batch's records.
func (l *Log) removeIn(b *eventlog.Batch, first, last eventlog.Seq, which func(*eventlog.Record) uint16) (removed int64, err error) {
	return removed, l.using(func() error {
		w := l.db.NewBatch()
		defer func() { _ = w.Close() }()
		var buf []byte
		for i := range b.Records {
			r := &b.Records[i]
			if r.Seq < first || r.Seq > last || len(r.Sections) == 0 {
				continue
			}
			mask := which(r)
			if mask == 0 {
				continue
			}
			key := makeKey(keySections, r.Seq)
			value, closer, err := l.db.Get(key[:])
			if err != nil {
				return l.removalFailed(r.Seq, err)
			}
			out, n, err := eventlog.RemoveStored(buf[:0], value, mask)
			_ = closer.Close()
			if err != nil {
				return seqDamage(r.Seq, err.Error())
			}
			if n == 0 {
				continue
			}
			buf = out
			removed += int64(n)
			if err := w.Set(key[:], out, nil); err != nil {
				return err
			}
			if w.Len() >= removeBatch {
				if err := l.db.Apply(w, pebble.NoSync); err != nil {
					return err
				}
				w.Reset()
			}
		}
		if w.Empty() {
			return nil
		}
		return l.db.Apply(w, pebble.NoSync)
	})
}

func (l *Log) removalFailed(seq eventlog.Seq, err error) error {
	if errors.Is(err, pebble.ErrNotFound) {
		err = errors.New("they are missing")
	}
	return seqDamage(seq, "sections: "+err.Error())
}

// settleRemoval makes a removal durable and gives its space back.
func (l *Log) settleRemoval(ctx context.Context, first, last eventlog.Seq) error {
	return l.using(func() error {
		if err := l.db.LogData(nil, pebble.Sync); err != nil { // syncs what was applied before it
			return err
		}
		if err := l.db.Flush(); err != nil {
			return fmt.Errorf("pebblelog: flush after a removal: %w", err)
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(l.stopped, cancel)() // who closes the log does not wait for it
		lower, upper := makeKey(keySections, first), makeKey(keySections, last+1)
		// Twice: Pebble goes down only to the deepest level that had keys of the range when it began. Where all of them were
		// in the first level yet, the old values and the new ones are then in different levels.
		for range 2 {
			if err := l.db.Compact(ctx, lower[:], upper[:], false); err != nil && ctx.Err() == nil {
				return fmt.Errorf("pebblelog: compaction after a removal: %w", err)
			}
		}
		return nil
	})
}

// SectionBytes implements eventlog.SectionRemover: what Pebble's tables take, by whole blocks. What is in memory only does
// not count.
func (l *Log) SectionBytes(first, last eventlog.Seq) (n int64, err error) {
	if last < first {
		return 0, nil
	}
	return n, l.using(func() error {
		lower, upper := makeKey(keySections, first), makeKey(keySections, last+1)
		size, err := l.db.EstimateDiskUsage(lower[:], upper[:])
		n = int64(size)
		return err
	})
}
