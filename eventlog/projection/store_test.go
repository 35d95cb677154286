package projection

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/hookline/hookline/eventlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func openStore(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = "views"
		if o.Memory == nil {
			o.Memory = NewMemory()
		}
	}
	if o.Logger == nil {
		o.Logger = quiet()
	}
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// put commits some keys, at a checkpoint.
func put(t testing.TB, s *Store, seq eventlog.Seq, keys ...string) {
	t.Helper()
	var w Batch
	for _, k := range keys {
		w.Set([]byte(k), []byte("value of "+k))
	}
	if err := s.commit("v", &w, checkpoint{seq: seq}); err != nil {
		t.Fatal(err)
	}
}

func keys(t testing.TB, s *Store) (all []string) {
	t.Helper()
	it, err := s.Iter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		all = append(all, string(it.Key()))
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestBatchKeepsOrder: however writes are sorted on their way, a later one wins over an earlier one of the same batch,
// range deletions included.
func TestBatchKeepsOrder(t *testing.T) {
	s := openStore(t, Options{})
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		space := fmt.Sprintf("space %d/", n)
		key := rapid.Custom(func(t *rapid.T) string {
			return space + string(rapid.SliceOfN(rapid.ByteRange('a', 'c'), 0, 3).Draw(t, "key"))
		})
		want := map[string]string{}
		var w Batch
		for i := range rapid.IntRange(0, 40).Draw(t, "writes") {
			k := key.Draw(t, "k")
			switch rapid.IntRange(0, 5).Draw(t, "op") {
			case 0:
				w.Delete([]byte(k))
				delete(want, k)
			case 1:
				end := key.Draw(t, "end")
				if end < k {
					k, end = end, k
				}
				w.DeleteRange([]byte(k), []byte(end))
				for x := range want {
					if x >= k && x < end {
						delete(want, x)
					}
				}
			default:
				v := fmt.Sprint(i)
				w.Set([]byte(k), []byte(v))
				want[k] = v
			}
		}
		if err := s.commit("v", &w, checkpoint{seq: eventlog.Seq(n)}); err != nil {
			t.Fatal(err)
		}
		compare(t, s, space, want)
	})
}

// compare checks a key space by Get, forwards, backwards and by seeks.
func compare(t *rapid.T, s *Store, space string, want map[string]string) {
	it, err := s.Iter([]byte(space), []byte(space+"\xff"))
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	var up, down []string
	for ok := it.First(); ok; ok = it.Next() {
		k := string(it.Key())
		up = append(up, k)
		v, found, err := s.Get([]byte(k), []byte("x"))
		if err != nil || !found || string(v) != "x"+want[k] || string(it.Value()) != want[k] {
			t.Fatalf("%q: %q %v %v, iterator %q, want %q", k, v, found, err, it.Value(), want[k])
		}
	}
	for ok := it.Last(); ok; ok = it.Prev() {
		down = append(down, string(it.Key()))
	}
	slices.Reverse(down)
	if len(up) != len(want) || !slices.Equal(up, down) || !slices.IsSorted(up) {
		t.Fatalf("forwards %q, backwards %q, want %v", up, down, want)
	}
	for i, k := range up {
		if !it.SeekGE([]byte(k)) || string(it.Key()) != k {
			t.Fatalf("SeekGE(%q) is at %q", k, it.Key())
		}
		if ok := it.SeekLT([]byte(k)); ok != (i > 0) || ok && string(it.Key()) != up[i-1] {
			t.Fatalf("SeekLT(%q) is at %q", k, it.Key())
		}
	}
}

