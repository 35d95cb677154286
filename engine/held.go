package engine

import "context"

// A node that was restored from a backup starts held: it reads, takes changes and stores what is published, but starts no
// attempt, so that nothing goes out twice while the original may still send. Release lets it send; it is not a record,
// since it says something of this node and nothing of the log.

// Held says that nothing is sent until Release.
func (e *Engine) Held() bool { return e.held.Load() }

// Release lets a held node send: what is due starts at the restart rate. Durable on return. Of a node that is not held it
// changes nothing.
func (e *Engine) Release(ctx context.Context, by Actor) (LogStatus, error) {
	e.releasing.Lock()
	defer e.releasing.Unlock()
	if e.held.Load() {
		if e.cfg.Released != nil {
			if err := e.cfg.Released(); err != nil {
				return LogStatus{}, storeError(err)
			}
		}
		e.held.Store(false)
		e.sequencer.wake()
		e.cfg.Logger.Warn("released: deliveries start", "by", by.Name)
	}
	return e.LogStatus(ctx)
}

func heldError() *Error {
	return &Error{Code: CodeConflict, Detail: "this node is held since it was restored: it sends nothing until POST /v1/log:release (hookline log release)"}
}
