package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/pebblelog"
	"github.com/hookline/hookline/eventlog/seal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var master = seal.Master{1, 2, 3}

// world is a log with its keyring, and a directory for its backups.
type world struct {
	t       *testing.T
	dir     string
	log     *pebblelog.Log
	w       eventlog.Writer
	keyring *seal.Keyring
	clock   int64 // of records, Unix ms
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	w.log = open(t, w.join("log"))
	var err error
	if w.w, err = w.log.Acquire(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	if w.keyring, err = seal.Open(w.join("keyring"), master); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.keyring.Close() })
	return w
}

func open(t *testing.T, dir string) *pebblelog.Log {
	t.Helper()
	l, err := pebblelog.Open(pebblelog.Options{Dir: dir, MemTable: 1 << 20, ScrubRate: -1, Now: func() int64 { return 1 }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func (w *world) join(name string) string { return filepath.Join(w.dir, name) }

var sealedIn = seal.Context{Tenant: "acme", Type: 7}

// write appends batches of three records with sealed sections of about `size` bytes.
func (w *world) write(batches, size int) {
	w.t.Helper()
	s, err := w.keyring.Sealer("acme")
	if err != nil {
		w.t.Fatal(err)
	}
	for range batches {
		w.clock += 1000
		var rs []eventlog.Record
		for range 3 {
			plain := []byte(strings.Repeat("x", size))
			rs = append(rs, eventlog.Record{Type: 7, Time: w.clock, Tenant: "acme", Facts: []byte("facts"),
				Sections: []eventlog.Section{eventlog.NewSection(s.Seal(nil, plain, sealedIn))}})
		}
		if err := w.w.Append(rs).Wait(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) head() eventlog.Head {
	w.t.Helper()
	h, err := w.log.Head(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

func (w *world) source() Source {
	return Source{Log: w.log, Staging: w.join("staging"), Keyring: w.keyring.Bytes, Clock: "real", MadeBy: "test"}
}

func (w *world) backups() *Dir {
	w.t.Helper()
	d, err := Open(w.join("backups"), true)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = d.Close() })
	return d
}

var made time.Time = time.UnixMilli(1_700_000_000_000)

func (w *world) make(d *Dir, keep int) *Manifest {
	w.t.Helper()
	made = made.Add(time.Minute)
	now := made
	m, err := d.Make(w.t.Context(), w.source(), Options{Keep: keep, Now: func() time.Time { return now }})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func target(t *testing.T, u Until) Target {
	dir := t.TempDir()
	return Target{Log: filepath.Join(dir, "log"), Keyring: filepath.Join(dir, "keyring"), Staging: filepath.Join(dir, "staging"), Until: u}
}

// chainAt is the log's chain after the batch that ends at seq.
func chainAt(t *testing.T, l *pebblelog.Log, seq eventlog.Seq) eventlog.Hash {
	t.Helper()
	for b, err := range l.ReadBatches(t.Context(), seq-1) {
		if err != nil {
			t.Fatal(err)
		}
		if b.Last() == seq {
			return b.Chain
		}
		t.Fatalf("no batch ends at %d", seq)
	}
	return eventlog.Hash{}
}

// TestRestore: what is restored, with the original gone, is the log as it was at the backup: same chain, and sealed
// sections open with the restored keyring and the master key.
func TestRestore(t *testing.T) {
	w := newWorld(t)
	w.write(50, 2000)
	d := w.backups()
	m := w.make(d, 0)
	at := w.head()
	w.write(10, 100)
	if err := w.log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(w.join("log")), os.RemoveAll(w.join("keyring"))); err != nil {
		t.Fatal(err)
	}
	to := target(t, Until{})
	head, err := d.Restore(t.Context(), m, to)
	if err != nil {
		t.Fatal(err)
	}
	if head != at || m.Head() != at {
		t.Errorf("head %+v, in the manifest %+v, was %+v", head, m.Head(), at)
	}
	l := open(t, to.Log)
	k, err := seal.Open(to.Keyring, master)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	r, err := l.Get(t.Context(), at.Seq)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Unseal(nil, r.Sections[0].Data, sealedIn); err != nil {
		t.Error(err)
	}
	next, err := l.Acquire(t.Context(), "restored")
	if err != nil || next.Epoch().Tag == w.w.Epoch().Tag {
		t.Errorf("epoch %+v, was %+v: ids would repeat (%v)", next.Epoch(), w.w.Epoch(), err)
	}
	if _, err := d.Restore(t.Context(), m, to); !errors.Is(err, os.ErrExist) {
		t.Errorf("over what is there: %v, want ErrExist", err)
	}
}

// TestRestoreUntil: the end is the last batch at or before the point, by seq and by time, with the chain that it had.
func TestRestoreUntil(t *testing.T) {
	w := newWorld(t)
	w.write(30, 300)
	d := w.backups()
	w.make(d, 0)
	for _, c := range []struct {
		until Until
		want  eventlog.Seq // the epoch's batch is seq 1, then three a batch, 1 s apart
	}{
		{Until{Seq: 1}, 1}, {Until{Seq: 3}, 1}, {Until{Seq: 4}, 4}, {Until{Seq: 47}, 46}, {Until{Seq: 91}, 91},
		{Until{Time: 1}, 1}, {Until{Time: 1000}, 4}, {Until{Time: 15_999}, 46}, {Until{Time: 30_000}, 91},
	} {
		t.Run(c.until.String(), func(t *testing.T) {
			m, err := d.FindFor(c.until)
			if err != nil {
				t.Fatal(err)
			}
			to := target(t, c.until)
			head, err := d.Restore(t.Context(), m, to)
			if err != nil {
				t.Fatal(err)
			}
			l := open(t, to.Log)
			if head.Seq != c.want || head.Chain != chainAt(t, w.log, c.want) {
				t.Errorf("head %d, chain %x, want %d with the chain that it had", head.Seq, head.Chain, c.want)
			}
			if r, err := l.Verify(t.Context(), nil); err != nil || r.Head != head {
				t.Errorf("verify: %+v, %v", r.Head, err)
			}
			if _, err := os.Stat(to.Staging); err == nil {
				t.Error("the staging directory stays")
			}
		})
	}
	for _, u := range []Until{{Seq: 92}, {Time: 30_001}} {
		if _, err := d.FindFor(u); !errors.Is(err, ErrNone) {
			t.Errorf("%s is past the end: %v, want ErrNone", u, err)
		}
	}
	m, _ := d.Find("")
	if _, err := d.Restore(t.Context(), m, target(t, Until{Time: -5})); err == nil {
		t.Error("before the first batch: it restores")
	}
}

// TestIncremental: a second backup copies what is new, and both restore; what is pruned takes its own files along only.
func TestIncremental(t *testing.T) {
	w := newWorld(t)
	w.write(400, 8000) // about 10 MB
	d := w.backups()
	first := w.make(d, 0)
	w.write(2, 500)
	second := w.make(d, 0)
	if first.Added < 9<<20 || second.Added > first.Added/4 {
		t.Errorf("added %d, then %d bytes of %d", first.Added, second.Added, second.Bytes)
	}
	third := w.make(d, 2)
	all, err := d.List()
	if err != nil || len(all) != 2 || all[0].ID != second.ID || all[1].ID != third.ID {
		t.Fatalf("%d backups, %v", len(all), err)
	}
	for _, m := range all {
		if head, err := d.Restore(t.Context(), m, target(t, Until{})); err != nil || head != m.Head() {
			t.Errorf("%s: %+v, %v", m.ID, head, err)
		}
	}
	if _, err := d.Find(first.ID); !errors.Is(err, ErrNone) {
		t.Errorf("the pruned one: %v", err)
	}
	needed := map[string]bool{}
	for _, m := range all {
		for _, f := range m.Files {
			needed[f.SHA256] = true
		}
	}
	objects, _ := os.ReadDir(d.join(objectsDir))
	if len(objects) != len(needed) {
		t.Errorf("%d objects, %d are needed", len(objects), len(needed))
	}
}

// TestWhileWriting: a backup under appends is consistent, and holds what was durable before it began.
func TestWhileWriting(t *testing.T) {
	w := newWorld(t)
	w.write(20, 1000)
	before := w.head()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = w.w.Append([]eventlog.Record{{Type: 7, Time: 1 << 40, Facts: []byte("f")}}).Wait(context.Background())
			}
		}
	}()
	d := w.backups()
	m := w.make(d, 0)
	close(stop)
	<-stopped
	if m.Head().Seq < before.Seq || m.Head().Chain != chainAt(t, w.log, m.Head().Seq) {
		t.Errorf("ends at %d, was at %d", m.HeadSeq, before.Seq)
	}
	if _, err := d.Restore(t.Context(), m, target(t, Until{})); err != nil {
		t.Error(err)
	}
}

// TestErasureReachesBackups: keys that were destroyed are in no backup any more after the next one, or after a refresh;
// older generations restore all the same.
func TestErasureReachesBackups(t *testing.T) {
	for _, refresh := range []bool{true, false} {
		t.Run(fmt.Sprint("refresh ", refresh), func(t *testing.T) {
			w := newWorld(t)
			w.write(5, 100)
			d := w.backups()
			old := w.make(d, 0)
			if err := w.keyring.Erase("acme"); err != nil {
				t.Fatal(err)
			}
			raw, err := w.keyring.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if refresh {
				err = d.RefreshKeyring(raw)
			} else {
				w.make(d, 0)
			}
			if err != nil {
				t.Fatal(err)
			}
			if all, err := d.keyrings(); err != nil || len(all) != 1 {
				t.Fatalf("%d keyrings, %v", len(all), err)
			}
			to := target(t, Until{})
			if _, err := d.Restore(t.Context(), old, to); err != nil {
				t.Fatal(err)
			}
			k, err := seal.Open(to.Keyring, master)
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close()
			l := open(t, to.Log)
			r, err := l.Get(t.Context(), 2)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := k.Unseal(nil, r.Sections[0].Data, sealedIn); !errors.Is(err, seal.ErrDestroyed) {
				t.Errorf("of the older backup: %v, want ErrDestroyed", err)
			}
		})
	}
}
