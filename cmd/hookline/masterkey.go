package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/cmd/hookline/config"
	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/eventlog/seal"
)

// nextSuffix is what the file of the next master key has behind the name of the present one's. It is there before the
// keyring is sealed under it, and takes the other's place afterwards: whichever of the two opens the keyring is the one.
const nextSuffix = ".next"

// master is the master key and where it comes from.
type master struct {
	key  seal.Master
	file string // "" = the environment
	own  bool   // the file is the data directory's
	turn sync.Mutex
}

// openMaster finds the master key; made says that it was made.
func (d *dataDir) openMaster(cfg *config.Config) (m *master, made bool, err error) {
	m = &master{}
	m.key, made, err = d.masterKey(cfg.Master)
	switch {
	case cfg.MasterFile != "":
		m.file = cfg.MasterFile
	case cfg.Master == nil:
		m.file, m.own = d.join(masterKeyFile), true
	}
	return m, made, err
}

// open opens the keyring, and ends a rotation that was broken off.
func (m *master) open(path string) (*seal.Keyring, error) {
	k, err := seal.Open(path, m.key)
	if m.file == "" {
		return k, err
	}
	next, nerr := seal.LoadMaster(m.file + nextSuffix)
	if nerr != nil || !errors.Is(err, seal.ErrMaster) {
		return k, err // there is none, or it was not used yet
	}
	if k, err = seal.Open(path, next); err != nil {
		return nil, err
	}
	m.key = next
	if err := m.promote(); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// rotation is how a running server takes another master key; nil when it cannot.
func (m *master) rotation(k *seal.Keyring) func() error {
	if m.file == "" {
		return nil
	}
	return func() error {
		m.turn.Lock()
		defer m.turn.Unlock()
		next, err := seal.LoadMaster(m.file + nextSuffix)
		if errors.Is(err, os.ErrNotExist) && m.own {
			next, err = seal.GenerateMaster(m.file + nextSuffix)
		}
		if err != nil {
			return &engine.Error{Code: engine.CodeConflict, Detail: fmt.Sprintf("write the next master key to %s%s first: %v", m.file, nextSuffix, err)}
		}
		if err := m.keepNext(); err != nil {
			return err
		}
		if err := k.Rotate(next); err != nil {
			return err
		}
		m.key = next
		return m.promote()
	}
}

// keepNext makes the next key's file durable, before anything is sealed under it.
func (m *master) keepNext() error {
	f, err := os.Open(m.file + nextSuffix)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return m.syncDir()
}

// promote puts the next key's file in the place of the present one's, durable on return.
func (m *master) promote() error {
	if err := os.Rename(m.file+nextSuffix, m.file); err != nil {
		return err
	}
	return m.syncDir()
}

func (m *master) syncDir() error {
	dir, err := os.Open(filepath.Dir(m.file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func keyringCommand(t *terminal) *cobra.Command {
	rotate := callCommand{use: "rotate", short: "Seal the keyring under another master key, while the server runs", method: post,
		path: func([]string) string { return "/v1/keyring:rotate" }}.command(t)
	rotate.Long = `Seal the keyring under another master key, while the server runs. The key is read from
FILE.next, beside the file of the present one (DIR/master.key, or --master-key-file), and takes
its place; for DIR/master.key one is made when there is none. What is sealed stays as it is,
only the keyring is written anew. Keep the new key where you kept the old one: copies of the
keyring from before still open with that, so destroy it once the backups are refreshed.`
	return objects("keyring", "The keys of everything sealed", `  hookline keyring rotate
  openssl rand -hex 32 > /etc/hookline/master.key.next && hookline keyring rotate`, rotate)
}
