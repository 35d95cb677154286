package pebblelog

import (
	"errors"

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
			return seqDamage(keySeq(it.Key()), err.Error())
		}
		return nil
	})
	return last, err
}

// checker checks batches in order, recomputing what the chain says. It belongs to one goroutine.
type checker struct {
	mark   point
	met    bool // a batch ended at the mark, with its chain
	report func(*eventlog.CorruptError)
	// allowed says which sections may be removed; nil = any.
	allowed func(*eventlog.Record) uint16
	link    link
	dec     eventlog.Decoder
	hasher  eventlog.Hasher
	batch   eventlog.Batch // the last one checked
	tally   tally
}

// tally counts what was checked and found whole.
type tally struct{ batches, records, sections, removed, bytes int64 }

// damage says what to do about damage: without report, checking ends with it.
func (k *checker) damage(err error) error {
	var damage *eventlog.CorruptError
	if k.report == nil || !errors.As(err, &damage) {
		return err
	}
	k.report(damage)
	return nil
}

// check recomputes the chain of every batch in c and the sum of every section. Damage is its error, or goes to
// k.report and checking goes on.
func (l *Log) check(c *chunk, k *checker) error {
	var records []eventlog.Record
	for i := range c.len() {
		err := k.checkBatch(c.batch(i))
		if err == nil {
			records = appendOwn(records, k.batch.Records, 0)
			continue
		}
		k.link.known = false
		if err := k.damage(err); err != nil {
			return err
		}
		if err := l.checkSections(records, k); err != nil {
			return err
		}
		records = records[:0]
	}
	return l.checkSections(records, k)
}

func (k *checker) checkBatch(stored []byte) error {
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
	k.tally.batches++
	k.tally.records += int64(len(b.Records))
	k.tally.bytes += int64(len(stored))
	return nil
}

// checkSections loads the sections of successive records and counts them.
func (l *Log) checkSections(records []eventlog.Record, k *checker) error {
	for len(records) > 0 {
		var n int
		err := l.using(func() (err error) {
			n, err = l.walkSections(records, func(i int, stored []byte) error {
				return k.checkRecord(&records[i], stored)
			})
			return err
		})
		if err == nil {
			return nil
		}
		var damage *eventlog.CorruptError
		if errors.As(err, &damage) {
			for n++; n < len(records) && records[n].Seq <= damage.Last; n++ {
			}
		}
		if err := k.damage(err); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

func (k *checker) checkRecord(r *eventlog.Record, stored []byte) error {
	if err := eventlog.LoadSections(r, stored); err != nil {
		return err
	}
	removed := uint16(0)
	for i := range r.Sections {
		if r.Sections[i].Removed {
			k.tally.removed++
			removed |= 1 << i
		}
		r.Sections[i].Data = nil // it is Pebble's
	}
	if removed != 0 && k.allowed != nil && removed&^k.allowed(r) != 0 {
		return seqDamage(r.Seq, "sections: removed without a rule of the log that says so")
	}
	k.tally.sections += int64(len(r.Sections))
	k.tally.bytes += int64(len(stored))
	return nil
}
