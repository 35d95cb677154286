//go:build race

package profile_test

// raced: under the race detector a sync.Pool forgets on purpose, and allocations say nothing.
const raced = true
