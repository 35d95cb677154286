package eventlog

import (
	"context"
	"sync"
)

// Commit is the future of one Append. It goes one way only: under way, perhaps unknown, done. A Writer that lost sight
// of a batch (a connection broke, a leader changed) says so with Suspect, finds out, and then calls Complete. Nothing of
// a Commit may be acted upon before it is done: an unknown batch may be in the log, and may still be refused.
type Commit struct {
	First, Last Seq
	Chain       Hash // valid once done
	done        chan struct{}
	unknown     chan struct{}
	complete    sync.Once
	suspect     sync.Once
	err, cause  error
}

// NewCommit is for backends: they call Complete exactly when the batch is durable or has failed.
func NewCommit(first, last Seq) *Commit {
	return &Commit{First: first, Last: last, done: make(chan struct{}), unknown: make(chan struct{})}
}

// Complete finishes the commit; only the first call counts.
func (c *Commit) Complete(err error) {
	c.complete.Do(func() { c.err = err; close(c.done) })
}

// Suspect is for backends: the outcome is unknown and the Writer is resolving it. cause wraps ErrUnavailable; only the
// first call counts, and none once the commit is done. The commits after this one stay open until it is done, suspected
// or not.
func (c *Commit) Suspect(cause error) {
	c.suspect.Do(func() { c.cause = cause; close(c.unknown) })
}

// Wait returns nil once the batch is durable, or why it is not in the log. While its outcome is unknown it returns at
// once an error that wraps ErrUnavailable: Resolve waits for the end of that. When ctx ends first the outcome stays open.
// Both may be called again.
func (c *Commit) Wait(ctx context.Context) error { return c.wait(ctx, c.unknown) }

// Resolve is Wait that does not return while the outcome is unknown.
func (c *Commit) Resolve(ctx context.Context) error { return c.wait(ctx, nil) }

func (c *Commit) wait(ctx context.Context, unknown <-chan struct{}) error {
	if c.Done() {
		return c.err
	}
	select {
	case <-c.done:
		return c.err
	case <-unknown:
		if c.Done() {
			return c.err
		}
		return c.cause
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Done says whether the outcome is known: then Wait does not block.
func (c *Commit) Done() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}
