package pebblelog

import (
	"context"
	"iter"

	"github.com/hookline/hookline/eventlog"
)

// Batches yields whole batches with their sections loaded, from the one that holds after+1 on: what Copy.Add takes. What
// is yielded is the caller's own.
func (l *Log) Batches(ctx context.Context, after eventlog.Seq) iter.Seq2[eventlog.Batch, error] {
	return func(yield func(eventlog.Batch, error) bool) {
		for b, err := range l.ReadBatches(ctx, after) {
			if err == nil {
				b.Records = appendOwn(nil, b.Records, 0)
				for i := range b.Records { // facts alias the chunk, which is read anew
					b.Records[i].Facts = append([]byte(nil), b.Records[i].Facts...)
				}
				_, err = l.loadGroup(b.Records)
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
