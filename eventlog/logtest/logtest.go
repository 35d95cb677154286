// Package logtest is the conformance suite of eventlog's contract. A backend's test calls Run; what passes it can be
// used wherever a Log is asked for. It tests promises only: how a backend keeps them over a crash is the backend's
// own test.
//
// Run starts goroutines and waits for them. It closes every Log that it opens.
package logtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hookline/hookline/eventlog"
)

// Factory makes a new store for one test.
type Factory func(t *testing.T) Store

// Store is where one log lives.
type Store struct {
	// Open opens the log: empty the first time, then with what was appended. The Log before was closed.
	Open func() (eventlog.Log, error)
	// Interrupt begins an outage of the open log and returns what ends it: with nil all that was appended meanwhile is
	// stored, with an error it failed. nil = this backend always knows the outcome of its appends.
	Interrupt func() (resume func(error))
}

// Run runs the suite.
func Run(t *testing.T, f Factory) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *fixture)
	}{
		{"empty log", emptyLog},
		{"acquire appends an epoch record", acquireAppends},
		{"order is call order, without holes", order},
		{"records come back as they went in", roundTrip},
		{"append stamps the caller's records", stamps},
		{"empty batch is a no-op", emptyBatch},
		{"a refused batch fails the writer", refusals},
		{"limits are accepted", limits},
		{"time does not run back", times},
		{"a second acquire fences the first writer", fencing},
		{"epochs grow over reopening", epochs},
		{"the chain is continuous and recomputes", chain},
		{"reopen finds everything", reopen},
		{"a batch is read whole or not at all", atomicBatches},
		{"read starts after any seq", readAfter},
		{"get", get},
		{"wait", wait},
		{"wait ends with its context", waitContext},
		{"close ends waits and refuses", closing},
		{"a closed writer refuses", closedWriter},
		{"contexts end reads", readContext},
		{"sections are removed in place", removal},
		{"an outage is told, and ends in call order", outage},
		{"an outage may end in a failure", outageFails},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, newFixture(t, f)) })
	}
}

// limit is how long anything in the suite may take before it counts as hanging.
const limit = 30 * time.Second

// fixture is one store with helpers.
type fixture struct {
	t     *testing.T
	store Store
	log   eventlog.Log
	ctx   context.Context
	clock int64
}

func newFixture(t *testing.T, f Factory) *fixture {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	x := &fixture{t: t, store: f(t), ctx: ctx}
	x.open()
	t.Cleanup(func() {
		if err := x.log.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return x
}

func (x *fixture) open() {
	x.t.Helper()
	l, err := x.store.Open()
	x.must(err)
	x.log = l
}

func (x *fixture) reopen() {
	x.t.Helper()
	x.must(x.log.Close())
	x.open()
}

func (x *fixture) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *fixture) acquire(owner string) eventlog.Writer {
	x.t.Helper()
	w, err := x.log.Acquire(x.ctx, owner)
	x.must(err)
	x.clock = max(x.clock, x.head().Time)
	return w
}

// record makes a record whose content says its number, with a time that does not run back behind acquire's.
func (x *fixture) record(n int) eventlog.Record {
	x.clock += int64(n % 2)
	r := eventlog.Record{
		Type: eventlog.Type(100 + n%7), Time: x.clock, Tenant: fmt.Sprintf("tenant-%d", n%3),
		Facts: fmt.Appendf(nil, "facts of %d", n),
	}
	for s := range n % 4 {
		r.Sections = append(r.Sections, eventlog.Section{Data: fmt.Appendf(nil, "section %d of %d", s, n)})
	}
	if n%3 == 0 {
		r.Tenant = ""
	}
	return r
}

func (x *fixture) records(from, n int) []eventlog.Record {
	rs := make([]eventlog.Record, n)
	for i := range rs {
		rs[i] = x.record(from + i)
	}
	return rs
}

// append appends and waits.
func (x *fixture) append(w eventlog.Writer, records []eventlog.Record) *eventlog.Commit {
	x.t.Helper()
	c := w.Append(records)
	x.must(c.Wait(x.ctx))
	return c
}

// read returns everything after a seq.
func (x *fixture) read(after eventlog.Seq) (rs []eventlog.Record) {
	x.t.Helper()
	for r, err := range x.log.Read(x.ctx, after) {
		x.must(err)
		rs = append(rs, r)
	}
	return rs
}

func (x *fixture) head() eventlog.Head {
	x.t.Helper()
	h, err := x.log.Head(x.ctx)
	x.must(err)
	return h
}

func (x *fixture) wantErr(err, want error) {
	x.t.Helper()
	if !errors.Is(err, want) {
		x.t.Fatalf("error is %v, want %v", err, want)
	}
}
