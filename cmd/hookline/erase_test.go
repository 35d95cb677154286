package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/pebblelog"
	"github.com/hookline/hookline/eventlog/seal"
)

// Whoever has the directory, the backups and the master key reads nothing of an erased tenant, and still everything of
// the others.
func TestThiefReadsNothingOfTheErased(t *testing.T) {
	dir := t.TempDir()
	data, place, back := filepath.Join(dir, "data"), filepath.Join(dir, "backups"), filepath.Join(dir, "back")
	s := startServe(t, data, "--backup-dir", place)
	ok := func(stdin string, args ...string) {
		t.Helper()
		if got := cli(t, stdin, s.env(), args...); got.code != 0 {
			t.Fatalf("hookline %v: exit %d: %s", args, got.code, got.err)
		}
	}
	for _, tenant := range []string{"acme", "other"} {
		ok("", "tenants", "create", "--id", tenant, "--profile", "osir", "--name", "canary")
		for range 5 {
			ok(`{"secret":"canary"}`, "publish", tenant, "a.b", "-d", "-")
		}
	}
	s.stop()
	ok("", "log", "backup", "--data", data, "--to", place)
	if opened, sealed := openSections(t, data, "acme"); opened != sealed || sealed < 6 {
		t.Fatalf("before the erasure %d of %d sections open", opened, sealed)
	}
	s = startServe(t, data, "--backup-dir", place)
	ok("", "tenants", "erase", "acme", "--confirm", "acme")
	s.stop()
	ok("", "log", "restore", "--data", back, "--from", place)
	master, err := os.ReadFile(filepath.Join(data, masterKeyFile))
	if err == nil {
		err = os.WriteFile(filepath.Join(back, masterKeyFile), master, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{data, back} {
		if opened, sealed := openSections(t, at, "acme"); opened != 0 || sealed < 6 {
			t.Errorf("%s: %d of %d sections open", at, opened, sealed)
		}
		if opened, sealed := openSections(t, at, "other"); opened != sealed || sealed < 6 {
			t.Errorf("%s: of the other tenant %d of %d sections open", at, opened, sealed)
		}
	}
}

// openSections tries every sealed section of a tenant with what a thief of the directory and the master key has.
func openSections(t testing.TB, data, tenant string) (opened, sealed int) {
	t.Helper()
	master, err := seal.LoadMaster(filepath.Join(data, masterKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), keyringFile) // opening may write
	raw, err := os.ReadFile(filepath.Join(data, keyringFile))
	if err == nil {
		err = os.WriteFile(copied, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	keyring, err := seal.Open(copied, master)
	if err != nil {
		t.Fatal(err)
	}
	defer keyring.Close()
	log, err := pebblelog.Open(pebblelog.Options{Dir: filepath.Join(data, logDir), ReadOnly: true, ScrubRate: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for r, err := range log.Read(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Tenant != tenant || record.SealedFor(&r) != tenant {
			continue
		}
		for i, s := range r.Sections {
			sealed++
			if opens(keyring, s, seal.Context{Tenant: tenant, Type: uint16(r.Type), Section: uint8(i)}) {
				opened++
			}
		}
	}
	return opened, sealed
}

func opens(keyring *seal.Keyring, s eventlog.Section, c seal.Context) bool {
	_, err := keyring.Unseal(nil, s.Data, c)
	return err == nil
}
