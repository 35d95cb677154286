package pebblelog

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

// damageRecords is how many records the logs have that these tests damage: part in tables, part in the write-ahead log.
const damageRecords = 6000

// intact makes such a log, closed cleanly or as a crash leaves it.
func intact(t *testing.T, clean bool) *vfs.MemFS {
	t.Helper()
	fs := vfs.NewCrashableMem()
	l, err := Open(memOptions(fs))
	if err != nil {
		t.Fatal(err)
	}
	w := mustAcquire(t, l)
	for w.Next() <= damageRecords {
		n := min(1+int(w.Next())%7, damageRecords+1-int(w.Next()))
		mustWait(t, w.Append(numbered(w.Next(), n)))
		if w.Next() > damageRecords*3/4 && w.Next() < damageRecords*3/4+8 {
			if err := l.db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !clean {
		for behindHead(l) { // at most a tick
			time.Sleep(time.Millisecond)
		}
		crashed := fs.CrashClone(vfs.CrashCloneCfg{})
		_ = l.Close()
		return crashed
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return fs
}

// behindHead says whether the mark is behind the durable head.
func behindHead(l *Log) bool {
	l.marking.mu.Lock()
	defer l.marking.mu.Unlock()
	return l.mark.at.seq != l.head.Load().Seq
}

// files lists the files below a directory.
func files(t *testing.T, fs vfs.FS, dir string) (all []string) {
	t.Helper()
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for _, n := range names {
		p := path.Join(dir, n)
		if info, err := fs.Stat(p); err != nil {
			t.Fatal(err)
		} else if info.IsDir() {
			all = append(all, files(t, fs, p)...)
		} else {
			all = append(all, p)
		}
	}
	return all
}

func readFile(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func writeFile(t *testing.T, fs vfs.FS, name string, raw []byte) {
	t.Helper()
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(raw); err != nil {
		t.Fatal(err)
	}
}

func clone(t *testing.T, fs *vfs.MemFS) *vfs.MemFS {
	t.Helper()
	to := vfs.NewMem()
	if _, err := vfs.Clone(fs, to, "/", "/"); err != nil {
		t.Fatal(err)
	}
	return to
}

// outcome opens a log that was damaged, and says how that showed: "open", "read", or "harmless" when every record is
// there. Anything else is silent damage and fails the test.
func outcome(t *testing.T, fs vfs.FS) string {
	t.Helper()
	l, err := Open(memOptions(fs))
	if err != nil {
		if !errors.Is(err, eventlog.ErrCorrupt) {
			t.Errorf("open fails with %v, want ErrCorrupt", err)
		}
		return "open"
	}
	defer l.Close()
	last, err := readAll(t, l)
	report, verr := l.Verify(context.Background(), nil)
	if err != nil {
		c := wantCorrupt(t, err)
		if c.First != last+1 || c.Last < c.First || c.Last > damageRecords {
			t.Errorf("read stops after %d and names %d to %d", last, c.First, c.Last)
		}
		if verr == nil || len(report.Damaged) == 0 {
			t.Errorf("read fails with %v, verify finds nothing", err)
		}
		return "read"
	}
	if last != damageRecords {
		t.Errorf("SILENT: %d records of %d, no error", last, damageRecords)
	}
	if verr != nil {
		t.Errorf("all records are there, verify says %v", verr)
	}
	return "harmless"
}

// TestDamage flips bits in, cuts and removes files of a log at random: none of it is silent.
func TestDamage(t *testing.T) {
	trials, slow := 150, 3
	if testing.Short() {
		trials, slow = 40, 1
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	whole := intact(t, true)
	names := slices.DeleteFunc(files(t, whole, "/log"), func(n string) bool {
		return strings.EqualFold(path.Base(n), "lock") // empty
	})
	counts := make(map[string]int)
	for range trials {
		fs := clone(t, whole)
		name := names[rng.IntN(len(names))]
		raw := readFile(t, fs, name)
		kind := "flip"
		switch {
		case len(raw) == 0 || rng.IntN(20) == 0:
			kind = "remove"
			if err := fs.Remove(name); err != nil {
				t.Fatal(err)
			}
		case rng.IntN(3) == 0:
			kind = "cut"
			writeFile(t, fs, name, raw[:rng.IntN(len(raw))])
		default:
			if strings.HasSuffix(name, ".sst") {
				if slow--; slow < 0 {
					continue // found each time, but it takes Pebble seconds: see Log.damaged
				}
			}
			raw[rng.IntN(len(raw))] ^= 1 << rng.IntN(8)
			writeFile(t, fs, name, raw)
		}
		base := path.Base(name)
		counts[kind+" "+strings.TrimLeft(base, "0123456789")+": "+outcome(t, fs)]++
		if t.Failed() {
			t.Fatalf("after: %s of %s", kind, name)
		}
	}
	for what, n := range counts {
		t.Logf("%4d %s", n, what)
	}
}

// TestCutBeforeMark cuts the write-ahead log of a log that crashed: what the mark covers is missed for certain, though
// Pebble opens such a log without a word.
func TestCutBeforeMark(t *testing.T) {
	whole := intact(t, false)
	var wal string
	for _, name := range files(t, whole, "/log") {
		if strings.HasSuffix(name, ".log") {
			wal = name // the newest comes last
		}
	}
	raw := readFile(t, whole, wal)
	cuts := 0
	for i := range 30 {
		fs := clone(t, whole)
		writeFile(t, fs, wal, raw[:len(raw)*i/30])
		if err := openError(fs); err == nil {
			if outcome(t, fs) != "harmless" { // nothing of the log was cut: the file is longer than what is in it
				t.Errorf("cut at %d/30 is not seen at opening", i)
			}
			continue
		} else if c := wantCorrupt(t, err); c.First < 1 || c.Last != damageRecords {
			t.Errorf("cut at %d/30: %v, want up to %d", i, c, damageRecords)
		}
		cuts++
	}
	if cuts < 10 {
		t.Fatalf("only %d cuts went into the log", cuts)
	}
}

func openError(fs vfs.FS) error {
	l, err := Open(memOptions(fs))
	if err == nil {
		_ = l.Close()
	}
	return err
}

// TestCleanEndIsExact: after a clean stop one missing batch is enough.
func TestCleanEndIsExact(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, memOptions(fs))
	w := mustAcquire(t, l)
	mustWait(t, w.Append(numbered(w.Next(), 3)))
	before := clone(t, fs)
	mustWait(t, w.Append(numbered(w.Next(), 1)))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, before, "/log/mark", readFile(t, fs, "/log/mark"))
	c := wantCorrupt(t, openError(before))
	if c.First != 5 || c.Last != 5 {
		t.Errorf("error names %d to %d, want 5 to 5", c.First, c.Last)
	}
	// And one too many: the mark of an earlier clean end does not fit either.
	later := clone(t, fs)
	early := vfs.NewMem()
	le := mustOpen(t, memOptions(early))
	mustAcquire(t, le)
	if err := le.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, later, "/log/mark", readFile(t, early, "/log/mark"))
	wantCorrupt(t, openError(later))
}

// TestSwappedSections: sections that stand under another record's key are whole for Pebble, not for us.
func TestSwappedSections(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, memOptions(fs))
	w := mustAcquire(t, l)
	mustWait(t, w.Append(numbered(w.Next(), 10)))
	two, four := makeKey(keySections, 2), makeKey(keySections, 4)
	value, closer, err := l.db.Get(two[:])
	if err != nil {
		t.Fatal(err)
	}
	value = slices.Clone(value)
	_ = closer.Close()
	if err := l.db.Set(four[:], value, nil); err != nil {
		t.Fatal(err)
	}
	_, err = l.Get(context.Background(), 4)
	if c := wantCorrupt(t, err); c.First != 4 || c.Last != 4 {
		t.Errorf("get names %d to %d, want 4 to 4", c.First, c.Last)
	}
	last, err := readAll(t, l)
	if wantCorrupt(t, err); last != 3 {
		t.Errorf("read serves up to %d, want 3", last)
	}
	report, err := l.Verify(context.Background(), nil)
	wantCorrupt(t, err)
	if len(report.Damaged) != 1 || report.Damaged[0].First != 4 {
		t.Errorf("verify finds %v, want seq 4", report.Damaged)
	}
	if _, err := l.Get(context.Background(), 5); err != nil {
		t.Errorf("what is whole can still be read: %v", err)
	}
}
