package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hookline/hookline/eventlog/seal"
)

// RefreshKeyring puts a keyring in the place of the one that the backups have: keys that were destroyed are gone from
// all of them then. Without a backup it does nothing. It refuses the keyring of another log (ErrOther).
func (d *Dir) RefreshKeyring(raw []byte) error {
	id, err := seal.KeyringID(raw)
	if err != nil {
		return err
	}
	_, had, err := d.keyring()
	switch {
	case errors.Is(err, ErrNone):
		return nil
	case err != nil:
		return err
	}
	if was, err := seal.KeyringID(had); err != nil || was != id {
		return errors.Join(fmt.Errorf("%w: %s holds keyring %s, this is %s", ErrOther, d.path, was, id), err)
	}
	return d.putKeyring(raw)
}

// putKeyring stores a keyring as the newest, then removes the ones before, whose destroyed keys must not stay.
func (d *Dir) putKeyring(raw []byte) error {
	all, err := d.keyrings()
	if err != nil {
		return err
	}
	n := 1
	if len(all) > 0 {
		n = all[len(all)-1].n + 1
	}
	sum := sha256.Sum256(raw)
	name := fmt.Sprintf("%s.%d.%s", keyringName, n, hex.EncodeToString(sum[:]))
	if err := writeFile(d.join(name), raw); err != nil {
		return fmt.Errorf("backup: keyring: %w", err)
	}
	for _, old := range all {
		if err := os.Remove(d.join(old.name)); err != nil {
			return fmt.Errorf("backup: keyring: %w", err)
		}
	}
	return syncDir(d.path)
}

// storedKeyring is a keyring in the directory.
type storedKeyring struct {
	name, sum string
	n         int
}

// keyrings lists them, oldest first: more than one where a replacement was cut.
func (d *Dir) keyrings() ([]storedKeyring, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	var all []storedKeyring
	for _, e := range entries {
		var k storedKeyring
		rest, ok := strings.CutPrefix(e.Name(), keyringName+".")
		number, sum, both := strings.Cut(rest, ".")
		if _, err := fmt.Sscanf(number, "%d", &k.n); !ok || !both || err != nil || !isSum(sum) {
			continue
		}
		k.name, k.sum = e.Name(), sum
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b storedKeyring) int { return a.n - b.n })
	return all, nil
}

// keyring returns the newest keyring, checked. ErrNone when there is none.
func (d *Dir) keyring() (name string, raw []byte, err error) {
	all, err := d.keyrings()
	if err != nil {
		return "", nil, err
	}
	if len(all) == 0 {
		return "", nil, fmt.Errorf("%w: %s holds no keyring", ErrNone, d.path)
	}
	k := all[len(all)-1]
	raw, err = os.ReadFile(d.join(k.name))
	if err != nil {
		return "", nil, fmt.Errorf("backup: %w", err)
	}
	if sum := sha256.Sum256(raw); !bytes.Equal(sum[:], mustSum(k.sum)) {
		return "", nil, fmt.Errorf("%w: keyring: its SHA-256 is wrong", ErrDamaged)
	}
	return k.name, raw, nil
}

// mustSum is a SHA-256 whose form isSum has checked.
func mustSum(text string) []byte {
	b, _ := hex.DecodeString(text)
	return b
}
