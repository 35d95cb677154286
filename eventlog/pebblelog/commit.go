package pebblelog

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// start starts the goroutines of an open log.
func (l *Log) start() {
	if l.opts.ReadOnly {
		l.pipeline.Go(func() {
			for range l.toApply { // nothing is sent
			}
		})
		return
	}
	l.pipeline.Go(l.apply)
	l.pipeline.Go(l.finish)
	l.background.Go(l.watch)
	l.background.Go(l.guard)
	if l.opts.ScrubRate > 0 {
		l.background.Go(l.scrub)
	}
}

// apply hands each batch to Pebble, which writes it to the write-ahead log and makes it visible, and passes it on to
// finish without waiting for the sync: syncs of waiting batches become one.
func (l *Log) apply() {
	defer close(l.toSync)
	defer l.recovered()
	for u := range l.toApply {
		if l.failed() != nil {
			continue
		}
		if err := l.db.ApplyNoSyncWait(u.batch, pebble.Sync); err != nil {
			l.fatal(fmt.Errorf("commit: %w", err))
			continue
		}
		l.toSync <- u
	}
}

// finish waits for each batch's sync, in order, moves the head and completes the commit.
func (l *Log) finish() {
	for u := range l.toSync {
		if l.failed() != nil {
			continue
		}
		if err := u.batch.SyncWait(); err != nil {
			l.fatal(fmt.Errorf("sync of the write-ahead log: %w", err))
			continue
		}
		if !l.pipe.finish(u, func() { l.head.Store(&u.head) }) {
			continue
		}
		l.news.notify()
		l.marking.durable()
		_ = u.batch.Close() // gives its memory back
	}
}
