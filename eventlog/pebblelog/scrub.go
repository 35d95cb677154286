package pebblelog

import (
	"errors"
	"time"

	"github.com/hookline/hookline/eventlog"
)

// scrubChunk is how much the scrub reads at a time.
const scrubChunk = 256 << 10

// scrub reads the whole log again and again, at Options.ScrubRate, so that damage to what nobody reads is found while
// a backup of it still exists. It checks what Verify checks.
func (l *Log) scrub() {
	for {
		l.scrubOnce()
		if !l.pause(l.opts.ScrubPause) {
			return
		}
	}
}

func (l *Log) scrubOnce() {
	var c chunk
	k := checker{report: l.opts.OnCorrupt}
	for next := eventlog.Seq(1); ; {
		head := l.head.Load().Seq
		if next > head {
			return
		}
		k.tally.bytes = 0
		err := l.fill(&c, next, head, scrubChunk)
		if err == nil {
			next = c.next
			err = l.check(&c, &k)
		}
		var damage *eventlog.CorruptError
		if errors.As(err, &damage) {
			l.opts.OnCorrupt(damage)
			next = max(next, damage.Last) + 1
			k.link.known = false
		} else if err != nil {
			return // closed
		}
		if !l.pause(time.Duration(k.tally.bytes) * time.Second / time.Duration(l.opts.ScrubRate)) {
			return
		}
	}
}

// pause returns false when the log is closed meanwhile.
func (l *Log) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.stopped.Done():
		return false
	}
}
