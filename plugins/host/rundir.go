package host

import (
	"os"
	"path/filepath"
	"syscall"
)

// runDirPrefix begins the names of the folders that hold the plugins' sockets.
const runDirPrefix = "hookline-plugin-"

// runDir is a folder for sockets, locked while its host lives. A host that is killed cannot tidy up; the next one finds
// the lock free and does.
type runDir struct {
	path string
	lock *os.File
}

// newRunDir makes one under parent. Socket paths are short (108 bytes), so parent should be the system's temporary folder.
func newRunDir(parent string) (*runDir, error) {
	removeStale(parent)
	for {
		path, err := os.MkdirTemp(parent, runDirPrefix)
		if err != nil {
			return nil, err
		}
		lock, err := lockDir(path)
		if err != nil {
			_ = os.Remove(path)
			return nil, err
		}
		if _, err := os.Stat(path); err == nil && lock != nil {
			return &runDir{path, lock}, nil
		}
		if lock != nil { // another host took it for a stale one before it was locked
			_ = lock.Close()
		}
	}
}

// lockDir is nil without an error when somebody else holds the lock.
func lockDir(path string) (*os.File, error) {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, nil
	}
	return f, nil
}

func removeStale(parent string) {
	paths, err := filepath.Glob(filepath.Join(parent, runDirPrefix+"*"))
	if err != nil {
		return
	}
	for _, p := range paths {
		st, err := os.Lstat(p)
		if err != nil || !st.IsDir() {
			continue
		}
		if sys, ok := st.Sys().(*syscall.Stat_t); !ok || int(sys.Uid) != os.Geteuid() {
			continue
		}
		if lock, err := lockDir(p); err == nil && lock != nil {
			_ = os.RemoveAll(p)
			_ = lock.Close()
		}
	}
}

func (d *runDir) close() {
	_ = os.RemoveAll(d.path)
	_ = d.lock.Close()
}
