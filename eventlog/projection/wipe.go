package projection

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const damagedName = "DAMAGED"

// markDamaged leaves a note for the next Open.
func markDamaged(fs vfs.FS, dir string) error {
	f, err := fs.Create(fs.PathJoin(dir, damagedName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
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
