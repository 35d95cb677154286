package projection

import (
	"context"
	"fmt"
	"log/slog"
)

// pebbleLogger leads the database's messages to the process log. Its chatter is at debug level.
type pebbleLogger struct {
	log   *slog.Logger
	fatal func(error)
}

func (l pebbleLogger) Infof(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("views: " + fmt.Sprintf(format, args...))
	}
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.log.Error("views: " + fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Fatalf(format string, args ...any) {
	err := fmt.Errorf("projection: the views' disk failed: "+format, args...)
	l.fatal(err)
	panic(err)
}
