// Package idempotency knows which idempotency keys were used lately: a view of the log, small and quick to make anew, so
// that a start waits for it alone.
//
// # Promises
//
//   - Keys is a fold: the same records give the same keys and the same Digest, live or rebuilt.
//   - Dedupe is exact for every event up to the Checkpoint in its answer; what is newer the caller has to know.
//   - A key counts for 24 h of record time. Those of days that no answer can need any more are dropped.
//
// # Concurrency
//
// Dedupe, Digest and Checkpoint are safe for concurrent use, with each other and with the follower. Apply and Recall
// belong to the follower's goroutine. Keys opens and closes nothing: the projection.Store stays its owner's.
//
// # Keys
//
//	K day tenant dedupe    a key that was used that day (record time, 4 bytes big-endian): seq, time, fingerprint
//
// A tenant is its length in one byte and its bytes; dedupe is the 16 bytes of event.published. seq is a uvarint, time a
// zig-zag one (Unix ms), the fingerprint 16 bytes. Other views of the same store keep away from K.
package idempotency

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// LayoutVersion is that of the keys: part of projection.Options.Version.
const LayoutVersion = 1

const name = "idempotency"

// ErrMalformed: a value that this build did not write. The store is damaged or of another version.
var ErrMalformed = errors.New("idempotency: malformed value")

// Keys is the view. Make it with New.
type Keys struct {
	store  *projection.Store
	filter keyFilter
	fold   fold
}

// fold is what applying keeps between records.
type fold struct {
	day       int64 // whose predecessors' keys are dropped; -1 = none yet
	key, val  []byte
	published record.EventPublished
}

var _ projection.View = (*Keys)(nil)

// New makes the view over a store. The store may be nil where only Name matters.
func New(store *projection.Store) *Keys { return &Keys{store: store, fold: fold{day: -1}} }

// Name is the name of the view's checkpoint.
func (k *Keys) Name() string { return name }

// Checkpoint is the seq up to which Dedupe knows every key.
func (k *Keys) Checkpoint() eventlog.Seq { return k.store.Checkpoint(name) }

// Digest is a SHA-256 over all keys and values, and the checkpoint it stands for. It may run beside the follower.
func (k *Keys) Digest(ctx context.Context) (eventlog.Hash, eventlog.Seq, error) {
	return k.store.Digest(ctx, name, []byte{keyDedupe}, []byte{keyDedupe + 1})
}

// Apply implements projection.View.
func (k *Keys) Apply(w *projection.Batch, b *eventlog.Batch) error {
	if !k.filter.ready.Load() { // the store is all there is
		if err := k.filter.load(k.store); err != nil {
			return err
		}
	}
	for i := range b.Records {
		r := &b.Records[i]
		k.dropOld(w, r.Time)
		if r.Type != record.TypeEventPublished {
			continue
		}
		if err := k.published(w, r); err != nil {
			return fmt.Errorf("idempotency: record %d, %s: %w", r.Seq, record.Name(r.Type), err)
		}
	}
	return nil
}

// dropOld lets go of what no window reaches any more: the days before yesterday.
func (k *Keys) dropOld(w *projection.Batch, now int64) {
	if day := max(now, 0) / dayMS; day > k.fold.day {
		k.fold.day = day
		if day > 1 {
			w.DeleteRange(appendDay(nil, 0), appendDay(nil, day-1))
		}
	}
}

func (k *Keys) published(w *projection.Batch, r *eventlog.Record) error {
	p := &k.fold.published
	if err := p.Decode(r.Facts); err != nil || !p.HasDedupe {
		return err
	}
	day := max(r.Time, 0) / dayMS
	k.filter.add(day, p.Dedupe)
	k.fold.key = appendDedupe(k.fold.key[:0], day, r.Tenant, p.Dedupe)
	k.fold.val = (&use{seq: r.Seq, time: r.Time, fingerprint: p.Fingerprint}).append(k.fold.val[:0])
	w.Set(k.fold.key, k.fold.val)
	return nil
}
