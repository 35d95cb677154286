package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/seal"
)

// files are the regular files of a directory, by path below it.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDamage: a flipped bit, a cut or a missing file anywhere in a backup is found by restoring it. None is silent.
func TestDamage(t *testing.T) {
	w := newWorld(t)
	w.write(60, 500)
	d := w.backups()
	m := w.make(d, 0)
	want := w.head()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for path, content := range files(t, d.path) {
		for _, how := range []string{"flipped", "cut", "removed"} {
			switch how {
			case "flipped":
				if len(content) == 0 {
					continue
				}
				b := append([]byte(nil), content...)
				b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
				put(t, path, b)
			case "cut":
				if len(content) == 0 {
					continue
				}
				put(t, path, content[:rng.IntN(len(content))])
			case "removed":
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			to := target(t, Until{})
			if head, err := restoreNewest(t.Context(), d, to); err == nil {
				t.Errorf("%s %s: restores to seq %d of %d", filepath.Base(path), how, head.Seq, want.Seq)
			}
			put(t, path, content)
		}
	}
	if head, err := d.Restore(t.Context(), m, target(t, Until{})); err != nil || head != want {
		t.Errorf("put back as it was: %+v, %v", head, err)
	}
}

func restoreNewest(ctx context.Context, d *Dir, to Target) (eventlog.Head, error) {
	m, err := d.Find("")
	if err != nil {
		return eventlog.Head{}, err
	}
	return d.Restore(ctx, m, to)
}

func put(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

var errKilled = errors.New("killed")

// TestKilledAtEachStep breaks a backup off after each piece that it copies, leaving everything as kill -9 would. There is
// no backup then but those from before, which restore; the next one works and removes what was left.
func TestKilledAtEachStep(t *testing.T) {
	w := newWorld(t)
	w.write(100, 2000)
	d := w.backups()
	first := w.make(d, 0)
	w.write(100, 2000)
	for steps := 1; ; steps++ {
		ctx, cancel := context.WithCancelCause(t.Context())
		n := 0
		src := w.source()
		_, err := d.Make(ctx, src, Options{Rate: 1 << 40, Progress: func(int64, int64) {
			if n++; n == steps {
				cancel(errKilled)
			}
		}})
		cancel(nil)
		if err == nil {
			if steps < 4 {
				t.Fatalf("it ended after %d steps", steps)
			}
			break
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		// A kill leaves parts behind, which a return does not.
		put(t, d.join(objectsDir, "new"+unfinished), []byte("half"))
		put(t, d.join(manifestsDir, "half.json"+unfinished), []byte("{"))
		if err := os.MkdirAll(filepath.Join(src.Staging+".part", "pebble"), 0o700); err != nil {
			t.Fatal(err)
		}
		all, err := d.List()
		if err != nil || len(all) != 1 || all[0].ID != first.ID {
			t.Fatalf("after step %d there are %d backups, %v", steps, len(all), err)
		}
	}
	if _, err := d.Restore(t.Context(), first, target(t, Until{})); err != nil {
		t.Error(err)
	}
	w.make(d, 0)
	for path := range files(t, d.path) {
		if strings.HasSuffix(path, unfinished) {
			t.Errorf("%s was left", path)
		}
	}
	if _, err := os.Stat(w.join("staging.part")); err == nil {
		t.Error("the staging directory was left")
	}
}

// TestKeyringReplacedHalfway: a kill between the new keyring and the removal of the old one leaves both; the newer holds,
// and the next backup removes the other.
func TestKeyringReplacedHalfway(t *testing.T) {
	w := newWorld(t)
	w.write(3, 10)
	d := w.backups()
	m := w.make(d, 0)
	name, old, err := d.keyring()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.keyring.Erase("acme"); err != nil {
		t.Fatal(err)
	}
	raw, _ := w.keyring.Bytes()
	if err := d.RefreshKeyring(raw); err != nil {
		t.Fatal(err)
	}
	put(t, d.join(name), old)
	to := target(t, Until{})
	if _, err := d.Restore(t.Context(), m, to); err != nil {
		t.Fatal(err)
	}
	k, err := seal.Open(to.Keyring, master)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if !k.Erased("acme") {
		t.Error("the older keyring was restored")
	}
	w.make(d, 0)
	if all, _ := d.keyrings(); len(all) != 1 {
		t.Errorf("%d keyrings stay", len(all))
	}
}

// TestRefused: what is no place for a backup, and says why.
func TestRefused(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	w.write(1, 10)
	other.write(1, 10)
	d := w.backups()
	w.make(d, 0)
	if _, err := d.Make(t.Context(), other.source(), Options{}); !errors.Is(err, ErrOther) {
		t.Errorf("of another log: %v, want ErrOther", err)
	}
	raw, _ := other.keyring.Bytes()
	if err := d.RefreshKeyring(raw); !errors.Is(err, ErrOther) {
		t.Errorf("keyring of another log: %v, want ErrOther", err)
	}
	if _, err := Open(d.path, false); !errors.Is(err, ErrBusy) {
		t.Errorf("twice: %v, want ErrBusy", err)
	}
	empty, err := Open(t.TempDir(), true)
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if _, err := empty.Find(""); !errors.Is(err, ErrNone) {
		t.Errorf("an empty directory: %v, want ErrNone", err)
	}
	if err := empty.RefreshKeyring(raw); err != nil {
		t.Errorf("a refresh without backups: %v", err)
	}
	if err := roomFor(d.path, 1<<62); err == nil || !strings.Contains(err.Error(), "free") {
		t.Errorf("no room: %v", err)
	}
}

func FuzzManifest(f *testing.F) {
	m := &Manifest{Format: format, ID: "a", HeadSeq: 7, Chain: strings.Repeat("0a", 32), Files: []File{{Path: "pebble/1", SHA256: strings.Repeat("0b", 32)}}}
	good, _ := encodeManifest(m)
	f.Add(good)
	f.Add([]byte("{}\n\"\"\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decodeManifest(raw)
		if err != nil {
			return
		}
		for _, file := range m.Files {
			if !filepath.IsLocal(filepath.FromSlash(file.Path)) {
				t.Fatalf("%q leads out of the log", file.Path)
			}
		}
		if again, err := encodeManifest(m); err != nil || fmt.Sprint(len(again)) == "0" {
			t.Fatal(err)
		}
	})
}
