package seal

import (
	"encoding/hex"
	"fmt"
	"os"
)

// KeyringID reads the id in the header of a keyring file's bytes, hex. It stays the same over the life of a keyring, its
// backups and restores included, and needs no master key. Its error wraps ErrDamaged.
func KeyringID(raw []byte) (string, error) {
	if err := checkHeader(raw); err != nil {
		return "", err
	}
	return hex.EncodeToString(raw[8:headerFixed]), nil
}

// Bytes returns the keyring file as it is, everything handed out included: for backups. Nothing in it is readable
// without the master key. A keyring in memory has none.
func (k *Keyring) Bytes() ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.closed:
		return nil, ErrClosed
	case k.file == nil:
		return nil, fmt.Errorf("seal: a keyring in memory has no file")
	case k.file.err != nil:
		return nil, k.file.err
	}
	return os.ReadFile(k.file.path)
}

// Retire ends the use of all keys for sealing: every tenant gets a new one with its next section, what is sealed stays
// readable, keyed hashes stay the same. Durable on return. It is for a keyring that may go on in two places, after a
// restore: a key is not to seal more than maxUses sections, counted in both.
func (k *Keyring) Retire() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return ErrClosed
	}
	if err := k.file.append(fileEntry{kind: kindRetired}); err != nil {
		return err
	}
	for _, x := range k.order {
		x.retire()
	}
	return nil
}

// retire makes the key look used up: the next call of Sealer replaces it.
func (x *key) retire() {
	x.retired = true
	x.noted.Store(maxUses)
	x.uses.Store(maxUses)
}

// Erased says whether a tenant's keys were destroyed.
func (k *Keyring) Erased(tenant string) bool { return (*k.gone.Load())[tenant] }
