package pebblelog

import (
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookline/hookline/eventlog"
)

// Reads go chunk by chunk: stored batches are copied out, then yielded without holding anything of Pebble's.
const (
	firstChunk = 64 << 10
	maxChunk   = 1 << 20
)

// chunk is a run of stored batches.
type chunk struct {
	buf  []byte
	ends []int        // where each one ends in buf
	next eventlog.Seq // what follows
}

func (c *chunk) len() int { return len(c.ends) }

func (c *chunk) batch(i int) []byte {
	from := 0
	if i > 0 {
		from = c.ends[i-1]
	}
	return c.buf[from:c.ends[i]:c.ends[i]]
}

// using runs f with the database open.
func (l *Log) using(f func() error) error {
	l.reading.RLock()
	defer l.reading.RUnlock()
	if l.isClosed || l.closing.Load() {
		return eventlog.ErrClosed
	}
	return f()
}

// iter returns an iterator over the keys of a kind from `from` to `last`, both included.
func (l *Log) iter(kind byte, from, last eventlog.Seq) (*pebble.Iterator, error) {
	lower, upper := makeKey(kind, from), makeKey(kind, last+1)
	return l.db.NewIter(&pebble.IterOptions{LowerBound: lower[:], UpperBound: upper[:]})
}

// fill reads the batches from the one that holds seq on, up to head, until the chunk has `limit` bytes. seq must be
// within 1..head. The keys must follow each other without a hole.
func (l *Log) fill(c *chunk, seq, head eventlog.Seq, limit int) error {
	c.buf, c.ends, c.next = c.buf[:0], c.ends[:0], 0
	return l.using(func() error {
		it, err := l.iter(keyBatch, 0, head)
		if err != nil {
			return l.damaged(keyBatch, seq, head, err)
		}
		defer func() { _ = it.Close() }() // its error was seen in it.Error
		after := makeKey(keyBatch, seq+1)
		for ok := it.SeekLT(after[:]); ok && len(c.buf) < limit; ok = it.Next() {
			if err := c.add(it, seq); err != nil {
				if c.len() > 0 {
					return nil
				}
				return err
			}
		}
		if c.len() > 0 { // serve what is whole: if damage follows, the next fill meets it
			return nil
		}
		if err = it.Error(); err == nil {
			err = errors.New("no record is there")
		}
		return l.damaged(keyBatch, seq, head, err)
	})
}

// add appends the batch that it stands on; the first one must hold seq, the others follow the one before.
func (c *chunk) add(it *pebble.Iterator, seq eventlog.Seq) error {
	value, err := it.ValueAndErr()
	if err != nil {
		return seqDamage(keySeq(it.Key()), err.Error())
	}
	first, last, err := eventlog.DecodeRange(value)
	if err != nil {
		return seqDamage(keySeq(it.Key()), err.Error())
	}
	if first != keySeq(it.Key()) {
		return &eventlog.CorruptError{First: keySeq(it.Key()), Last: last, What: "batch stands under a wrong key"}
	}
	if c.len() == 0 && last < seq {
		return &eventlog.CorruptError{First: last + 1, Last: seq, What: "no record is there"}
	}
	if c.len() > 0 && first != c.next {
		return &eventlog.CorruptError{First: c.next, Last: first - 1, What: "no record is there"}
	}
	if len(c.buf) == 0 && cap(c.buf) < len(value) {
		c.buf = slices.Grow(c.buf, len(value))
	}
	c.buf = append(c.buf, value...)
	c.ends = append(c.ends, len(c.buf))
	c.next = last + 1
	return nil
}

// damaged names the seqs that cannot be read from `from` on: up to the next key that can, else up to head. It may take
// seconds: for each read of a damaged block Pebble tries whether one flipped bit explains it. The database is open.
func (l *Log) damaged(kind byte, from, head eventlog.Seq, cause error) error {
	// Reading from bad on meets the damage, from end on it does not; good is the first key known to be readable.
	bad, end, good := from, head+1, head+1
	for step := eventlog.Seq(8); from+step <= head && step != 0; step *= 4 {
		if k, ok := l.readable(kind, from+step, head); ok {
			end, good = from+step, k
			break
		}
		bad = from + step
	}
	for end-bad > 1 {
		middle := bad + (end-bad)/2
		if k, ok := l.readable(kind, middle, head); ok {
			end, good = middle, k
		} else {
			bad = middle
		}
	}
	return &eventlog.CorruptError{First: from, Last: good - 1, What: cause.Error()}
}

func (l *Log) readable(kind byte, from, head eventlog.Seq) (eventlog.Seq, bool) {
	it, err := l.iter(kind, from, head)
	if err != nil {
		return 0, false
	}
	defer func() { _ = it.Close() }()
	if !it.First() {
		return 0, false
	}
	if _, err := it.ValueAndErr(); err != nil {
		return 0, false
	}
	return keySeq(it.Key()), true
}
