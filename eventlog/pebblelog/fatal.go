package pebblelog

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// fatal is where the log stops for good: nothing under way or appended later is acknowledged any more. It returns
// when Options.OnFatal does.
func (l *Log) fatal(err error) {
	err = fmt.Errorf("%w: %w", ErrDisk, err)
	l.takeDown(err)
	l.pipe.fail(err)
	l.fatalOnce.Do(func() { l.opts.OnFatal(err) })
}

// recovered turns a panic of Pebble's commit path, its answer to a failed write, into the end of the log.
func (l *Log) recovered() {
	if p := recover(); p != nil {
		l.fatal(fmt.Errorf("commit: %v", p))
	}
}

// pebbleLogger hands what Pebble says to slog, and its fatal errors to us.
type pebbleLogger struct {
	to    *slog.Logger
	fatal func(error)
}

var _ pebble.Logger = pebbleLogger{}

// Infof drops: Pebble tells of every flush.
func (pebbleLogger) Infof(string, ...any) {}

func (p pebbleLogger) Errorf(format string, args ...any) {
	p.to.Error("pebble: " + fmt.Sprintf(format, args...))
}

// Fatalf must not return: Pebble goes on as if nothing had happened otherwise.
func (p pebbleLogger) Fatalf(format string, args ...any) {
	p.fatal(fmt.Errorf(format, args...))
	select {}
}

// firstLine is what a person reads of Pebble's errors.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// listener says what Pebble's background work meets. A full or failing disk is fatal: Pebble itself would try for
// ever, spinning. Damage is not: the read that meets it says so, all else can still be read.
func listener(to *slog.Logger, fatal func(error)) *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EDQUOT) ||
				errors.Is(err, syscall.EROFS) {
				fatal(fmt.Errorf("flush or compaction: %w", err))
				return
			}
			to.Error("pebble: background work failed", "error", err)
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			to.Error("pebble: damaged table", "file", info.Path, "error", firstLine(info.Details.Error()))
		},
	}
}
