package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hookline/hookline/eventlog/seal"
)

// Marks of a restored data directory. restoringFile stands from before the first file until all is proved: what holds it
// is half a restore and opens as nothing. heldFile stands until the node is released.
const (
	restoringFile = "restoring"
	heldFile      = "held"
	stagingDir    = "backup-staging"
)

// heldMark says where a held directory comes from.
type heldMark struct {
	Backup     string    `json:"backup,omitempty"`
	From       string    `json:"from"`
	HeadSeq    uint64    `json:"head_seq"`
	RestoredAt time.Time `json:"restored_at"`
	NewKeys    bool      `json:"new_keys"` // the keyring's keys have not been retired yet
}

// checkWhole refuses what a restore or import left unfinished.
func (d *dataDir) checkWhole() error {
	if d.exists(restoringFile) {
		return fmt.Errorf("%s holds half a restore that was broken off: remove the directory and restore again", d.path)
	}
	return nil
}

// beginRestore marks an empty directory as half restored. Anything in it is an error.
func (d *dataDir) beginRestore() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if err := d.checkWhole(); err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty (it holds %s): name a directory that is, or does not exist", d.path, entries[0].Name())
	}
	return writeNew(d.join(restoringFile), "begun\n")
}

// endRestore makes the directory a whole one; hold makes the node that opens it a held one.
func (d *dataDir) endRestore(hold *heldMark) error {
	if hold != nil {
		if err := d.writeHeld(hold); err != nil {
			return err
		}
	}
	if err := os.Remove(d.join(restoringFile)); err != nil {
		return err
	}
	return d.held.Sync()
}

func (d *dataDir) writeHeld(m *heldMark) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return writeNew(d.join(heldFile), string(text)+"\n")
}

// heldBy reads why the directory is held; nil = it is not. A mark that cannot be read holds too.
func (d *dataDir) heldBy() (*heldMark, error) {
	raw, err := os.ReadFile(d.join(heldFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m := &heldMark{}
	if err := json.Unmarshal(raw, m); err != nil {
		return &heldMark{From: "unknown", NewKeys: true}, nil
	}
	return m, nil
}

// newKeys retires the keys of a keyring that was restored: the original may go on with them.
func (d *dataDir) newKeys(m *heldMark, keyring *seal.Keyring) error {
	if m == nil || !m.NewKeys {
		return nil
	}
	if err := keyring.Retire(); err != nil {
		return err
	}
	m.NewKeys = false
	return d.writeHeld(m)
}

// release removes the mark, durable on return.
func (d *dataDir) release() error {
	if err := os.Remove(d.join(heldFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return d.held.Sync()
}
