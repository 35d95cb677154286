package pebblelog

import (
	"context"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

// salvaged salvages /log into /to, and checks what holds of any salvage: the copy is a log that verifies, what is in it or
// apart was in the original as it is, and every seq up to the end is in one of them or told as lost.
func salvaged(t *testing.T, fs vfs.FS, end eventlog.Seq) Salvaged {
	t.Helper()
	o := memOptions(fs)
	o.Dir = "/to"
	to, err := NewCopy(o)
	if err != nil {
		t.Fatal(err)
	}
	have := make(map[eventlog.Seq]bool)
	s, err := Salvage(context.Background(), memOptions(fs), "/staging", to, func(b *eventlog.Batch) error {
		for _, r := range b.Records {
			if have[r.Seq] {
				t.Errorf("seq %d is apart twice", r.Seq)
			}
			have[r.Seq] = true
			intactRecord(t, r)
		}
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Head.Seq == 0 {
		_ = to.Discard()
	} else {
		if err := to.Finish(); err != nil {
			t.Fatal(err)
		}
		l, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Verify(context.Background(), nil)
		if err != nil || r.Head != s.Head {
			t.Errorf("the copy: %+v, %v, want head %+v", r.Head, err, s.Head)
		}
		for r, err := range l.Read(context.Background(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			have[r.Seq] = true
			intactRecord(t, r)
		}
		_ = l.Close()
	}
	for _, lost := range s.Lost {
		for seq := lost.First; seq <= lost.Last && !lost.Content; seq++ {
			if have[seq] {
				t.Errorf("seq %d is told as lost and there", seq)
			}
			have[seq] = true
		}
	}
	for seq := eventlog.Seq(1); seq <= end; seq++ {
		if !have[seq] {
			t.Fatalf("seq %d is neither there nor told as lost", seq)
		}
	}
	return s
}

// intactRecord demands a record as it was appended, but for content that counts as removed.
func intactRecord(t *testing.T, r eventlog.Record) {
	t.Helper()
	for i := range r.Sections {
		if r.Sections[i].Removed {
			want := eventlog.NewSection(expected(r.Seq).Sections[i].Data)
			if r.Sections[i].Sum != want.Sum {
				t.Errorf("seq %d: the sum of a removed section is not its own", r.Seq)
			}
			return
		}
	}
	if err := sameAsNumbered(r); err != nil {
		t.Error(err)
	}
}

// TestSalvageWhole: of a log without damage everything is salvaged, whether it was stopped or cut off.
func TestSalvageWhole(t *testing.T) {
	for _, clean := range []bool{true, false} {
		fs := intact(t, clean)
		s := salvaged(t, fs, damageRecords)
		if s.Head.Seq != damageRecords || len(s.Lost) != 0 || s.Apart != 0 || s.Rescued {
			t.Errorf("clean %v: %+v", clean, s)
		}
	}
}

// TestSalvageDamaged: whatever is damaged, at random: bits, cuts, missing files, the manifest, the mark.
func TestSalvageDamaged(t *testing.T) {
	cycles := 10 // Pebble looks for a flipped bit in each damaged block that is read: a second each
	if os.Getenv("HOOKLINE_TORTURE") != "" {
		cycles = 400
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	whole := []*vfs.MemFS{intact(t, true), intact(t, false)}
	rescued, gaps, full := 0, 0, 0
	for cycle := range cycles {
		fs := clone(t, whole[cycle%2])
		all := files(t, fs, "/log")
		for range 1 + rng.IntN(3) {
			name := all[rng.IntN(len(all))]
			raw, err := readIfThere(fs, name)
			if err != nil || len(raw) == 0 {
				continue
			}
			switch rng.IntN(6) {
			case 0:
				raw = raw[:rng.IntN(len(raw))]
			case 1:
				if err := fs.Remove(name); err != nil {
					t.Fatal(err)
				}
				continue
			default:
				raw[rng.IntN(len(raw))] ^= 1 << rng.IntN(8)
			}
			writeFile(t, fs, name, raw)
		}
		s := salvaged(t, fs, 0)
		if s.Rescued {
			rescued++
		}
		if s.Apart > 0 {
			gaps++
		}
		if s.Head.Seq == damageRecords {
			full++
		}
		if t.Failed() {
			t.Fatalf("in cycle %d", cycle)
		}
	}
	t.Logf("of %d: %d without any loss of records, %d with whole batches behind a loss, %d rescued file by file", cycles, full, gaps, rescued)
	if full == 0 || rescued == 0 && cycles > 50 {
		t.Error("this test sees too little")
	}
}

func readIfThere(fs vfs.FS, name string) ([]byte, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	raw := make([]byte, info.Size())
	_, err = f.ReadAt(raw, 0)
	if len(raw) == 0 {
		err = nil
	}
	return raw, err
}

// TestSalvageWithoutManifest: a database whose manifest is gone is read table by table, and nothing that was in tables or
// write-ahead logs is lost.
func TestSalvageWithoutManifest(t *testing.T) {
	for _, clean := range []bool{true, false} {
		fs := clone(t, intact(t, clean))
		for _, name := range files(t, fs, "/log/pebble") {
			if !strings.HasSuffix(name, ".sst") && !strings.HasSuffix(name, ".log") {
				if err := fs.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
		}
		s := salvaged(t, fs, damageRecords)
		if !s.Rescued || s.Head.Seq != damageRecords || len(s.Lost) != 0 {
			t.Errorf("clean %v: rescued %v, head %d, lost %v", clean, s.Rescued, s.Head.Seq, s.Lost)
		}
	}
}

// TestSalvageLostContent: where only the content of a record is damaged the record stays, and so does all behind it.
func TestSalvageLostContent(t *testing.T) {
	fs := vfs.NewMem()
	l := filled(t, fs)
	key := makeKey(keySections, 5)
	if err := l.db.Set(key[:], []byte("not what it was"), nil); err != nil {
		t.Fatal(err)
	}
	end := l.head.Load().Seq
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := salvaged(t, fs, end)
	if s.Head.Seq != end || s.Emptied != 1 || len(s.Lost) != 1 || !s.Lost[0].Content || s.Lost[0].First != 5 {
		t.Errorf("%+v", s)
	}
}
