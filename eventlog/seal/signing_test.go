package seal

import (
	"crypto/ed25519"
	"encoding/hex"
	"path/filepath"
	"testing"
)

// TestSigningKey: the key that signs checkpoints stays the same over openings, retirement and rotation, is that of the
// format (golden keyring), and another keyring has another.
func TestSigningKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	k := openTest(t, path)
	key, err := k.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	next := testMaster
	next[1] ^= 1
	if err := k.Retire(); err != nil {
		t.Fatal(err)
	}
	if err := k.Rotate(next); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path, next)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if is, err := again.SigningKey(); err != nil || !is.Equal(key) {
		t.Errorf("the key changed (%v)", err)
	}
	other, err := NewMemory().SigningKey()
	if err != nil || other.Equal(key) {
		t.Errorf("another keyring has the same key (%v)", err)
	}
	h0, _ := again.Hash("", "ed25519 key of checkpoints", []byte{0})
	h1, _ := again.Hash("", "ed25519 key of checkpoints", []byte{1})
	if want := hex.EncodeToString(append(h0[:], h1[:]...)); hex.EncodeToString(key.Seed()) != want || len(key) != ed25519.PrivateKeySize {
		t.Errorf("the seed is not what FORMAT.md says")
	}
}
