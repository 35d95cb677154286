package pebblelog

import (
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

// lock keeps other openers out of a directory.
type lock struct{ held io.Closer }

// takeLock locks dir: exclusively, or shared among readers. On disk it is flock(2) on the directory itself, by a
// descriptor that is closed on exec, so that no child process inherits it; a second opener in this process is refused
// as well. Other file systems have their own lock.
func takeLock(fs vfs.FS, dir string, shared bool) (lock, error) {
	if fs != vfs.Default {
		c, err := fs.Lock(fs.PathJoin(dir, "lock"))
		if err != nil {
			return lock{}, fmt.Errorf("%w: %s: %w", eventlog.ErrInUse, dir, err)
		}
		return lock{c}, nil
	}
	d, err := os.Open(dir) // O_CLOEXEC
	if err != nil {
		return lock{}, fmt.Errorf("pebblelog: %w", err)
	}
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	for {
		err = syscall.Flock(int(d.Fd()), how|syscall.LOCK_NB)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		_ = d.Close()
		if err == syscall.EWOULDBLOCK {
			return lock{}, fmt.Errorf("%w: %s", eventlog.ErrInUse, dir)
		}
		return lock{}, fmt.Errorf("pebblelog: lock %s: %w", dir, err)
	}
	return lock{d}, nil
}

// unlocked is the file system as Pebble gets it: without Pebble's own lock, which would keep a second reader out, and
// needs a writable directory.
type unlocked struct{ vfs.FS }

func (unlocked) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

func (k lock) release() {
	if k.held != nil {
		_ = k.held.Close()
	}
}
