package seal

import "fmt"

// Rotate seals the keyring anew under another master key, durable on return; from then on it opens with that one only.
// Data keys, sections and the keyring's id stay as they are, and sealing goes on meanwhile. A copy of the file from before
// still opens with the old master key. When it fails the file is as it was, or, where even that is not known, opens with
// one of the two.
func (k *Keyring) Rotate(master Master) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return ErrClosed
	}
	if k.file == nil {
		return fmt.Errorf("seal: a keyring in memory has no master key")
	}
	before := k.file.master
	k.file.master = aead(master[:])
	if err := k.file.rewrite(k.entries()); err != nil {
		k.file.master = before
		return err
	}
	return nil
}
