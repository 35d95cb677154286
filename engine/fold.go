package engine

import (
	"context"

	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// Rebuild folds a log from its first record, up to a seq that ends a batch (0 = the head), trusting nothing else.
func Rebuild(ctx context.Context, log eventlog.Log, to eventlog.Seq, progress func(eventlog.Seq)) (*state.State, error) {
	st := state.New()
	_, err := foldTo(ctx, log, st, to, progress)
	return st, err
}

// foldTo applies the whole batches after the state's seq, up to seq `to` (0 = the head), and returns the chain after the
// last of them. progress, if not nil, is called now and then with the seq reached.
func foldTo(ctx context.Context, log eventlog.Log, st *state.State, to eventlog.Seq, progress func(eventlog.Seq)) (chain eventlog.Hash, err error) {
	get := func(seq eventlog.Seq) (eventlog.Record, error) { return log.Get(ctx, seq) }
	n := 0
	for b, err := range log.ReadBatches(ctx, st.Seq) {
		if err != nil {
			return chain, err
		}
		if to != 0 && b.Last() > to {
			break
		}
		if err := st.Fold(&b, get); err != nil {
			return chain, err
		}
		chain = b.Chain
		if n += len(b.Records); progress != nil && n >= 50_000 {
			n = 0
			progress(st.Seq)
		}
	}
	return chain, nil
}

// foldUpTo applies the records after the state's seq up to one, which need not end a batch. at, if not nil, is called
// after every whole batch with the chain there.
func foldUpTo(ctx context.Context, log eventlog.Log, st *state.State, to eventlog.Seq, at func(eventlog.Hash)) error {
	get := func(seq eventlog.Seq) (eventlog.Record, error) { return log.Get(ctx, seq) }
	for b, err := range log.ReadBatches(ctx, st.Seq) {
		if err != nil {
			return err
		}
		if b.First > to {
			break
		}
		whole := b.Last() <= to
		if !whole {
			b.Records = b.Records[:to-b.First+1]
		}
		if err := st.Fold(&b, get); err != nil {
			return err
		}
		if !whole || st.Seq == to {
			break
		}
		if at != nil {
			at(b.Chain)
		}
	}
	return nil
}
