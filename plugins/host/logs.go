package host

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// maxLine is how much of one line of a plugin's output is logged, in bytes.
const maxLine = 4 << 10

// lines logs what a plugin writes, a line a record.
type lines struct {
	logger *slog.Logger
	stream string

	most int // lines a second

	mu      sync.Mutex
	rest    []byte
	skip    bool // the line being read was too long, its rest is dropped
	since   time.Time
	count   int // lines since
	bytes   int // since
	dropped int // lines, to be told
}

func newLines(l *slog.Logger, stream string, most int) *lines {
	return &lines{logger: l, stream: stream, most: most}
}

// maxFlood is how many bytes a second are read of a plugin's output. One that writes more waits: reading all it can write
// would take a core.
const maxFlood = 4 << 20

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if past := time.Since(l.since); past >= time.Second {
		l.second()
	} else if l.bytes > maxFlood {
		time.Sleep(time.Second - past)
		l.second()
	}
	l.bytes += len(p)
	for rest := p; len(rest) > 0; {
		line, more, ended := bytes.Cut(rest, []byte{'\n'})
		rest = more
		if !l.skip {
			l.rest = append(l.rest, line[:min(len(line), maxLine+1-len(l.rest))]...)
			if len(l.rest) > maxLine {
				l.rest = append(l.rest[:maxLine], "..."...)
				l.emit()
				l.skip = true
			}
		}
		if ended {
			if !l.skip {
				l.emit()
			}
			l.skip = false
		}
	}
	return len(p), nil
}

// second begins a new one, and tells what the last one cost.
func (l *lines) second() {
	if l.dropped > 0 {
		l.logger.Warn("plugin output dropped: it writes too much", "stream", l.stream, "lines", l.dropped)
	}
	l.since, l.count, l.bytes, l.dropped = time.Now(), 0, 0, 0
}

func (l *lines) emit() {
	l.count++
	if l.count > l.most {
		l.dropped++
	} else if line := bytes.TrimRight(l.rest, "\r"); len(line) > 0 {
		l.logger.Info("plugin output", "stream", l.stream, "line", string(line))
	}
	l.rest = l.rest[:0]
}

// newHCLog lets go-plugin's own messages through at debug level; what matters of them the host says itself. The lines of
// the plugin's standard error that go-plugin logs too are dropped: they arrive through lines.
func newHCLog(l *slog.Logger, runner string) hclog.Logger {
	h := hclog.NewInterceptLogger(&hclog.LoggerOptions{Level: hclog.Error, Output: io.Discard})
	h.RegisterSink(sink{l, runner})
	return h
}

type sink struct {
	logger *slog.Logger
	runner string
}

func (s sink) Accept(name string, level hclog.Level, msg string, args ...any) {
	if name == s.runner || level < hclog.Debug || !s.logger.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	s.logger.Debug("go-plugin: "+msg, args...)
}
