package seal

import "crypto/ed25519"

// signingDomain derives the key that signs checkpoints from the system's hash key: it stands in no file, stays the same
// for the life of the keyring, restores and rotations included, and cannot be erased with a tenant.
const signingDomain = "ed25519 key of checkpoints"

// SigningKey is the key that signs checkpoints of the log that this keyring belongs to. Errors as Hash.
func (k *Keyring) SigningKey() (ed25519.PrivateKey, error) {
	seed := make([]byte, 0, ed25519.SeedSize)
	for half := range byte(2) {
		h, err := k.Hash("", signingDomain, []byte{half})
		if err != nil {
			return nil, err
		}
		seed = append(seed, h[:]...)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
