package pebblelog

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

// A batch that was changed behind Pebble's back, so that Pebble's own checksums fit: what does not decode or does not
// link is never served, and what only the chain can tell is found by Verify (DESIGN section 6).
func TestForgedBatch(t *testing.T) {
	for _, c := range []struct {
		name  string
		forge func(stored []byte) []byte
		read  bool // reading finds it too, not only Verify
	}{
		{"changed facts", func(b []byte) []byte { return bytes.Replace(b, []byte("facts 5"), []byte("facts 9"), 1) }, false},
		{"cut short", func(b []byte) []byte { return b[:len(b)-3] }, true},
		{"of another version", func(b []byte) []byte { return append([]byte{99}, b[1:]...) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := mustOpen(t, memOptions(vfs.NewMem()))
			w := mustAcquire(t, l)
			for range 300 {
				mustWait(t, w.Append(numbered(w.Next(), 3)))
			}
			const first = 5 // of the second batch after the epoch's
			forgeBatch(t, l, first, c.forge)
			served := eventlog.Seq(0)
			var err error
			for b, e := range l.ReadBatches(context.Background(), 0) {
				if err = e; err != nil {
					break
				}
				served = b.Last()
			}
			if c.read {
				if wantCorrupt(t, err); served != first-1 {
					t.Errorf("served up to %d, want %d", served, first-1)
				}
			}
			report, err := l.Verify(context.Background(), nil)
			wantCorrupt(t, err)
			if len(report.Damaged) == 0 || report.Damaged[0].First > first+2 {
				t.Errorf("verify finds %v, want the batch of seq %d", report.Damaged, first)
			}
		})
	}
}

// forgeBatch replaces the stored form of the batch that begins at first.
func forgeBatch(t *testing.T, l *Log, first eventlog.Seq, forge func([]byte) []byte) {
	t.Helper()
	key := makeKey(keyBatch, first)
	value, closer, err := l.db.Get(key[:])
	if err != nil {
		t.Fatal(err)
	}
	whole := slices.Clone(value)
	_ = closer.Close()
	forged := forge(slices.Clone(whole))
	if bytes.Equal(forged, whole) {
		t.Fatal("nothing was forged")
	}
	if err := l.db.Set(key[:], forged, pebble.Sync); err != nil {
		t.Fatal(err)
	}
}
