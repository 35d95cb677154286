// Package engine decides: commands become records, records become effects.
//
// # The way an event takes
//
// Publish validates raw bytes, renders the body, routes it on an immutable index and seals it, in the caller's
// goroutine. The sequencer, one goroutine that owns the state, takes whatever commands wait, decides each against a
// state that already contains the ones before it, applies the records and hands one batch to the log while it works on
// the next. Effects (answers, attempts) are released by the committer once their batch is durable. Attempts are signed
// by the runners and given to the transport; results come back as commands.
//
// # Promises
//
// The ones of the house: one durable yes; every decision is a record; state = fold(log); no limbo; a noisy neighbour is
// the neighbour's problem; bytes are sacred; blame is a type.
//
// # Concurrency
//
// All exported methods may be called from any goroutine. The state is touched by the sequencer alone: there is no lock
// around a decision. Reads of tenants, endpoints and subscriptions are commands too, answered once what they saw is
// durable; lists of events, deliveries and attempts come from the history view, which follows the durable log, and
// so does the view of idempotency keys, the only one that a start waits for.
//
// # Recoveries
//
// A recovery makes an endpoint's failed deliveries anew, in bulk. What it selects is what the history view showed as of
// one seq; pages are read beside the sequencer, and each page's deliveries stand in one batch with the recovery's new
// cursor. So it is exact over a crash, and holds a page in memory, whatever its size.
//
// # Simulations and shadows
//
// A simulation evaluates a filter on events of the log, in the caller's goroutine; one runs at a time, and while records are
// appended or attempts are under way it rests nineteen parts of twenty. A subscription in shadow mode is routed like any
// other, matches nothing, and is counted in memory: no decision looks at the counts, and a start begins them anew.
//
// # A log that fails
//
// When an append fails the engine stops by itself (Dead, Err): nothing more is decided on a log that does not take it.
// While the outcome of one is unknown (eventlog.ErrUnavailable) no attempt starts and nothing is answered but by 503;
// the results of the attempts under way wait, and everything goes on where it was once the log knows.
//
// # Shutdown
//
// Drain stops starting attempts, waits for those under way, and reports how many were broken off; what is still
// published is stored, and delivered after the next start. Close ends the goroutines, writes a snapshot and releases the
// writer. Whoever opened the log, the keyring and the store closes them afterwards.
package engine
