package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookline/hookline/eventlog/seal"
)

// The master key is rotated while the server runs: what was sealed before and after reads, the old key opens nothing any
// more, and backups made before open with the new one.
func TestRotateMasterKey(t *testing.T) {
	dir := t.TempDir()
	data, place := filepath.Join(dir, "data"), filepath.Join(dir, "backups")
	s := startServe(t, data, "--backup-dir", place)
	ok := func(stdin string, args ...string) string {
		t.Helper()
		got := cli(t, stdin, s.env(), args...)
		if got.code != 0 {
			t.Fatalf("hookline %v: exit %d: %s", args, got.code, got.err)
		}
		return got.out
	}
	ok("", "tenants", "create", "--id", "acme", "--profile", "osir", "--name", "Acme")
	ok(`{"n":1}`, "publish", "acme", "a.b", "-d", "-")
	s.stop()
	ok("", "log", "backup", "--data", data, "--to", place)
	s = startServe(t, data, "--backup-dir", place)
	old, err := seal.LoadMaster(filepath.Join(data, masterKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if out := ok("", "keyring", "rotate"); !strings.Contains(out, "refreshed") {
		t.Errorf("rotate says %s", out)
	}
	ok("", "tenants", "create", "--id", "later", "--profile", "osir", "--name", "Later")
	s.stop()
	if _, err := seal.Open(filepath.Join(data, keyringFile), old); !errors.Is(err, seal.ErrMaster) {
		t.Errorf("the old master key: %v, want ErrMaster", err)
	}
	back := filepath.Join(dir, "back")
	ok("", "log", "restore", "--from", place, "--data", back)
	key, err := os.ReadFile(filepath.Join(data, masterKeyFile))
	if err == nil {
		err = os.WriteFile(filepath.Join(back, masterKeyFile), key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{data, back} {
		s = startServe(t, at)
		if out := ok("", "tenants", "get", "acme"); !strings.Contains(out, "Acme") {
			t.Errorf("%s: %s", at, out)
		}
		s.stop()
	}
}

// A rotation that dies between any two of its steps is taken back or ended by the next start.
func TestRotationDiesHalfway(t *testing.T) {
	for _, step := range []string{"the next key is there", "the keyring is sealed under it"} {
		t.Run(step, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			s := startServe(t, data)
			if got := cli(t, "", s.env(), "tenants", "create", "--id", "acme", "--profile", "osir", "--name", "Acme"); got.code != 0 {
				t.Fatal(got.err)
			}
			s.stop()
			file := filepath.Join(data, masterKeyFile)
			old, err := seal.LoadMaster(file)
			if err != nil {
				t.Fatal(err)
			}
			next, err := seal.GenerateMaster(file + nextSuffix)
			if err != nil {
				t.Fatal(err)
			}
			want := old
			if step != "the next key is there" {
				k, err := seal.Open(filepath.Join(data, keyringFile), old)
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(k.Rotate(next), k.Close()); err != nil {
					t.Fatal(err)
				}
				want = next
			}
			s = startServe(t, data)
			if got := cli(t, "", s.env(), "tenants", "get", "acme"); got.code != 0 || !strings.Contains(got.out, "Acme") {
				t.Errorf("%s%s", got.out, got.err)
			}
			if now, err := seal.LoadMaster(file); err != nil || now != want {
				t.Errorf("the master key's file is not the one that opens (%v)", err)
			}
			if got := cli(t, "", s.env(), "keyring", "rotate"); got.code != 0 {
				t.Errorf("rotate afterwards: %s", got.err)
			}
			s.stop()
		})
	}
}

// A master key from a file is rotated to FILE.next, which must be there.
func TestRotateGivenMasterKey(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	if _, err := seal.GenerateMaster(file); err != nil {
		t.Fatal(err)
	}
	s := startServe(t, filepath.Join(dir, "data"), "--master-key-file", file)
	if got := cli(t, "", s.env(), "keyring", "rotate"); got.code != 1 || !strings.Contains(got.err, file+nextSuffix) {
		t.Errorf("without the next key: exit %d, %s", got.code, got.err)
	}
	next, err := seal.GenerateMaster(file + nextSuffix)
	if err != nil {
		t.Fatal(err)
	}
	if got := cli(t, "", s.env(), "keyring", "rotate"); got.code != 0 {
		t.Errorf("exit %d, %s", got.code, got.err)
	}
	if now, err := seal.LoadMaster(file); err != nil || now != next {
		t.Errorf("the file does not hold the next key (%v)", err)
	}
}
