// Package matchers carries filters of other systems over to ours: the JSON matchers of Convoy's subscriptions and of
// Outpost's destinations. What comes out is a filter of package filters and a list of notes: what differs, and what could
// not be carried over.
//
// # What it promises
//
//   - Nothing is left out silently: a condition that has no counterpart makes Imported.Lost true, with a note that names it.
//   - What comes out compiles, or there is an error that says why not.
//   - The same text gives the same filter: members are taken in the order of their names.
//
// It holds no state; its functions may be called from anywhere. Nothing needs closing.
package matchers
