package memlog

import (
	"context"
	"iter"

	"github.com/hookline/hookline/eventlog"
)

// Read implements eventlog.Log.
func (l *Log) Read(ctx context.Context, after eventlog.Seq) iter.Seq2[eventlog.Record, error] {
	return func(yield func(eventlog.Record, error) bool) {
		for s, err := range l.walk(ctx, after) {
			if err != nil {
				yield(eventlog.Record{}, err)
				return
			}
			// A batch of its own each time: what Read yields stays valid.
			var b eventlog.Batch
			if err := new(eventlog.Decoder).Decode(&b, s.batch); err != nil {
				yield(eventlog.Record{}, err)
				return
			}
			for i := range b.Records {
				r := b.Records[i]
				if r.Seq <= after {
					continue
				}
				if err := load(&r, s, i); err != nil {
					yield(eventlog.Record{}, err)
					return
				}
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// ReadBatches implements eventlog.Log.
func (l *Log) ReadBatches(ctx context.Context, after eventlog.Seq) iter.Seq2[eventlog.Batch, error] {
	return func(yield func(eventlog.Batch, error) bool) {
		var d eventlog.Decoder
		var b eventlog.Batch
		for s, err := range l.walk(ctx, after) {
			if err == nil {
				err = d.Decode(&b, s.batch)
			}
			if err != nil {
				yield(eventlog.Batch{}, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// walk yields the stored batches from the one that holds after+1 to the head at the time it gets there.
func (l *Log) walk(ctx context.Context, after eventlog.Seq) iter.Seq2[stored, error] {
	return func(yield func(stored, error) bool) {
		for next := after + 1; next > after; {
			if ctx.Err() != nil {
				yield(stored{}, context.Cause(ctx))
				return
			}
			s, err := l.find(next)
			if err != nil {
				yield(s, err)
				return
			}
			if s.batch == nil || !yield(s, nil) {
				return
			}
			next = s.last + 1
		}
	}
}

// Get implements eventlog.Log.
func (l *Log) Get(ctx context.Context, seq eventlog.Seq) (eventlog.Record, error) {
	if ctx.Err() != nil {
		return eventlog.Record{}, context.Cause(ctx)
	}
	s, err := l.find(seq)
	if err != nil {
		return eventlog.Record{}, err
	}
	if s.batch == nil || seq == 0 {
		return eventlog.Record{}, eventlog.ErrNotFound
	}
	r, err := new(eventlog.Decoder).DecodeOne(s.batch, seq)
	if err == nil {
		err = load(&r, s, int(seq-s.first))
	}
	if err != nil {
		return eventlog.Record{}, err
	}
	return r, nil
}

func load(r *eventlog.Record, s stored, i int) error {
	if len(r.Sections) == 0 {
		return nil
	}
	return eventlog.LoadSections(r, s.sections[i])
}
