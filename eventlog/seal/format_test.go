package seal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write golden files that do not exist yet")

// TestGoldenVersion1 opens a keyring and a section of version 1 as they were written once.
func TestGoldenVersion1(t *testing.T) {
	c := Context{Tenant: "acme", Type: 16, Section: 1}
	path := filepath.Join(t.TempDir(), "keyring")
	if _, err := os.Stat("testdata/keyring.v1.hex"); os.IsNotExist(err) && *rewrite {
		k := openTest(t, path)
		sealed := sealTest(t, k, c, "as it was written")
		sealTest(t, k, Context{Tenant: "gone"}, "x")
		if err := k.Erase("gone"); err != nil {
			t.Fatal(err)
		}
		hash, _ := k.Hash("acme", "dedupe", []byte("key"), []byte("type"))
		raw, _ := os.ReadFile(path)
		for name, p := range map[string][]byte{"keyring": raw, "section": sealed, "hash": hash[:]} {
			err := errors.Join(os.MkdirAll("testdata", 0o755),
				os.WriteFile("testdata/"+name+".v1.hex", []byte(hex.EncodeToString(p)+"\n"), 0o644))
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(path, goldenBytes(t, "keyring"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := openTest(t, path)
	wantPlain(t, k, goldenBytes(t, "section"), c, "as it was written")
	_, err := k.Sealer("gone")
	wantErr(t, err, ErrDestroyed)
	if h, err := k.Hash("acme", "dedupe", []byte("key"), []byte("type")); err != nil || !bytes.Equal(h[:], goldenBytes(t, "hash")) {
		t.Errorf("hash is %x, %v", h, err)
	}
}

func goldenBytes(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".v1.hex")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func FuzzUnseal(f *testing.F) {
	k := NewMemory()
	s, _ := k.Sealer("t")
	c := Context{Tenant: "t", Type: 1}
	good := s.Seal(nil, []byte("plain"), c)
	f.Add(good)
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := k.Unseal(nil, sealed, c); err == nil && !bytes.Equal(sealed, good) {
			t.Fatal("a forged section opens")
		}
	})
}

func FuzzKeyring(f *testing.F) {
	raw := goldenBytes(f, "keyring")
	f.Add(raw)
	f.Add(raw[headerLen:])
	f.Fuzz(func(t *testing.T, entries []byte) {
		k := &file{master: aead(testMaster[:])}
		_ = k.parseHeader(entries)
		copy(k.id[:], raw[8:])
		got, end, err := k.parseEntries(append(raw[:headerLen:headerLen], entries...))
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatalf("error is %v, want ErrDamaged", err)
		}
		if err == nil && (end < headerLen || end > headerLen+len(entries)) {
			t.Fatalf("%d entries end at %d", len(got), end)
		}
	})
}

func FuzzParseMaster(f *testing.F) {
	f.Add(strings.Repeat("0a", 32))
	f.Add(strings.Repeat("A", 43))
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := ParseMaster(text); err != nil && !errors.Is(err, ErrMaster) {
			t.Fatalf("error is %v, want ErrMaster", err)
		}
	})
}
