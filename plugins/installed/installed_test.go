package installed_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hookline/hookline/plugins/installed"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plugin")
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func put(t *testing.T, s installed.Store, name, text string) *installed.Manifest {
	t.Helper()
	file, sum, err := s.Copy(write(t, text))
	if err != nil {
		t.Fatal(err)
	}
	m := &installed.Manifest{Name: name, Version: text, File: file, SHA256: sum, InstalledAt: time.Now()}
	if err := s.Install(m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestStore(t *testing.T) {
	data := t.TempDir()
	s := installed.In(data)
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Fatalf("an empty directory: %v %v", all, err)
	}
	put(t, s, "b", "one")
	m := put(t, s, "a", "two")
	old := put(t, s, "b", "three")
	all, err := s.List()
	if err != nil || len(all) != 2 || all[0].Name != "a" || all[1].Version != "three" {
		t.Fatalf("%v %v", all, err)
	}
	if st, err := os.Stat(s.Path(m)); err != nil || st.Mode().Perm() != 0o500 {
		t.Errorf("the copy's mode: %v %v", st.Mode(), err)
	}
	if st, err := os.Stat(filepath.Join(data, "plugins", "installed", "a.json")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the manifest's mode: %v %v", st.Mode(), err)
	}
	if err := s.Remove("b"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b", "../a", ""} {
		if _, err := s.Get(name); !errors.Is(err, installed.ErrNone) {
			t.Errorf("%q: %v", name, err)
		}
		if err := s.Remove(name); !errors.Is(err, installed.ErrNone) {
			t.Errorf("remove %q: %v", name, err)
		}
	}
	// What no manifest names goes, an hour later: an installation may be under way.
	if _, err := os.Stat(s.Path(old)); err != nil {
		t.Errorf("a fresh file was removed: %v", err)
	}
	past := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(s.Path(old), past, past); err != nil {
		t.Fatal(err)
	}
	put(t, s, "c", "four")
	if _, err := os.Stat(s.Path(old)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an old file that nobody names is still there: %v", err)
	}
	if _, _, err := s.Copy(t.TempDir()); err == nil {
		t.Error("a directory was copied")
	}
	if err := s.Install(&installed.Manifest{Name: "../x"}); err == nil {
		t.Error("a name that leaves the directory was taken")
	}
}
