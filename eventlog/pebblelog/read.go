package pebblelog

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookline/hookline/eventlog"
)

// ReadBatches implements eventlog.Log.
func (l *Log) ReadBatches(ctx context.Context, after eventlog.Seq) iter.Seq2[eventlog.Batch, error] {
	return func(yield func(eventlog.Batch, error) bool) {
		var c chunk
		var d eventlog.Decoder
		var b eventlog.Batch
		var link link
		limit := firstChunk
		for next := after + 1; next > after; next = c.next {
			more, err := l.nextChunk(ctx, &c, next, limit)
			if err != nil {
				yield(eventlog.Batch{}, err)
				return
			}
			if !more {
				return
			}
			for i := range c.len() {
				err := d.Decode(&b, c.batch(i))
				if err == nil {
					err = link.follow(&b)
				}
				if err != nil {
					yield(eventlog.Batch{}, err)
					return
				}
				if !yield(b, nil) {
					return
				}
			}
			limit = maxChunk
		}
	}
}

// nextChunk fills c from seq on. more is false at the head.
func (l *Log) nextChunk(ctx context.Context, c *chunk, seq eventlog.Seq, limit int) (more bool, err error) {
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if err := l.gone(); err != nil {
		return false, err
	}
	head := l.head.Load().Seq
	if seq > head {
		return false, nil
	}
	return true, l.fill(c, seq, head, limit)
}

// link checks that each batch names the chain of the one before as its own start.
type link struct {
	known bool
	chain eventlog.Hash
}

func (k *link) follow(b *eventlog.Batch) error {
	if k.known && k.chain != b.Prev {
		return &eventlog.CorruptError{First: b.First, Last: b.Last(), What: "its chain does not follow the batch before"}
	}
	k.known, k.chain = true, b.Chain
	return nil
}

// Read implements eventlog.Log. The records are the caller's own.
func (l *Log) Read(ctx context.Context, after eventlog.Seq) iter.Seq2[eventlog.Record, error] {
	return func(yield func(eventlog.Record, error) bool) {
		var d eventlog.Decoder
		var b eventlog.Batch
		var link link
		limit := firstChunk
		for next := after + 1; next > after; {
			var c chunk // its bytes go to the caller
			more, err := l.nextChunk(ctx, &c, next, limit)
			if err != nil {
				yield(eventlog.Record{}, err)
				return
			}
			if !more {
				return
			}
			var records []eventlog.Record
			for i := range c.len() {
				if err = d.Decode(&b, c.batch(i)); err == nil {
					err = link.follow(&b)
				}
				if err != nil {
					break
				}
				records = appendOwn(records, b.Records, after)
			}
			for group := range bySize(records) {
				if ctx.Err() != nil {
					yield(eventlog.Record{}, context.Cause(ctx))
					return
				}
				n, lerr := l.loadGroup(group)
				for _, r := range group[:n] {
					if !yield(r, nil) {
						return
					}
				}
				if lerr != nil {
					yield(eventlog.Record{}, lerr)
					return
				}
			}
			if err != nil {
				yield(eventlog.Record{}, err)
				return
			}
			next, limit = c.next, firstChunk*4
		}
	}
}

// appendOwn appends records after a seq, with sections of their own instead of the decoder's.
func appendOwn(dst, src []eventlog.Record, after eventlog.Seq) []eventlog.Record {
	for _, r := range src {
		if r.Seq > after {
			r.Sections = slices.Clone(r.Sections)
			dst = append(dst, r)
		}
	}
	return dst
}

// groupBytes is how much of sections is loaded at a time.
const groupBytes = 1 << 20

// bySize splits records into runs whose sections are loaded together.
func bySize(records []eventlog.Record) iter.Seq[[]eventlog.Record] {
	return func(yield func([]eventlog.Record) bool) {
		for len(records) > 0 {
			n, size := 0, 0
			for n < len(records) && size < groupBytes {
				size += sectionBytes(&records[n])
				n++
			}
			if !yield(records[:n]) {
				return
			}
			records = records[n:]
		}
	}
}

func sectionBytes(r *eventlog.Record) (n int) {
	for i := range r.Sections {
		n += int(r.Sections[i].Len)
	}
	return n
}

