package pebblelog

import (
	"sync/atomic"

	"github.com/hookline/hookline/eventlog"
)

// endRecords is how many records before the high-water mark are checked at opening, beside everything after it.
const endRecords = 1024

// checkEnd finds the log's end, and checks it: everything since the mark and the last records before it against
// chain, sums and mark. It sets head and last.
func (l *Log) checkEnd() error {
	mark := l.mark.at
	end, err := l.lastSeq()
	if err != nil {
		return err
	}
	if end < mark.seq {
		return &eventlog.CorruptError{First: end + 1, Last: mark.seq, What: "the log was cut: these records were durable"}
	}
	if mark.clean && end > mark.seq {
		return &eventlog.CorruptError{First: mark.seq + 1, Last: end,
			What: "records after the clean end: the mark is of another state of this log"}
	}
	l.head.Store(&eventlog.Head{First: 1})
	k := checker{mark: mark}
	next := eventlog.Seq(1)
	if mark.seq > endRecords {
		next = mark.seq - endRecords
	}
	var c chunk
	for ; next <= end; next = c.next {
		if err := l.fill(&c, next, end, maxChunk); err != nil {
			return err
		}
		if err := l.check(&c, &k); err != nil {
			return err
		}
	}
	if mark.seq > 0 && !k.met {
		return &eventlog.CorruptError{First: mark.seq, Last: mark.seq, What: "no batch ends where the mark stands"}
	}
	if end > 0 {
		b := &k.batch
		time := b.Records[len(b.Records)-1].Time
		l.last = tail{seq: end, time: time, chain: b.Chain, epoch: b.Epoch}
		l.head.Store(&eventlog.Head{Seq: end, Time: time, Chain: b.Chain, First: 1})
	}
	return nil
}

// lastSeq returns the last seq in the database, whatever the mark says.
func (l *Log) lastSeq() (last eventlog.Seq, err error) {
	err = l.using(func() error {
		it, err := l.iter(keyBatch, 0, ^eventlog.Seq(0)-1)
		if err != nil {
			return &eventlog.CorruptError{What: err.Error()}
		}
		defer func() { _ = it.Close() }()
		if !it.Last() {
			if err := it.Error(); err != nil {
				return &eventlog.CorruptError{Last: l.mark.at.seq, What: err.Error()}
			}
			return nil
		}
		value, err := it.ValueAndErr()
		if err == nil {
			_, last, err = eventlog.DecodeRange(value)
		}
		if err != nil {
			return &eventlog.CorruptError{First: keySeq(it.Key()), Last: keySeq(it.Key()), What: err.Error()}
		}
		return nil
	})
	return last, err
}

// checker checks batches in order, recomputing what the chain says. It belongs to one goroutine.
type checker struct {
	mark   point
	met    bool // a batch ended at the mark, with its chain
	link   link
	dec    eventlog.Decoder
	hasher eventlog.Hasher
	batch  eventlog.Batch // the last one checked
	tally  tally
}

// tally counts what was checked.
type tally struct{ batches, records, sections, removed, bytes atomic.Int64 }

// check recomputes the chain of every batch in c and the sum of every section. Its error wraps ErrCorrupt.
func (l *Log) check(c *chunk, k *checker) error {
	for i := range c.len() {
		stored := c.batch(i)
		b := &k.batch
		if err := k.dec.Decode(b, stored); err != nil {
			return err
		}
		if err := k.link.follow(b); err != nil {
			return err
		}
		if k.hasher.Chain(b) != b.Chain {
			return &eventlog.CorruptError{First: b.First, Last: b.Last(), What: "its chain is not that of its records"}
		}
		if b.Last() == k.mark.seq {
			if b.Chain != k.mark.chain {
				return &eventlog.CorruptError{First: b.First, Last: b.Last(),
					What: "its chain is not that of the high-water mark"}
			}
			k.met = true
		}
		k.tally.batches.Add(1)
		k.tally.records.Add(int64(len(b.Records)))
		k.tally.bytes.Add(int64(len(stored)))
	}
	return l.checkSections(c, k)
}

// checkSections loads the sections of the chunk's records and counts them.
func (l *Log) checkSections(c *chunk, k *checker) error {
	var b eventlog.Batch
	var d eventlog.Decoder
	var records []eventlog.Record
	for i := range c.len() {
		if err := d.Decode(&b, c.batch(i)); err != nil {
			return err
		}
		records = appendOwn(records, b.Records, 0)
	}
	return l.using(func() error {
		return l.walkSections(records, func(i int, stored []byte) error {
			if err := eventlog.LoadSections(&records[i], stored); err != nil {
				return err
			}
			for _, s := range records[i].Sections {
				if s.Removed {
					k.tally.removed.Add(1)
				}
			}
			k.tally.sections.Add(int64(len(records[i].Sections)))
			k.tally.bytes.Add(int64(len(stored)))
			return nil
		})
	})
}
