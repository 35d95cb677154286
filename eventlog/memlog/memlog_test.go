package memlog

import (
	"testing"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/logtest"
)

func TestConformance(t *testing.T) {
	logtest.Run(t, func(*testing.T) logtest.Store {
		var l *Log
		return logtest.Store{Open: func() (eventlog.Log, error) {
			if l == nil {
				l = New(Options{})
			} else {
				l = l.Reopen()
			}
			return l, nil
		}, Interrupt: func() func(error) {
			l.Interrupt()
			return l.Resume
		}}
	})
}
