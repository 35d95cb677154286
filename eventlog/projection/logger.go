package projection

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
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

// empty removes the database's files from a directory, and only those: the lock stays, so does what is not ours.
func empty(fs vfs.FS, dir string) error {
	names, err := fs.List(dir)
	if err != nil {
		return err
	}
	// The note goes last: an interrupted removal is taken up again.
	for _, pass := range []bool{false, true} {
		for _, name := range names {
			if (name == damagedName) == pass && isOurs(name) {
				if err := fs.Remove(fs.PathJoin(dir, name)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func isOurs(name string) bool {
	for _, prefix := range []string{"MANIFEST-", "OPTIONS-", "marker.", "CURRENT", "REMOTE-OBJ-CATALOG", damagedName} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	for _, suffix := range []string{".sst", ".blob", ".log", ".dbtmp"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}
