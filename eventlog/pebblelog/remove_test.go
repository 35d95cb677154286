package pebblelog

import (
	"bytes"
	"context"
	"crypto/rand"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

// A removal gives its space back, verify says how much was removed, and a crash at its end leaves a log that is whole:
// doing it again finishes it.
func TestRemovalFreesSpaceAndSurvivesACrash(t *testing.T) {
	fs := vfs.NewCrashableMem()
	l := mustOpen(t, memOptions(fs))
	w := mustAcquire(t, l)
	body := make([]byte, 16<<10)
	for range 100 {
		var records []eventlog.Record
		for range 10 {
			_, _ = rand.Read(body) // does not compress
			records = append(records, eventlog.Record{Type: 40, Time: 10, Tenant: "a", Sections: []eventlog.Section{eventlog.NewSection(bytes.Clone(body)), eventlog.NewSection([]byte("kept"))}})
		}
		mustWait(t, w.Append(records))
	}
	if err := l.db.Flush(); err != nil { // all of it is in the first level, the removal's new values are to meet the old ones
		t.Fatal(err)
	}
	const all = 1001
	before, err := l.SectionBytes(1, all)
	if err != nil || before < 15<<20 {
		t.Fatalf("%d bytes of sections (%v), want 15 MiB and more", before, err)
	}
	which := func(*eventlog.Record) uint16 { return 1 }
	n, err := l.RemoveSections(t.Context(), 1, 900, which)
	if err != nil || n != 899 {
		t.Fatalf("%d were removed (%v), want 899", n, err)
	}
	after, err := l.SectionBytes(1, all)
	if err != nil || after > before/8 {
		t.Fatalf("%d bytes of %d are left (%v)", after, before, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.RemoveSections(ended, 901, 950, which); err == nil {
		t.Error("a removal went on after its context had ended")
	}
	crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 0})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, memOptions(crashed))
	defer l.Close()
	r, err := l.Verify(t.Context(), nil)
	if err != nil || r.Removed != 899 || r.Records != 1001 {
		t.Fatalf("after a crash: %+v %v", r, err)
	}
	ruled := func(r *eventlog.Record) uint16 {
		if r.Seq <= 890 {
			return 1
		}
		return 0
	}
	if r, err := l.VerifyWith(t.Context(), VerifyOptions{Allowed: ruled}); len(r.Damaged) != 10 {
		t.Errorf("%d sections are removed without a rule (%v), want 10", len(r.Damaged), err)
	}
	if n, err := l.RemoveSections(t.Context(), 1, 910, which); n != 10 || err != nil {
		t.Errorf("%d more were removed (%v), want 10", n, err)
	}
}
