package logtest

import (
	"bytes"
	"testing"

	"github.com/hookline/hookline/eventlog"
)

// removal: what is removed reads as removed and stays so over reopening; everything else, chain and sums included, is as
// it was. For backends that are eventlog.SectionRemover.
func removal(t *testing.T, x *fixture) {
	if _, ok := x.log.(eventlog.SectionRemover); !ok {
		t.Skip("this backend removes nothing")
	}
	w := x.acquire("remover")
	for range 3 {
		var records []eventlog.Record
		for range 4 {
			records = append(records, eventlog.Record{Type: 40, Tenant: "a", Time: x.clock, Facts: []byte("facts"), Sections: []eventlog.Section{
				eventlog.NewSection(bytes.Repeat([]byte("body"), 100)), eventlog.NewSection([]byte("other"))}})
		}
		records = append(records, eventlog.Record{Type: 41, Tenant: "a", Time: x.clock, Facts: []byte("no sections")})
		if err := w.Append(records).Wait(x.ctx); err != nil {
			t.Fatal(err)
		}
	}
	head, err := x.log.Head(x.ctx)
	if err != nil {
		t.Fatal(err)
	}
	first, last := head.Seq-11, head.Seq-3
	even := func(r *eventlog.Record) uint16 {
		if r.Seq%2 == 0 {
			return 1
		}
		return 0
	}
	want := int64(0)
	for seq := first; seq <= last; seq++ {
		if r, err := x.log.Get(x.ctx, seq); err == nil && seq%2 == 0 && len(r.Sections) > 0 {
			want++
		}
	}
	for _, expected := range []int64{want, 0} { // again changes nothing
		if n, err := x.log.(eventlog.SectionRemover).RemoveSections(x.ctx, first, last, even); n != expected || err != nil {
			t.Fatalf("%d sections were removed (%v), want %d", n, err, expected)
		}
	}
	look := func() {
		t.Helper()
		var hasher eventlog.Hasher
		for b, err := range x.log.ReadBatches(x.ctx, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if hasher.Chain(&b) != b.Chain {
				t.Errorf("the chain at %d has changed", b.Last())
			}
		}
		for r, err := range x.log.Read(x.ctx, first-2) {
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range r.Sections {
				gone := i == 0 && r.Seq >= first && r.Seq <= last && r.Seq%2 == 0
				if s.Removed != gone || gone != (s.Data == nil) || s.Len == 0 {
					t.Errorf("seq %d, section %d: removed %v, %d bytes, want removed %v", r.Seq, i, s.Removed, len(s.Data), gone)
				}
			}
		}
	}
	look()
	x.must(w.Close())
	x.reopen()
	look()
}
