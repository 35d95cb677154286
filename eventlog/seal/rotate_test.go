package seal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestRotate: the keyring opens with the new master key only; keys, hashes, tombstones, retirement and id stay, and it
// goes on being written to. A copy from before opens with the old one.
func TestRotate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keyring")
	k := openTest(t, path)
	c := Context{Tenant: "acme", Type: 7}
	sealed := sealTest(t, k, c, "text")
	if err := k.Retire(); err != nil {
		t.Fatal(err)
	}
	sealTest(t, k, Context{Tenant: "gone"}, "x")
	if err := k.Erase("gone"); err != nil {
		t.Fatal(err)
	}
	hash, _ := k.Hash("acme", "d", []byte("x"))
	before, _ := k.Bytes()
	next := testMaster
	next[0] ^= 1
	if err := k.Rotate(next); err != nil {
		t.Fatal(err)
	}
	later := sealTest(t, k, Context{Tenant: "later", Type: 7}, "later")
	after, _ := k.Bytes()
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, testMaster); !errors.Is(err, ErrMaster) {
		t.Errorf("with the old master key: %v, want ErrMaster", err)
	}
	k, err := Open(path, next)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	wantPlain(t, k, sealed, c, "text")
	wantPlain(t, k, later, Context{Tenant: "later", Type: 7}, "later")
	if s := sealTest(t, k, c, "x"); keyIDOf(s) == keyIDOf(sealed) {
		t.Error("the retired key seals")
	}
	if h, _ := k.Hash("acme", "d", []byte("x")); h != hash || !k.Erased("gone") {
		t.Error("hashes or tombstones are others")
	}
	was, _ := KeyringID(before)
	if is, err := KeyringID(after); err != nil || is != was {
		t.Errorf("id %s, was %s (%v)", is, was, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "copy"), before, 0o600); err != nil {
		t.Fatal(err)
	}
	wantPlain(t, openTest(t, filepath.Join(dir, "copy")), sealed, c, "text")
	if err := NewMemory().Rotate(next); err == nil {
		t.Error("a keyring in memory rotates")
	}
}
