package pebblelog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

var rewrite = flag.Bool("rewrite", false, "write golden files that do not exist yet")

// TestGoldenMark pins the bytes of version 1.
func TestGoldenMark(t *testing.T) {
	p := point{seq: 1003, chain: sha256.Sum256([]byte("chain")), clean: true}
	got := encodeSlot(p, 7)
	path := "testdata/mark.v1.hex"
	if _, err := os.Stat(path); os.IsNotExist(err) && *rewrite {
		err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(hex.EncodeToString(got[:])+"\n"), 0o644))
		if err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || !bytes.Equal(got[:], want) {
		t.Fatalf("slot is\n%x, want\n%x (%v)", got, want, err)
	}
	if q, count, ok := decodeSlot(want); !ok || q != p || count != 7 {
		t.Errorf("it reads as %+v, %d, %v", q, count, ok)
	}
}

// TestMarkSlots: writes alternate; a torn newest slot leaves the one before; a clean end survives either slot.
func TestMarkSlots(t *testing.T) {
	fs := vfs.NewMem()
	if err := fs.MkdirAll("/d", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := createMark(fs, "/d", point{}); err != nil {
		t.Fatal(err)
	}
	m, err := openMark(fs, "/d", false)
	if err != nil {
		t.Fatal(err)
	}
	for seq := eventlog.Seq(1); seq <= 5; seq++ {
		if err := m.write(point{seq: seq}); err != nil {
			t.Fatal(err)
		}
	}
	// at reads the mark with one byte of a slot flipped (slot < 0: with none).
	at := func(slot int) point {
		t.Helper()
		raw := readFile(t, fs, "/d/mark")
		if slot >= 0 {
			raw[slot*markApart+20] ^= 1
		}
		other := vfs.NewMem()
		if err := other.MkdirAll("/d", 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, other, "/d/mark", raw)
		m, err := openMark(other, "/d", true)
		if err != nil {
			t.Fatal(err)
		}
		defer m.close()
		return m.at
	}
	newest := int(m.count % 2)
	if at(-1).seq != 5 || at(newest).seq != 4 || at(1-newest).seq != 5 {
		t.Errorf("whole %d, newest torn %d, older torn %d: want 5, 4, 5", at(-1).seq, at(newest).seq, at(1-newest).seq)
	}
	if err := m.seal(point{seq: 6}); err != nil {
		t.Fatal(err)
	}
	for slot := -1; slot < 2; slot++ {
		if p := at(slot); p.seq != 6 || !p.clean {
			t.Errorf("clean end with slot %d damaged reads as %+v", slot, p)
		}
	}
	if err := m.close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, fs, "/d/mark", nil)
	_, err = openMark(fs, "/d", true)
	wantCorrupt(t, err)
}

// TestMarkIsUncleanWhileWriting: a crash after a clean stop must not look like one.
func TestMarkIsUncleanWhileWriting(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, memOptions(fs))
	mustAcquire(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, memOptions(fs))
	if !l.mark.at.clean {
		t.Fatal("the mark is not clean after a clean stop")
	}
	mustAcquire(t, l)
	m, err := openMark(fs, "/log", true)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	if m.at.clean {
		t.Error("the mark says clean while somebody writes")
	}
}

func FuzzDecodeSlot(f *testing.F) {
	good := encodeSlot(point{seq: 9, clean: true}, 3)
	f.Add(good[:])
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, count, ok := decodeSlot(raw)
		if !ok {
			return
		}
		if again := encodeSlot(p, count); !bytes.Equal(again[:], raw[:markSlot]) {
			t.Fatalf("two stored forms of %+v", p)
		}
	})
}
