// Package backup keeps generations of backups of a log and its keyring in a directory, and restores them.
//
// # Promises
//
//   - Consistent: a backup holds the log as it was at one moment, while it is written to, up to a batch's end.
//   - Whole or none: the manifest is written last. Without one there is no backup; what an interrupted one left behind is
//     removed by the next.
//   - Incremental: a file that the directory has is not copied, and hardly read, again. Generations share files by their
//     SHA-256; Prune removes what none needs.
//   - A restore trusts nothing: every file is checked against its SHA-256, then the chain of the whole log is recomputed
//     and compared with what the manifest says.
//   - The keyring is kept once for all generations, always the newest: it opens what any of them holds, and keys that
//     were destroyed are gone from every backup with the next Make or RefreshKeyring. The master key is in no backup.
//   - Sealed stays sealed: nothing is opened here, and no key is needed.
//
// # Layout of the directory
//
//	backups/ID.json     a manifest: a line of JSON, then a line with its SHA-256 as a JSON string
//	objects/SHA-256     a file's content
//	keyring.N.SHA-256   the keyring; of several the one with the highest N holds
//
// # Concurrency
//
// A Dir is locked (flock) by who opened it, and belongs to one goroutine at a time. Whoever opened it closes it.
package backup

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hookline/hookline/eventlog"
)

var (
	// ErrNone: the directory holds no backup, or not the one asked for.
	ErrNone = errors.New("backup: no such backup")
	// ErrDamaged: what the directory holds is not what was written.
	ErrDamaged = errors.New("backup: damaged")
	// ErrBusy: somebody else works in the directory.
	ErrBusy = errors.New("backup: the directory is in use")
	// ErrOther: the directory holds backups of another log.
	ErrOther = errors.New("backup: of another log")
)

const (
	manifestsDir = "backups"
	objectsDir   = "objects"
	keyringName  = "keyring"
	unfinished   = ".part"
)

// format is the version of the manifest.
const format = 1

// Manifest says what one backup holds.
type Manifest struct {
	Format   int       `json:"format"`
	ID       string    `json:"id"`
	MadeAt   time.Time `json:"made_at"`
	MadeBy   string    `json:"made_by"`  // the version of hookline
	Keyring  string    `json:"keyring"`  // the keyring's id: tells logs apart
	HeadSeq  uint64    `json:"head_seq"` // the last record in it
	HeadTime int64     `json:"head_time_ms"`
	Chain    string    `json:"chain"` // after it, hex
	FirstSeq uint64    `json:"first_seq"`
	Clock    string    `json:"clock"` // real or manual
	Bytes    int64     `json:"bytes"` // of all files
	Added    int64     `json:"added_bytes"`
	Files    []File    `json:"files"`
}

// File is one file of the log.
type File struct {
	Path     string `json:"path"` // below the log's directory, with slashes
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"`
	Modified int64  `json:"modified_ns"` // of the source: with path and length it tells a table that was copied before
}

// Head is where the backup ends.
func (m *Manifest) Head() eventlog.Head {
	h := eventlog.Head{Seq: eventlog.Seq(m.HeadSeq), Time: m.HeadTime, First: eventlog.Seq(m.FirstSeq)}
	b, _ := hex.DecodeString(m.Chain) // checked when it was read
	copy(h.Chain[:], b)
	return h
}

// Dir is a directory of backups that this process holds.
type Dir struct {
	path string
	held *os.File
}

// Open takes a directory of backups; create makes it when absent. Errors: ErrBusy, the file system's.
func Open(path string, create bool) (*Dir, error) {
	if create {
		for _, d := range []string{path, filepath.Join(path, manifestsDir), filepath.Join(path, objectsDir)} {
			if err := os.MkdirAll(d, 0o700); err != nil {
				return nil, fmt.Errorf("backup: %w", err)
			}
		}
	}
	held, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	for {
		err = syscall.Flock(int(held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR {
			break
		}
	}
	if err == syscall.EWOULDBLOCK {
		return nil, errors.Join(fmt.Errorf("%w: %s: another backup or restore is under way there", ErrBusy, path), held.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("backup: lock %s: %w", path, err), held.Close())
	}
	return &Dir{path: path, held: held}, nil
}

// Close gives the directory back.
func (d *Dir) Close() error { return d.held.Close() }

func (d *Dir) join(names ...string) string {
	return filepath.Join(append([]string{d.path}, names...)...)
}

func (d *Dir) object(sum string) string { return d.join(objectsDir, sum) }

// isSum says whether text is a SHA-256 in hex.
func isSum(text string) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == 32 && strings.ToLower(text) == text
}
