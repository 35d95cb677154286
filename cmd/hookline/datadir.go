package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hookline/hookline/eventlog"
)

// What stands in a data directory. The log, the keyring and its master key are the truth; views and snapshots are made
// again from the log.
const (
	logDir        = "log"
	keyringFile   = "keyring"
	viewsDir      = "views"
	snapshotsDir  = "snapshots"
	pluginsDir    = "plugins"
	masterKeyFile = "master.key"
	adminKeyFile  = "admin.key"
	clockMarkFile = "clock"
)

// dataDir is a data directory that this process holds: nobody else opens it meanwhile. Whoever opened it closes it.
type dataDir struct {
	path string
	held *os.File
}

// openDataDir takes a data directory; create makes it when absent. When another process holds it the error wraps
// eventlog.ErrInUse. The lock is flock(2) on the directory itself, by a descriptor that no child inherits.
func openDataDir(path string, create bool) (*dataDir, error) {
	if create {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("data directory: %w", err)
		}
	}
	held, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if info, err := held.Stat(); err != nil || !info.IsDir() {
		return nil, errors.Join(fmt.Errorf("data directory: %s is no directory", path), err, held.Close())
	}
	for {
		err = syscall.Flock(int(held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR {
			break
		}
	}
	if err == syscall.EWOULDBLOCK {
		return nil, errors.Join(fmt.Errorf("%w: %s: stop the server that holds it first", eventlog.ErrInUse, path), held.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("data directory: lock %s: %w", path, err), held.Close())
	}
	return &dataDir{path: path, held: held}, nil
}

func (d *dataDir) Close() error { return d.held.Close() }

func (d *dataDir) join(name string) string { return filepath.Join(d.path, name) }

// exists says whether name is there; an error other than its absence counts as there.
func (d *dataDir) exists(name string) bool {
	_, err := os.Lstat(d.join(name))
	return !errors.Is(err, fs.ErrNotExist)
}

// checkClock holds that a directory made under the manual clock opens only with it, and one made under the real clock
// only with that: record times of both in one log would mean nothing. A fresh directory is marked.
func (d *dataDir) checkClock(manual bool) error {
	marked, fresh := d.exists(clockMarkFile), !d.exists(logDir)
	switch {
	case marked && !manual:
		return fmt.Errorf("%s was made under the manual clock and opens only with --clock manual", d.path)
	case !marked && manual && !fresh:
		return fmt.Errorf("%s was made under the real clock and does not open with --clock manual: take another directory", d.path)
	case !marked && manual:
		return writeNew(d.join(clockMarkFile), "manual\n")
	}
	return nil
}

// clockName is the clock's name, as --clock has it.
func clockName(manual bool) string {
	if manual {
		return "manual"
	}
	return "real"
}

// writeNew writes a small file, mode 0600, whole and durable on return.
func writeNew(path, text string) error {
	unfinished := path + ".new"
	f, err := os.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(unfinished, path)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
