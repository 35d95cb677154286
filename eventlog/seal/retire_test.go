package seal

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func keyIDOf(sealed []byte) uint64 { return binary.BigEndian.Uint64(sealed[1:]) }

// TestRetire: after it every tenant seals under a new key, also when the keyring was opened anew or written anew by an
// erasure; what was sealed stays readable and keyed hashes stay the same.
func TestRetire(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	k := openTest(t, path)
	c, other := Context{Tenant: "acme", Type: 7}, Context{Tenant: "other", Type: 7}
	before, otherBefore := sealTest(t, k, c, "before"), sealTest(t, k, other, "other")
	hash, _ := k.Hash("acme", "d", []byte("x"))
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	k = openTest(t, path)
	if err := k.Retire(); err != nil {
		t.Fatal(err)
	}
	// The first use of an older key after an opening notes further uses of all keys: not of those retired.
	after := sealTest(t, k, c, "after")
	if keyIDOf(after) == keyIDOf(before) {
		t.Error("the retired key seals")
	}
	if again := sealTest(t, k, c, "again"); keyIDOf(again) != keyIDOf(after) {
		t.Error("the new key is not kept")
	}
	sealTest(t, k, Context{Tenant: "gone"}, "x")
	if err := errors.Join(k.Erase("gone"), k.Close()); err != nil {
		t.Fatal(err)
	}
	k = openTest(t, path)
	if s := sealTest(t, k, other, "x"); keyIDOf(s) == keyIDOf(otherBefore) {
		t.Error("a retired key seals after the file was written anew")
	}
	if s := sealTest(t, k, c, "x"); keyIDOf(s) != keyIDOf(after) {
		t.Error("a key that was not retired is replaced")
	}
	wantPlain(t, k, before, c, "before")
	wantPlain(t, k, otherBefore, other, "other")
	if h, err := k.Hash("acme", "d", []byte("x")); err != nil || h != hash {
		t.Errorf("hash is %x, %v, want %x", h, err, hash)
	}
	if !k.Erased("gone") || k.Erased("acme") {
		t.Error("Erased is wrong")
	}
}

// TestKeyringBytes: the bytes are a keyring, with the id that it keeps.
func TestKeyringBytes(t *testing.T) {
	dir := t.TempDir()
	k := openTest(t, filepath.Join(dir, "keyring"))
	c := Context{Tenant: "acme", Type: 7}
	sealed := sealTest(t, k, c, "text")
	raw, err := k.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	id, err := KeyringID(raw)
	if err != nil || len(id) != 32 {
		t.Fatalf("id %q, %v", id, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "copy"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	again := openTest(t, filepath.Join(dir, "copy"))
	wantPlain(t, again, sealed, c, "text")
	if err := again.Erase("acme"); err != nil {
		t.Fatal(err)
	}
	raw, _ = again.Bytes()
	if now, err := KeyringID(raw); err != nil || now != id {
		t.Errorf("the id was %s, is %s (%v)", id, now, err)
	}
	if _, err := KeyringID(raw[1:]); !errors.Is(err, ErrDamaged) {
		t.Errorf("no keyring: %v, want ErrDamaged", err)
	}
	if _, err := NewMemory().Bytes(); err == nil {
		t.Error("a keyring in memory has bytes")
	}
}

// TestGoldenRetired opens a keyring with a retired key as it was written once.
func TestGoldenRetired(t *testing.T) {
	const golden = "testdata/keyring_retired.v1.hex"
	path := filepath.Join(t.TempDir(), "keyring")
	if _, err := os.Stat(golden); os.IsNotExist(err) && *rewrite {
		k := openTest(t, path)
		sealTest(t, k, Context{Tenant: "acme"}, "x")
		if err := k.Retire(); err != nil {
			t.Fatal(err)
		}
		raw, _ := k.Bytes()
		if err := os.WriteFile(golden, []byte(hex.EncodeToString(raw)+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, goldenBytes(t, "keyring_retired"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := openTest(t, path)
	old := k.order[0].id
	if s := sealTest(t, k, Context{Tenant: "acme"}, "x"); keyIDOf(s) == old {
		t.Error("the retired key seals")
	}
}
