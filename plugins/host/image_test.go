package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The copy in memory takes no writing; a copy in a file that has changed is not executed; both are gone after close.
func TestImage(t *testing.T) {
	source := filepath.Join(t.TempDir(), "plugin")
	script := filepath.Join(t.TempDir(), "script")
	for file, text := range map[string]string{source: "\x7fELF binary", script: "#!/bin/sh\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	im, err := newImage(&Config{Name: "x", Command: source, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer im.close()
	if im.memo == nil || im.check() != nil {
		t.Fatalf("not in sealed memory: %+v", im)
	}
	if _, err := im.memo.WriteAt([]byte("x"), 0); err == nil {
		t.Error("sealed memory was written to")
	}
	if err := im.memo.Truncate(1); err == nil {
		t.Error("sealed memory was cut")
	}
	dir := t.TempDir()
	file, err := newImage(&Config{Name: "x", Command: script, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(file.path)
	if err != nil || st.Mode().Perm() != 0o500 || !strings.HasPrefix(file.path, filepath.Join(dir, "plugins")) || file.check() != nil {
		t.Errorf("private copy %s: %v, %v", file.path, st, err)
	}
	if err := os.Chmod(file.path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file.path, []byte("#!/bin/no\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := file.check(); !errors.Is(err, ErrPin) {
		t.Errorf("changed copy: %v", err)
	}
	file.close()
	if _, err := os.Stat(file.path); !os.IsNotExist(err) {
		t.Error("the copy was left behind")
	}
}

// The folder of a host that was killed is removed by the next one; that of a living one is not.
func TestRunDir(t *testing.T) {
	parent := t.TempDir()
	stale := filepath.Join(parent, runDirPrefix+"stale")
	if err := os.MkdirAll(filepath.Join(stale, "plugin-dir1"), 0o700); err != nil {
		t.Fatal(err)
	}
	a, err := newRunDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newRunDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Error("the stale folder is still there")
	}
	if _, err := os.Stat(a.path); err != nil {
		t.Errorf("a living host's folder is gone: %v", err)
	}
	a.close()
	b.close()
	if left, _ := os.ReadDir(parent); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