// loadGroup loads the sections of successive records. On error the first n are whole.
func (l *Log) loadGroup(records []eventlog.Record) (n int, err error) {
	size := 0
	for i := range records {
		if len(records[i].Sections) > 0 {
			size += sectionBytes(&records[i]) + 2 + 5*len(records[i].Sections)
		}
	}
	if size == 0 {
		return len(records), nil
	}
	buf := make([]byte, 0, size)
	err = l.using(func() error {
		n, err = l.walkSections(records, func(i int, stored []byte) error {
			from := len(buf)
			buf = append(buf, stored...)
			return eventlog.LoadSections(&records[i], buf[from:len(buf):len(buf)])
		})
		return err
	})
	return n, err
}

// walkSections calls f for each of successive records that has sections, in order. The first n records are whole:
// on error, which wraps ErrCorrupt, the one after them is not. The database is open.
func (l *Log) walkSections(records []eventlog.Record, f func(i int, stored []byte) error) (n int, err error) {
	first, last := records[0].Seq, records[len(records)-1].Seq
	it, err := l.iter(keySections, first, last)
	if err != nil {
		return 0, l.damaged(keySections, first, last, err)
	}
	defer func() { _ = it.Close() }() // its error is seen in it.Error
	ok := it.First()
	for i := range records {
		r := &records[i]
		switch {
		case ok && keySeq(it.Key()) < r.Seq || ok && keySeq(it.Key()) == r.Seq && len(r.Sections) == 0:
			return i, seqDamage(keySeq(it.Key()), "sections without a record that has them")
		case !ok && it.Error() != nil:
			return i, l.damaged(keySections, r.Seq, last, it.Error())
		case len(r.Sections) == 0:
			continue
		case !ok || keySeq(it.Key()) != r.Seq:
			return i, seqDamage(r.Seq, "its sections are missing")
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return i, seqDamage(r.Seq, "sections: "+err.Error())
		}
		if err := f(i, value); err != nil {
			return i, err
		}
		ok = it.Next()
	}
	return len(records), nil
}

func seqDamage(seq eventlog.Seq, what string) error {
	return &eventlog.CorruptError{First: seq, Last: seq, What: what}
}

// Get implements eventlog.Log.
func (l *Log) Get(ctx context.Context, seq eventlog.Seq) (r eventlog.Record, err error) {
	if ctx.Err() != nil {
		return r, context.Cause(ctx)
	}
	head := l.head.Load()
	if seq == 0 || seq > head.Seq {
		if err := l.gone(); err != nil {
			return r, err
		}
		return r, eventlog.ErrNotFound
	}
	err = l.using(func() error {
		r, err = l.get(seq, head.Seq)
		return err
	})
	if err != nil {
		return eventlog.Record{}, err
	}
	return r, nil
}

func (l *Log) get(seq, head eventlog.Seq) (r eventlog.Record, err error) {
	it, err := l.iter(keyBatch, 0, head)
	if err != nil {
		return r, l.damaged(keyBatch, seq, head, err)
	}
	defer func() { _ = it.Close() }()
	after := makeKey(keyBatch, seq+1)
	if !it.SeekLT(after[:]) {
		if err = it.Error(); err == nil {
			err = errors.New("no record is there")
		}
		return r, l.damaged(keyBatch, seq, head, err)
	}
	stored, err := it.ValueAndErr()
	if err != nil {
		return r, seqDamage(seq, err.Error())
	}
	if r, err = new(eventlog.Decoder).DecodeOne(stored, seq); err != nil {
		return r, seqDamage(seq, err.Error())
	}
	r.Facts = slices.Clone(r.Facts)
	if len(r.Sections) == 0 {
		return r, nil
	}
	return r, l.getSections(&r)
}

func (l *Log) getSections(r *eventlog.Record) error {
	key := makeKey(keySections, r.Seq)
	value, closer, err := l.db.Get(key[:])
	if err != nil {
		if errors.Is(err, pebble.ErrNotFound) {
			err = errors.New("they are missing")
		}
		return seqDamage(r.Seq, "sections: "+err.Error())
	}
	own := slices.Clone(value)
	_ = closer.Close()
	return eventlog.LoadSections(r, own)
}
