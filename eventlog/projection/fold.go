package projection

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookline/hookline/eventlog"
)

// Bounds of one store commit: it is made once either is reached, at a log batch's end.
const (
	commitRecords = 2048
	commitBytes   = 1 << 20
)

// fold applies a view to a store, batch by batch. It belongs to one goroutine.
type fold struct {
	log   eventlog.Log
	store *Store
	view  View

	done      checkpoint // committed
	reached   checkpoint // applied, maybe not committed
	records   int        // applied since the last commit
	batch     Batch
	committed func(from, to eventlog.Seq) // may be nil
}

// begin takes up the work where the store's checkpoint is.
func (f *fold) begin(ctx context.Context) error {
	if n := len(f.view.Name()); n == 0 || n > maxName {
		return fmt.Errorf("%w: view name of %d bytes, want 1 to %d", ErrKey, n, maxName)
	}
	f.done = f.store.checkpoint(f.view.Name())
	head, err := f.log.Head(ctx)
	if err != nil {
		return err
	}
	if f.done.seq == 0 && head.First > 0 {
		f.done.seq = head.First - 1 // what was trimmed is not there to be applied
	}
	f.reached = f.done
	return f.recall(ctx, head.First)
}

// recall shows a Recaller the newest records before the checkpoint again.
func (f *fold) recall(ctx context.Context, first eventlog.Seq) error {
	v, ok := f.view.(Recaller)
	if !ok || f.done.seq == 0 {
		return nil
	}
	after := max(first, 1) - 1
	if n := v.RecallRecords(); f.done.seq > n {
		after = max(after, f.done.seq-n)
	}
	if after >= f.done.seq {
		return nil
	}
	for b, err := range f.log.ReadBatches(ctx, after) {
		if err != nil {
			return err
		}
		part := cut(&b, after, f.done.seq)
		if len(part.Records) > 0 {
			if err := v.Recall(&part); err != nil {
				return fmt.Errorf("projection: view %s recalls %d to %d: %w", f.view.Name(), part.First, part.Last(), err)
			}
		}
		if b.Last() >= f.done.seq {
			return nil
		}
	}
	return nil
}

// cut returns b without the records up to after and those beyond last.
func cut(b *eventlog.Batch, after, last eventlog.Seq) eventlog.Batch {
	part := *b
	if part.First <= after {
		n := min(int(after-part.First)+1, len(part.Records))
		part.Records = part.Records[n:]
		part.First += eventlog.Seq(n)
	}
	if part.Last() > last {
		part.Records = part.Records[:max(0, int(last)-int(part.First)+1)]
	}
	return part
}

// catchUp applies what the log has, until its end, until seq `until` is applied (0 = never), or until stop says so.
func (f *fold) catchUp(ctx context.Context, until eventlog.Seq, stop func() bool) error {
	for b, err := range f.log.ReadBatches(ctx, f.reached.seq) {
		if err != nil {
			return errors.Join(err, f.commit())
		}
		if err := f.apply(&b); err != nil {
			return err
		}
		if f.records >= commitRecords || f.batch.Len() >= commitBytes {
			if err := f.commit(); err != nil {
				return err
			}
		}
		if until > 0 && f.reached.seq >= until || stop != nil && stop() {
			break
		}
	}
	return f.commit()
}

func (f *fold) apply(b *eventlog.Batch) error {
	part := *b
	if b.First <= f.reached.seq {
		part = cut(b, f.reached.seq, b.Last())
	}
	if part.First != f.reached.seq+1 {
		return fmt.Errorf("projection: view %s: %w", f.view.Name(), &eventlog.CorruptError{
			First: f.reached.seq + 1, Last: part.First - 1, What: "the log skips these records"})
	}
	if err := f.view.Apply(&f.batch, &part); err != nil {
		return fmt.Errorf("projection: view %s at %d to %d: %w", f.view.Name(), part.First, part.Last(), err)
	}
	f.records += len(part.Records)
	f.reached = checkpoint{seq: b.Last(), chain: b.Chain}
	return nil
}

// commit makes what was applied readable.
func (f *fold) commit() error {
	if f.reached == f.done {
		return nil
	}
	if v, ok := f.view.(Finisher); ok {
		if err := v.Finish(&f.batch); err != nil {
			return fmt.Errorf("projection: view %s at %d: %w", f.view.Name(), f.reached.seq, err)
		}
	}
	if err := f.store.commit(f.view.Name(), &f.batch, f.reached); err != nil {
		return err
	}
	from := f.done.seq
	f.done = f.reached
	f.records = 0
	f.batch.reset()
	if f.committed != nil {
		f.committed(from, f.done.seq)
	}
	return nil
}

// FoldOptions say what Fold does.
type FoldOptions struct {
	Log   eventlog.Log
	Store *Store
	View  View
	// Until is the seq to stop at: the end of the log's batch that holds it. 0 = the head.
	Until eventlog.Seq
	// Progress, when set, is called after every commit with the seq reached.
	Progress func(eventlog.Seq)
}

// Fold applies a view from its checkpoint on, in the caller's goroutine, and flushes: rebuilds and checks use it. It
// returns the seq reached.
func Fold(ctx context.Context, o FoldOptions) (eventlog.Seq, error) {
	f := &fold{log: o.Log, store: o.Store, view: o.View}
	if o.Progress != nil {
		f.committed = func(_, to eventlog.Seq) { o.Progress(to) }
	}
	if err := f.begin(ctx); err != nil {
		return f.done.seq, err
	}
	if o.Until == 0 || f.done.seq < o.Until {
		if err := f.catchUp(ctx, o.Until, nil); err != nil {
			return f.done.seq, err
		}
	}
	return f.done.seq, o.Store.Flush()
}
