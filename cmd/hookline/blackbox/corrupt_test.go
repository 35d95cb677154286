package blackbox

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// notLog are the files of a data directory that are neither the log nor derived from it.
var notLog = []string{"keyring", "master.key", "admin.key", "lock", "clock"}

// logFiles are the files below data that hold the log, the largest first: what is left when the derived paths (as
// `log stat` lists them), the keys, the lock and the clock mark are taken away.
func logFiles(t testing.TB, data string, derived []string) []string {
	t.Helper()
	var files []string
	size := map[string]int64{}
	for _, path := range filesIn(t, data) {
		rel, err := filepath.Rel(data, path)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(derived, func(d string) bool { return within(data, d, rel) }) {
			continue
		}
		first, _, _ := strings.Cut(strings.ToLower(rel), string(filepath.Separator))
		if slices.ContainsFunc(notLog, func(name string) bool { return strings.Contains(first, name) }) {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		size[rel] = info.Size()
		files = append(files, rel)
	}
	slices.SortFunc(files, func(a, b string) int { return int(size[b] - size[a]) })
	if len(files) == 0 {
		t.Fatalf("no log files in %s beside %v", data, derived)
	}
	return files
}

// within says whether rel is the derived path d (absolute, or relative to data) or stands below it.
func within(data, d, rel string) bool {
	if filepath.IsAbs(d) {
		if r, err := filepath.Rel(data, d); err == nil {
			d = r
		}
	}
	d = filepath.Clean(d)
	return rel == d || strings.HasPrefix(rel, d+string(filepath.Separator))
}

// damaged copies a data directory, changes one file of the copy and returns the copy.
func damaged(t testing.TB, data, rel string, change func([]byte) []byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(dir, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"master.key", "admin.key"} { // CopyFS widens modes
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			if err := os.Chmod(filepath.Join(dir, name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(dir, rel)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if content = change(content); content == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// written is the length of a file without the zeros a store may have set aside at its end.
func written(content []byte) int { return len(bytes.TrimRight(content, "\x00")) }

// filledLog runs a server for a while, stops it cleanly and returns it with its log's files.
func filledLog(t testing.TB) (r *rig, st logStatus, files []string) {
	t.Helper()
	r, n, k, _ := osirRig(t, always(200), nil)
	for i := range 150 {
		e := sample("a.b", i)
		e.data = sized(2 * kib)
		n.publish(t, e)
	}
	r.settle(t)
	k.exactly(t, 150)
	r.stop(t)
	r.logOK(t, "verify")
	st = r.stat(t)
	return r, st, logFiles(t, r.data, st.Derived)
}

// Section 6: one flipped byte anywhere in the log is found (exit 3), or lay where nothing of the log stands; never is a
// record silently missing or other than it was.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	r, st, files := filledLog(t)
	cat := r.logOK(t, "cat").out
	found := 0
	for _, rel := range files[:min(len(files), 3)] {
		content, err := os.ReadFile(filepath.Join(r.data, rel))
		if err != nil {
			t.Fatal(err)
		}
		for part := 1; part <= 3 && written(content) > 64; part++ {
			at := written(content) * part / 4
			dir := damaged(t, r.data, rel, func(c []byte) []byte { c[at] ^= 0x40; return c })
			got := runCLI(t, r.dir, "", nil, "log", "verify", "--data", dir)
			if got.code == 3 {
				found++
				continue
			}
			copied := &server{data: dir, dir: r.dir}
			if got.code == 0 && copied.stat(t).Chain == st.Chain && copied.logOK(t, "cat").out == cat {
				continue
			}
			t.Errorf("%s, byte %d flipped: verify exits %d and the log is not what it was: %s", rel, at, got.code, got.text())
		}
	}
	if found == 0 {
		t.Errorf("no flipped byte of %v was found", files)
	}
}

// A cut or missing file of the log after a clean stop is always found, and no server serves what is left (exit 3).
func TestCutLog(t *testing.T) {
	t.Parallel()
	r, _, files := filledLog(t)
	for name, change := range map[string]func([]byte) []byte{
		"cut in half": func(c []byte) []byte { return c[:written(c)/2] },
		"last bytes":  func(c []byte) []byte { return c[:written(c)-20] },
		"removed":     func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			dir := damaged(t, r.data, files[0], change)
			got := runCLI(t, r.dir, "", nil, "log", "verify", "--data", dir)
			equal(t, "exit code of verify", got.code, 3)
			s := newServer(t, r.opts)
			s.data = dir
			s.launch(t)
			equal(t, "exit code of serve", s.awaitExit(t, late), 3)
		})
	}
}

// Promise 3: delete what `log stat` calls derived, start, and the state is the same, by digest and by what the API shows.
func TestDerivedCanBeDeleted(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(500), nil)
	for i := range 20 {
		e := sample("domain.registered", i)
		e.key = row("key", i)
		n.publish(t, e)
	}
	r.advance(t, 30*time.Minute)
	had := k.count()
	look := func() string {
		return string(r.api.get(t, n.path("/deliveries"), nil).body) + string(r.api.get(t, n.path("/endpoints/", ep.ID), nil).body)
	}
	before := look()
	r.stop(t)
	st := r.stat(t)
	if len(st.Derived) == 0 {
		t.Fatal("log stat -o json lists nothing under derived")
	}
	removeDerived(t, r.server, st)
	r.start(t)
	r.restarted()
	equal(t, "what the API shows", look(), before)
	equal(t, "duplicate", n.publish(t, func() event { e := sample("domain.registered", 3); e.key = row("key", 3); return e }()).Duplicate, true)
	r.settle(t)
	k.exactly(t, had)
	r.stop(t)
	again := r.stat(t)
	equal(t, "state_digest", again.StateDigest, st.StateDigest)
	r.logOK(t, "rebuild", "--check")
	r.logOK(t, "verify")
}

// removeDerived deletes what the log can make again.
func removeDerived(t testing.TB, s *server, st logStatus) {
	t.Helper()
	for _, d := range st.Derived {
		if !filepath.IsAbs(d) {
			d = filepath.Join(s.data, d)
		}
		if rel, err := filepath.Rel(s.data, d); err != nil || strings.HasPrefix(rel, "..") || rel == "." {
			t.Fatalf("derived path %s is not inside the data directory", d)
		}
		if err := os.RemoveAll(d); err != nil {
			t.Fatal(err)
		}
	}
}
