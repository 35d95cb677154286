// Package history keeps events, deliveries and attempts indexed: a view of the log for lists, searches and the
// idempotency window. Nothing is decided from it but the prefetched answer of Dedupe.
//
// # Promises
//
//   - History is a fold: the same records give the same keys and the same Digest, live or rebuilt.
//   - A status change adds a version under the seq of its record, nothing is overwritten. So every query answers for the
//     present and for any AsOf: what it would have answered when AsOf was the newest record.
//   - A query reads one consistent state. Rows are ordered by the seq that created them, so that paging by Position
//     neither repeats nor misses a row that matched all the while, whatever is written between the pages.
//   - Rows of another tenant are never returned.
//
// What a query sees is what was applied when it began: wait with the follower for newer records.
//
// # Concurrency
//
// Queries are safe for concurrent use, with each other and with the follower. Apply and Recall belong to the follower's
// goroutine. History opens and closes nothing: the projection.Store stays its owner's.
//
// # Keys
//
// A letter, then fixed-width big-endian numbers, so that keys sort by seq; a tenant is its length in one byte and its
// bytes. A ref is 8 bytes seq and 2 bytes ordinal. Numbers in values are uvarints (zig-zag where they may be negative).
//
//	e tenant seq                    an event: time, type, its endpoints in order of ordinals
//	i tenant id seq                 an event by its id (length before it)
//	d endpoint ref version          a delivery: what the record `version` says about it, see values.go
//	r tenant seq                    a delivery created afterwards, by the record that did: its endpoint, its event
//	v event seq                     the same by the event: its endpoint
//	a endpoint seq                  an attempt, test attempts included
//	b tenant seq                    the same, its endpoint before the rest
//	f endpoint seq, g tenant seq    the same as a and b for those not acknowledged
//	x endpoint ref, y tenant ref    a delivery that ended, but not succeeded (y: its endpoint)
//	w endpoint ref, u tenant ref    a delivery that waits since before the window, see window.go (u: its endpoint)
//	p tenant endpoint               an endpoint of a tenant, deleted ones included
//	t time seq                      a sample of record times, every 256 records
//	k day tenant dedupe             an idempotency key of that day (record time): seq, time, fingerprint
//
// An event that one endpoint takes at the first try costs six keys (seven with an idempotency key): e, i, d; d, a, b.
// All of them but i and k rise with the seq within their tenant or endpoint. Every list is one walk over one of them,
// whatever number of endpoints a tenant has.
package history

import (
	"errors"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// LayoutVersion is that of the keys: for projection.Options.Version.
const LayoutVersion = 2

const name = "history"

var (
	// ErrPosition: a Position that no query of this kind gave.
	ErrPosition = errors.New("history: invalid position")
	// ErrMalformed: a value that this build did not write. The store is damaged or of another version.
	ErrMalformed = errors.New("history: malformed value")
	// ErrBehind: AsOf is not applied yet. Wait for it and ask again.
	ErrBehind = errors.New("history: that seq is not applied yet")
)

// History is the view. Make it with New.
type History struct {
	store *projection.Store
	fold  fold
}

var (
	_ projection.View     = (*History)(nil)
	_ projection.Recaller = (*History)(nil)
)

// New makes the view over a store that was opened with LayoutVersion.
func New(store *projection.Store) *History { return newHistory(store, windowRecords, windowMatches) }

// newHistory has a window of its own size, which is part of the layout. The store may be nil where only Name matters.
func newHistory(store *projection.Store, records, matches int) *History {
	return &History{store: store, fold: newFold(records, matches)}
}

// Name is the name of the view's checkpoint.
func (h *History) Name() string { return name }

// Checkpoint is the seq up to which queries see everything.
func (h *History) Checkpoint() eventlog.Seq { return h.store.Checkpoint(name) }
