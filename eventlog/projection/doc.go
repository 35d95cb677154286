// Package projection folds a log into a view: disposable, indexed state on disk that answers queries.
//
// A Store owns a directory. A View says how records become keys. A Follower reads a log and applies a View to a Store.
//
// # Promises
//
//   - A commit is atomic: what a batch of records sets and the checkpoint that says so become visible, and durable,
//     together. A reader never sees a checkpoint ahead of its keys.
//   - There is no write-ahead log. After a crash a store is what it was at some earlier checkpoint, and the follower
//     goes on from there: at most FlushRecords records or FlushEvery are done again. A clean stop loses nothing.
//   - A store is disposable. One that is damaged, of another layout version, or made from another log (its checkpoint
//     names a chain that the log does not have) is emptied when it is opened, with a warning in the process log, and
//     its views start at the beginning. Damage that is found later fails the reads and is remembered for the next open.
//     Files that are not the store's are never touched.
//   - A view that fails stops its follower; Err and WaitFor say why. What the log reports (eventlog.ErrCorrupt) passes.
//
// # Concurrency
//
// A Store is safe for concurrent use; iterators belong to one goroutine each. A Follower has one goroutine, the only
// caller of its View's Apply; one Follower at a time writes a view's keys. Stop waits for the goroutine. Whoever opened
// a Store closes it, after its followers and iterators; Close waits for those still open.
package projection

import (
	"errors"

	"github.com/hookline/hookline/eventlog"
)

// View is how records become keys.
type View interface {
	// Name names the view's checkpoint in its store, at most 64 bytes.
	Name() string
	// Apply writes what the records of b mean. It is deterministic: the same records in the same order give the same
	// keys, however they are cut into batches. It reads no clock and no store, and decrypts nothing: sections are not
	// loaded. Records come in the log's order without a gap. Types that it does not know it skips.
	// b and what it points to are valid during the call only.
	Apply(w *Batch, b *eventlog.Batch) error
}

// Recaller is a View that keeps something in memory about the newest records it has applied. Before a Follower applies
// anything it shows the view up to RecallRecords records before the checkpoint again. Recall writes nothing.
type Recaller interface {
	RecallRecords() eventlog.Seq
	Recall(b *eventlog.Batch) error
}

// Finisher is a View that holds writes back, to join them with those of later records. Before each commit Finish writes
// what is held back: w then has all that the records applied so far mean.
type Finisher interface {
	Finish(w *Batch) error
}

var (
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("projection: store closed")
	// ErrDamaged: a block of the store does not have its checksum. The next Open empties the store.
	ErrDamaged = errors.New("projection: store damaged, it is rebuilt at the next start")
	// ErrStopped: the follower was stopped before it got there.
	ErrStopped = errors.New("projection: follower stopped")
	// ErrKey: a key that is empty, begins with a zero byte, or a name that is too long.
	ErrKey = errors.New("projection: invalid key")
)
