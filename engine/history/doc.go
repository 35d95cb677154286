// Package history keeps events, deliveries and attempts indexed: a view of the log for lists and searches. Nothing is
// decided from it.
//
// # Promises
//
//   - History is a fold: the same records give the same keys and the same Digest, live or rebuilt.
//   - A status change adds a version under the seq of its record, what was said before stays. So every query answers for
//     the present and for any AsOf: what it would have answered when AsOf was the newest record.
//   - A query reads one consistent state. Rows are ordered by the seq that created them, so that paging by Position
//     neither repeats nor misses a row that matched all the while, whatever is written between the pages.
//   - Rows of another tenant are never returned.
//
// What a query sees is what was applied when it began: wait with the follower for newer records.
//
// # Concurrency
//
// Queries are safe for concurrent use, with each other and with the follower. Apply, Finish and Recall belong to the
// follower's goroutine. History opens and closes nothing: the projection.Store stays its owner's.
//
// # Keys
//
// A letter from a to z, then fixed-width big-endian numbers, so that keys sort by seq; a tenant is its length in one byte and its
// bytes. A ref is 8 bytes seq and 2 bytes ordinal. Numbers in values are uvarints (zig-zag where they may be negative).
//
// Lists, of a tenant or an endpoint, a row a record; one key holds dozens of rows and ends in the seq of the first of
// them. See lists.go for where a key ends, rows.go for the rows.
//
//	e tenant seq                    events, deliveries created afterwards, attempts (tests included)
//	c endpoint seq                  creations of deliveries, attempts
//	g tenant seq, f endpoint seq    the attempts again, those not acknowledged
//
// One thing each:
//
//	i tenant id seq                 an event by its id (length before it)
//	d endpoint ref version          a delivery: what the record `version` says about it, see values.go
//	v event seq                     a delivery created afterwards, by its event: its endpoint
//	x endpoint ref, y tenant ref    a delivery that ended, but not succeeded (y: its endpoint)
//	w endpoint ref, u tenant ref    a delivery that waits since before the window, see window.go (u: its endpoint)
//	p tenant endpoint               an endpoint of a tenant, deleted ones included
//	m seq, n tenant seq             a change that people or policies made, of all and of a tenant: its time
//	s subscription seq              a version of a subscription: nothing more
//	t time seq                      a sample of record times, every 256 records
//
// A delivery's first version is its creation, a row under c. A success soon after the creation, the way of
// most, is its row under c and nothing else; every other version has a d key. So an event that one endpoint takes at the
// first try costs the key i and four rows, two under e and two under c: a small share of a key each where lists are dense.
// Every list is one walk over one of them, whatever number of endpoints a tenant has.
package history

import (
	"errors"
	"sync/atomic"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// LayoutVersion is that of the keys: part of projection.Options.Version.
const LayoutVersion = 6

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
	store   *projection.Store
	fold    fold
	maxDone int
	// waitsFrom: of the deliveries that records before this seq created, those that wait have a w key. It was true at a
	// commit that queries see; 0 = nothing is known.
	waitsFrom atomic.Uint64
}

var (
	_ projection.View     = (*History)(nil)
	_ projection.Recaller = (*History)(nil)
	_ projection.Finisher = (*History)(nil)
)

// New makes the view over a store that was opened with LayoutVersion. The store may be nil where only Name matters.
func New(store *projection.Store) *History { return newHistory(store, defaultLayout()) }

func newHistory(store *projection.Store, l layout) *History {
	return &History{store: store, fold: newFold(l), maxDone: maxDone}
}

// Name is the name of the view's checkpoint.
func (h *History) Name() string { return name }

// Checkpoint is the seq up to which queries see everything.
func (h *History) Checkpoint() eventlog.Seq { return h.store.Checkpoint(name) }