func TestBatchRefuses(t *testing.T) {
	s := openStore(t, Options{})
	for name, write := range map[string]func(*Batch){
		"empty key": func(w *Batch) { w.Set(nil, nil) },
		"zero byte": func(w *Batch) { w.Delete([]byte("\x00version")) },
	} {
		var w Batch
		write(&w)
		w.Set([]byte("good"), nil)
		if err := s.commit("v", &w, checkpoint{seq: 9}); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := keys(t, s); len(got) != 0 || s.Checkpoint("v") != 0 {
		t.Errorf("after refused batches: %q at %d", got, s.Checkpoint("v"))
	}
}

func TestIterAtStandsAtItsCheckpoint(t *testing.T) {
	s := openStore(t, Options{})
	put(t, s, 1, "a")
	it, seq, err := s.IterAt("v", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	put(t, s, 2, "b")
	clone, err := it.Clone([]byte("a"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer clone.Close()
	for name, i := range map[string]*Iter{"iterator": it, "clone": clone} {
		if !i.First() || string(i.Key()) != "a" || i.Next() {
			t.Errorf("%s at checkpoint %d sees more than its state", name, seq)
		}
	}
	if seq != 1 {
		t.Errorf("checkpoint %d, want 1", seq)
	}
}

// TestCloseWaitsForIterators: Close is idempotent, waits for those who read, and whoever comes later gets ErrClosed.
func TestCloseWaitsForIterators(t *testing.T) {
	s := openStore(t, Options{})
	put(t, s, 1, "a")
	it, err := s.Iter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	for { // until one of them has begun
		if _, _, err := s.Get([]byte("a"), nil); errors.Is(err, ErrClosed) {
			break
		}
	}
	if !it.First() || string(it.Key()) != "a" {
		t.Error("the open iterator does not read on")
	}
	if _, err := it.Clone(nil, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("clone after close: %v", err)
	}
	if err := it.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if _, err := s.Iter(nil, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("iterator after close: %v", err)
	}
	if err := s.Flush(); !errors.Is(err, ErrClosed) {
		t.Errorf("flush after close: %v", err)
	}
}

// TestReopenKeeps: a clean close keeps everything although there is no write-ahead log.
func TestReopenKeeps(t *testing.T) {
	mem := NewMemory()
	s := openStore(t, Options{Memory: mem, Version: 3})
	put(t, s, 7, "a", "b")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, Options{Memory: mem, Version: 3})
	if got := keys(t, s); !slices.Equal(got, []string{"a", "b"}) || s.Checkpoint("v") != 7 || s.Checkpoint("w") != 0 {
		t.Errorf("%q at %d", got, s.Checkpoint("v"))
	}
}

// logged collects what goes to the process log.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestUnusableIsEmptied: what cannot be used is deleted and begun anew, with a warning; what is not ours stays.
func TestUnusableIsEmptied(t *testing.T) {
	damage := func(pattern string, change func(t *testing.T, path string)) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			paths, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(paths) == 0 {
				t.Fatalf("no %s: %v", pattern, err)
			}
			for _, p := range paths {
				change(t, p)
			}
		}
	}
	rewrite := func(f func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, f(b), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(t *testing.T, path string) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	half := rewrite(func(b []byte) []byte { return b[:len(b)/2] })
	flip := rewrite(func(b []byte) []byte { b[len(b)/2] ^= 0x40; return b })
	garbage := rewrite(func(b []byte) []byte { return bytes.Repeat([]byte("?"), len(b)) })
	for _, c := range []struct {
		name    string
		harm    func(*testing.T, string)
		version uint32
		warning string
	}{
		{"another version", func(*testing.T, string) {}, 2, "layout version 1, this build has 2"},
		// A manifest that is readable up to some place stands for the store as it was then: without the keys put last.
		{"manifest halved", damage("MANIFEST-*", half), 1, "or earlier"},
		{"manifest flipped", damage("MANIFEST-*", flip), 1, "or earlier"},
		{"manifest garbage", damage("MANIFEST-*", garbage), 1, ""},
		{"manifest gone", damage("MANIFEST-*", remove), 1, ""},
		{"table gone", damage("*.sst", remove), 1, ""},
		{"table halved", damage("*.sst", half), 1, ""},
		{"table garbage", damage("*.sst", garbage), 1, ""},
		{"noted before", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, damagedName), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, 1, "damage was found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, Options{Dir: dir, Version: 1})
			put(t, s, 7, "a", "b")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			foreign := filepath.Join(dir, "not-ours.txt")
			if err := os.WriteFile(foreign, []byte("kept"), 0o600); err != nil {
				t.Fatal(err)
			}
			c.harm(t, dir)
			var out logged
			s = openStore(t, Options{Dir: dir, Version: c.version, Logger: slog.New(slog.NewTextHandler(&out, nil))})
			if got := keys(t, s); len(got) != 0 || s.Checkpoint("v") != 0 {
				t.Errorf("still there: %q at %d", got, s.Checkpoint("v"))
			}
			if text := out.String(); c.warning != "or earlier" && (!strings.Contains(text, "made anew") || !strings.Contains(text, c.warning)) {
				t.Errorf("process log: %s", text)
			}
			if b, err := os.ReadFile(foreign); err != nil || string(b) != "kept" {
				t.Errorf("a file of somebody else: %q %v", b, err)
			}
			put(t, s, 1, "c")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openStore(t, Options{Dir: dir, Version: c.version})
			if got := keys(t, s); !slices.Equal(got, []string{"c"}) {
				t.Errorf("after the next start: %q", got)
			}
		})
	}
}

// TestDamageFoundLater: a damaged block is never served; the next start begins anew.
func TestDamageFoundLater(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, Options{Dir: dir})
	var all []string
	for i := range 5000 {
		all = append(all, fmt.Sprintf("key %08d", i))
	}
	put(t, s, 7, all...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	for _, path := range tables {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 100; i < len(b)/2; i += 1000 { // data blocks come first
			b[i] ^= 1
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = openStore(t, Options{Dir: dir})
	if s.Checkpoint("v") == 7 {
		it, err := s.Iter(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ok := it.First(); ok; ok = it.Next() {
			n++
		}
		if err := it.Close(); !errors.Is(err, ErrDamaged) || n == len(all) {
			t.Errorf("a scan over damage: %d keys, %v", n, err)
		}
		if _, _, err := s.Get([]byte(all[0]), nil); !errors.Is(err, ErrDamaged) {
			t.Errorf("a read of a damaged block: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		s = openStore(t, Options{Dir: dir})
	}
	if got := keys(t, s); len(got) != 0 || s.Checkpoint("v") != 0 {
		t.Errorf("still there after the next start: %d keys at %d", len(got), s.Checkpoint("v"))
	}
}

// TestInUse: a directory that somebody has open is refused and left alone.
func TestInUse(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, Options{Dir: dir, Version: 1})
	put(t, s, 7, "a")
	if _, err := Open(context.Background(), Options{Dir: dir, Version: 2, Logger: quiet()}); err == nil {
		t.Fatal("opened twice")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, openStore(t, Options{Dir: dir, Version: 1})); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after a refused open: %q", got)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]Options{
		"Dir":           {},
		"CacheBytes":    {Dir: "x", CacheBytes: 5, Memory: NewMemory()},
		"MemtableBytes": {Dir: "x", MemtableBytes: 5, Memory: NewMemory()},
	} {
		if _, err := Open(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestFatalIsOurs: what the database cannot go on from goes to Options.Fatal, so that the exit and its code are ours.
func TestFatalIsOurs(t *testing.T) {
	var told error
	l := pebbleLogger{quiet(), func(err error) { told = err }}
	defer func() {
		if recover() == nil || told == nil || !strings.Contains(told.Error(), "MANIFEST sync failed: why") {
			t.Errorf("told %v", told)
		}
	}()
	l.Fatalf("MANIFEST sync failed: %v", errors.New("why"))
}
