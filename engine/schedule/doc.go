// Package schedule says when a delivery's next attempt may start: the waits as plain data, and the queue of what is due.
//
// A Schedule is pure: times and randomness are arguments, so the same arguments give the same due time in the engine,
// in a rebuild and in a test. It promises whole milliseconds, never early: a wait is rounded up, and counts from the end
// of the attempt before it (O-14, D-11).
//
// A Schedule is a value and safe for concurrent use as long as nobody writes to its Waits. A Queue has one owner.
package schedule
