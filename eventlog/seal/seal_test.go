package seal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var testMaster = Master{1, 2, 3}

func openTest(t *testing.T, path string) *Keyring {
	t.Helper()
	k, err := Open(path, testMaster)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

func sealTest(t *testing.T, k *Keyring, c Context, plain string) []byte {
	t.Helper()
	s, err := k.Sealer(c.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	return s.Seal(nil, []byte(plain), c)
}

func wantPlain(t *testing.T, k *Keyring, sealed []byte, c Context, want string) {
	t.Helper()
	got, err := k.Unseal(nil, sealed, c)
	if err != nil || string(got) != want {
		t.Fatalf("unseals to %q, %v, want %q", got, err, want)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

// TestSealed: a section opens in its own context only, and not when any bit of it changed.
func TestSealed(t *testing.T) {
	k := NewMemory()
	c := Context{Tenant: "acme", Type: 7, Section: 2}
	for _, plain := range []string{"", "x", strings.Repeat("body", 1000)} {
		prefix := []byte("before")
		s, err := k.Sealer("acme")
		if err != nil {
			t.Fatal(err)
		}
		sealed := s.Seal(prefix, []byte(plain), c)
		if !bytes.HasPrefix(sealed, prefix) || len(sealed) != len(prefix)+len(plain)+Overhead {
			t.Fatalf("sealed section has %d bytes, want %d after the prefix", len(sealed), len(plain)+Overhead)
		}
		sealed = sealed[len(prefix):]
		wantPlain(t, k, sealed, c, plain)
		for _, other := range []Context{
			{"acme", 8, 2}, {"acme", 7, 3}, {"acme2", 7, 2}, {"", 7, 2},
		} {
			_, err := k.Unseal(nil, sealed, other)
			wantErr(t, err, ErrTampered)
		}
		for bit := range min(len(sealed), 60) * 8 {
			bad := bytes.Clone(sealed)
			bad[bit/8] ^= 1 << (bit % 8)
			if _, err := k.Unseal(nil, bad, c); !errors.Is(err, ErrTampered) && !errors.Is(err, ErrUnknownKey) {
				t.Fatalf("bit %d flipped: %v, want ErrTampered or ErrUnknownKey", bit, err)
			}
		}
		for n := range min(len(sealed), 60) {
			if _, err := k.Unseal(nil, sealed[:n], c); err == nil {
				t.Fatalf("cut to %d bytes it opens", n)
			}
		}
	}
	if bytes.Equal(sealTest(t, k, c, "same"), sealTest(t, k, c, "same")) {
		t.Error("the same plaintext sealed twice is equal: nonces repeat")
	}
	_, err := NewMemory().Unseal(nil, sealTest(t, k, c, "x"), c)
	wantErr(t, err, ErrUnknownKey)
}

// TestKeysOutliveTheProcess, and so do hashes; two tenants share neither.
func TestKeysOutliveTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	k := openTest(t, path)
	sealed := map[string][]byte{}
	hashes := map[string][16]byte{}
	for _, tenant := range []string{"", "a", "b", strings.Repeat("t", 64)} {
		sealed[tenant] = sealTest(t, k, Context{Tenant: tenant}, "for "+tenant)
		h, err := k.Hash(tenant, "dedupe", []byte("k"))
		if err != nil {
			t.Fatal(err)
		}
		hashes[tenant] = h
	}
	if hashes["a"] == hashes["b"] {
		t.Error("two tenants have the same hash")
	}
	for range 3 {
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		k = openTest(t, path)
		for tenant, s := range sealed {
			wantPlain(t, k, s, Context{Tenant: tenant}, "for "+tenant)
			if h, err := k.Hash(tenant, "dedupe", []byte("k")); err != nil || h != hashes[tenant] {
				t.Fatalf("hash of %q changed: %v", tenant, err)
			}
			sealTest(t, k, Context{Tenant: tenant}, "more")
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file has mode %v, want 0600: %v", info.Mode(), err)
	}
	_, err := k.Sealer(strings.Repeat("t", 65))
	if err == nil {
		t.Error("a tenant of 65 bytes gets a key")
	}
	raw, _ := os.ReadFile(path)
	for _, x := range k.order {
		if bytes.Contains(raw, x.secret[:keyLen]) || bytes.Contains(raw, x.secret[keyLen:]) {
			t.Error("a key stands in the file as it is")
		}
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(path, Master{9})
	wantErr(t, err, ErrMaster)
	_, err = k.Sealer("new")
	wantErr(t, err, ErrClosed)
}

func TestErase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	k := openTest(t, path)
	a, b := Context{Tenant: "a"}, Context{Tenant: "b"}
	sa, sb := sealTest(t, k, a, "of a"), sealTest(t, k, b, "of b")
	secret := k.order[0].secret
	before, _ := os.ReadFile(path)
	for range 2 {
		if err := k.Erase("a"); err != nil {
			t.Fatal(err)
		}
	}
	check := func(k *Keyring) {
		t.Helper()
		_, err := k.Unseal(nil, sa, a)
		wantErr(t, err, ErrDestroyed)
		_, err = k.Sealer("a")
		wantErr(t, err, ErrDestroyed)
		_, err = k.Hash("a", "d")
		wantErr(t, err, ErrDestroyed)
		wantPlain(t, k, sb, b, "of b")
	}
	check(k)
	if err := k.Erase("never had a key"); err != nil {
		t.Fatal(err)
	}
	_ = k.Close()
	k = openTest(t, path)
	check(k)
	_, err := k.Sealer("never had a key")
	wantErr(t, err, ErrDestroyed)
	_ = k.Close()

	// The key itself is gone from the file: entries that hold it under the master are what was removed.
	after, _ := os.ReadFile(path)
	f := &file{id: k.file.id, master: k.file.master}
	entries, _, err := f.parseEntries(after)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if bytes.Equal(e.secret, secret[:]) {
			t.Error("the erased key is still in the file")
		}
	}

	// Cut between tombstone and rewriting: the next opening ends it.
	f.path = path
	half := append(bytes.Clone(before), f.encode(nil, fileEntry{kind: kindErased, tenant: "a"})...)
	if err := os.WriteFile(path, half, 0o600); err != nil {
		t.Fatal(err)
	}
	k = openTest(t, path)
	check(k)
	if after, _ := os.ReadFile(path); len(after) >= len(half) {
		t.Error("the erased key is still in the file")
	}
}

// TestDamagedKeyring: every single flipped bit is refused; a cut is either refused, or is a torn last entry, whose
// key was never used.
func TestDamagedKeyring(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keyring")
	k := openTest(t, path)
	var sealed [][]byte
	ends := []int{headerLen}
	for i := range 3 {
		sealed = append(sealed, sealTest(t, k, Context{Tenant: fmt.Sprint(i)}, "x"))
		ends = append(ends, int(k.file.size))
	}
	_ = k.Close()
	whole, _ := os.ReadFile(path)
	try := func(raw []byte) (*Keyring, error) {
		p := filepath.Join(dir, "damaged")
		if err := os.WriteFile(p, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		return Open(p, testMaster)
	}
	for i := range len(whole) * 8 {
		raw := bytes.Clone(whole)
		raw[i/8] ^= 1 << (i % 8)
		if k, err := try(raw); !errors.Is(err, ErrDamaged) {
			_ = k.Close()
			t.Fatalf("bit %d of byte %d flipped: %v, want ErrDamaged", i%8, i/8, err)
		}
	}
	for n := range len(whole) {
		for _, padded := range []bool{false, true} {
			raw := bytes.Clone(whole[:n])
			if padded { // as after a loss of power: the length was there, the bytes were not
				if n > ends[2] && n > len(whole)-tagLen-entrySuffix {
					continue // no page ends there
				}
				raw = append(raw, make([]byte, len(whole)-n)...)
			}
			k, err := try(raw)
			if err != nil {
				if n >= headerLen && (!padded || n >= ends[2]+entryPrefix) {
					t.Fatalf("cut at %d (padded: %v): %v, want a torn last entry", n, padded, err)
				}
				continue
			}
			for i, s := range sealed {
				_, err := k.Unseal(nil, s, Context{Tenant: fmt.Sprint(i)})
				if there := n >= ends[i+1]; there != (err == nil) || !there && !errors.Is(err, ErrUnknownKey) {
					t.Fatalf("cut at %d: key %d: %v", n, i, err)
				}
			}
			_ = k.Close()
		}
	}
}

// TestKeyIsReplaced after 2^30 sections, restarts counted generously; the hash stays.
func TestKeyIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	k := openTest(t, path)
	c := Context{Tenant: "t"}
	old := sealTest(t, k, c, "old")
	hash, _ := k.Hash("t", "d")
	first := k.order[0]
	for step := 1; len(k.order) == 1; step++ {
		if step > maxUses/stepUses {
			t.Fatal("the key is never replaced")
		}
		first.uses.Store(first.noted.Load())
		if step%50 == 0 { // what is noted in the file counts after a restart
			_ = k.Close()
			k = openTest(t, path)
			if first = k.order[0]; first.uses.Load() < uint64(step)*stepUses {
				t.Fatalf("%d uses are known after %d steps", first.uses.Load(), step)
			}
		}
		sealTest(t, k, c, "x")
	}
	if first.uses.Load() > maxUses {
		t.Errorf("the key sealed %d sections, at most %d", first.uses.Load(), maxUses)
	}
	fresh := sealTest(t, k, c, "new")
	if bytes.Equal(fresh[1:9], old[1:9]) {
		t.Error("the new section is under the old key")
	}
	_ = k.Close()
	k = openTest(t, path)
	wantPlain(t, k, old, c, "old")
	wantPlain(t, k, fresh, c, "new")
	if again := sealTest(t, k, c, "x"); !bytes.Equal(again[1:9], fresh[1:9]) {
		t.Error("after opening, the newest key is not the one in use")
	}
	if h, err := k.Hash("t", "d"); err != nil || h != hash {
		t.Errorf("the hash changed with the key: %v", err)
	}
}

func TestHash(t *testing.T) {
	k := NewMemory()
	seen := map[[16]byte]string{}
	long := strings.Repeat("l", 300)
	for _, c := range [][]string{
		{"d"}, {"d", ""}, {"d", "", ""}, {"d", "ab", "c"}, {"d", "a", "bc"}, {"d", "abc"}, {"da", "bc"},
		{"d", long}, {"d", long, "x"}, {"d", "x", long}, {"d", long[:256]}, {"d", long[:257]},
	} {
		var parts [][]byte
		for _, p := range c[1:] {
			parts = append(parts, []byte(p))
		}
		h, err := k.Hash("t", c[0], parts...)
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := seen[h]; twice {
			t.Errorf("%q and %s have the same hash", c, other)
		}
		seen[h] = fmt.Sprintf("%q", c)
		if again, _ := k.Hash("t", c[0], parts...); again != h {
			t.Errorf("%q has two hashes", c)
		}
	}
}

// TestConcurrent is for the race detector: new tenants, sealing, hashing and erasing at once.
func TestConcurrent(t *testing.T) {
	k := openTest(t, filepath.Join(t.TempDir(), "keyring"))
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 60 {
				c := Context{Tenant: fmt.Sprint("t", i%20)}
				s, err := k.Sealer(c.Tenant)
				if errors.Is(err, ErrDestroyed) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				sealed := s.Seal(nil, []byte("x"), c)
				if p, err := k.Unseal(nil, sealed, c); err == nil && string(p) != "x" || err != nil && !errors.Is(err, ErrDestroyed) {
					t.Errorf("unseals to %q: %v", p, err)
				}
				if _, err := k.Hash(c.Tenant, "d"); err != nil && !errors.Is(err, ErrDestroyed) {
					t.Error(err)
				}
				if g == 0 && i == 45 {
					if err := k.Erase("t3"); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	_, err := k.Sealer("t3")
	wantErr(t, err, ErrDestroyed)
}

func TestMaster(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	m, err := GenerateMaster(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("file has mode %v, want 0600", info.Mode())
	}
	if again, err := LoadMaster(path); err != nil || again != m {
		t.Errorf("loads %v, %v", again == m, err)
	}
	if _, err := GenerateMaster(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("generating over a file: %v, want ErrExist", err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v %s", m, m, m, m), hex.EncodeToString(m[:4])) {
		t.Error("a master key prints")
	}
	_, err = LoadMaster(path + ".missing")
	wantErr(t, err, ErrMaster)
	wantErr(t, err, os.ErrNotExist)
	if err := os.WriteFile(path, m[:], 0o600); err != nil {
		t.Fatal(err)
	}
	if raw, err := LoadMaster(path); err != nil || raw != m {
		t.Errorf("32 raw bytes: %v", err)
	}
	for text, ok := range map[string]bool{
		strings.Repeat("0a", 32):                       true,
		" " + strings.Repeat("0A", 32) + "\n":          true,
		strings.Repeat("A", 43):                        true,
		strings.Repeat("A", 43) + "=":                  true,
		strings.Repeat("-_", 21) + "8":                 true,
		strings.Repeat("0a", 31):                       false,
		strings.Repeat("A", 42):                        false,
		"":                                             false,
		"correct horse battery staple is not a key!!!": false,
	} {
		if _, err := ParseMaster(text); (err == nil) != ok || err != nil && !errors.Is(err, ErrMaster) {
			t.Errorf("%q: %v, want ok: %v", text, err, ok)
		} else if err != nil && len(text) > 8 && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
}
