package eventlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var rewrite = flag.Bool("rewrite", false, "write golden files that do not exist yet")

// golden compares with testdata/name, which holds hex. A golden file of a released version is never changed: -rewrite
// only makes missing ones.
func golden(t *testing.T, name string, got []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", name)
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) && *rewrite {
		raw = []byte(hexLines(got))
		err = errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, raw, 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.Join(strings.Fields(string(raw)), ""))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: the stored form changed. Got\n%swant\n%s", path, hexLines(got), hexLines(want))
	}
	return want
}

func hexLines(p []byte) string {
	var b strings.Builder
	for len(p) > 0 {
		n := min(32, len(p))
		b.WriteString(hex.EncodeToString(p[:n]) + "\n")
		p = p[n:]
	}
	return b.String()
}

func goldenBatch() Batch {
	b := Batch{
		Epoch: 3, Owner: "host-1/4711", First: 1001, Prev: sha256.Sum256([]byte("before")),
		Records: []Record{
			{Type: TypeEpochStarted, Time: 1_700_000_000_000, Facts: AppendEpochFacts(nil, Epoch{3, 0xCAFEBABE, "host-1/4711"})},
			{Type: 16, Time: 1_700_000_000_001, Tenant: "acme", Facts: []byte("facts"), Sections: []Section{
				{Data: []byte(`{"a":1}`)}, {Data: []byte{}},
			}},
			{Type: 0xFFFF, Time: 1_700_000_000_001, Tenant: "acme", Sections: []Section{
				{Sum: sha256.Sum256([]byte("gone")), Len: 4, Removed: true},
			}},
		},
	}
	stamp(b.Records, b.First)
	b.Chain = new(Hasher).Chain(&b)
	return b
}

// TestGoldenVersion1 pins the bytes of version 1: what was written once is read for ever.
func TestGoldenVersion1(t *testing.T) {
	b := goldenBatch()
	stored := golden(t, "batch.v1.hex", AppendBatch(nil, &b))
	var got Batch
	if err := new(Decoder).Decode(&got, stored); err != nil {
		t.Fatal(err)
	}
	if new(Hasher).Chain(&got) != b.Chain || got.Chain != b.Chain {
		t.Error("the chain of the golden batch does not recompute")
	}
	golden(t, "epoch.v1.hex", AppendEpochFacts(nil, Epoch{Number: 3, Tag: 0xCAFEBABE, Owner: "host-1/4711"}))
	for i, name := range map[int]string{1: "sections.v1.hex", 2: "sections-removed.v1.hex"} {
		raw := golden(t, name, AppendSections(nil, b.Records[i].Sections))
		if err := LoadSections(&got.Records[i], raw); err != nil {
			t.Error(err)
		}
	}
	if s := got.Records[1].Sections; string(s[0].Data) != `{"a":1}` || len(s[1].Data) != 0 {
		t.Errorf("sections are %+v", s)
	}
	if s := got.Records[2].Sections; !s[0].Removed || s[0].Data != nil {
		t.Errorf("section is %+v, want removed", s[0])
	}
}

// drawBatch draws any batch within the limits, stamped and chained.
func drawBatch(t *rapid.T) Batch {
	b := Batch{
		Epoch: rapid.Uint64().Draw(t, "epoch"),
		Owner: rapid.StringN(0, -1, MaxOwner).Draw(t, "owner"),
		First: Seq(rapid.Uint64Range(1, 1<<63).Draw(t, "first")),
	}
	copy(b.Prev[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "prev"))
	var clock int64
	for range rapid.IntRange(1, 12).Draw(t, "count") {
		clock += rapid.Int64Range(0, 1<<40).Draw(t, "time")
		r := Record{
			Type: Type(rapid.Uint16Range(2, 1<<16-1).Draw(t, "type")), Time: clock,
			Tenant: rapid.StringN(0, -1, MaxTenant).Draw(t, "tenant"),
			Facts:  rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "facts"),
		}
		for range rapid.IntRange(0, MaxSections).Draw(t, "sections") {
			data := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "data")
			if rapid.IntRange(0, 5).Draw(t, "removed") == 0 {
				r.Sections = append(r.Sections, Section{Sum: sha256.Sum256(data), Len: uint32(len(data)), Removed: true})
			} else {
				r.Sections = append(r.Sections, Section{Data: data})
			}
		}
		b.Records = append(b.Records, r)
	}
	if err := Prepare(b.Records, b.First, 0); err != nil {
		t.Fatal(err)
	}
	b.Chain = new(Hasher).Chain(&b)
	return b
}

// TestRoundTrip: decoding gives back what was encoded, also into a used Batch; lengths are as announced; every cut and
// every flipped bit is refused or changes the chain.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d Decoder
		var got Batch
		var h Hasher
		for range 2 {
			b := drawBatch(t)
			stored := AppendBatch(nil, &b)
			if len(stored) != EncodedLen(&b) {
				t.Fatalf("%d bytes, announced %d", len(stored), EncodedLen(&b))
			}
			if err := d.Decode(&got, stored); err != nil {
				t.Fatal(err)
			}
			if got.Epoch != b.Epoch || got.Owner != b.Owner || got.First != b.First || got.Prev != b.Prev || h.Chain(&got) != b.Chain {
				t.Fatalf("batch is\n%+v, want\n%+v", got, b)
			}
			for i := range b.Records {
				checkRecord(t, &got.Records[i], &b.Records[i])
				one, err := d.DecodeOne(stored, b.Records[i].Seq)
				if err != nil {
					t.Fatal(err)
				}
				checkRecord(t, &one, &b.Records[i])
			}
			cut := rapid.IntRange(0, len(stored)-1).Draw(t, "cut")
			if err := d.Decode(&got, stored[:cut]); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("cut at %d of %d: %v, want ErrCorrupt", cut, len(stored), err)
			}
			stored[rapid.IntRange(0, len(stored)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			if err := d.Decode(&got, stored); err == nil && h.Chain(&got) == got.Chain && got.Prev == b.Prev {
				t.Fatal("a flipped bit is not seen")
			}
		}
	})
}

func checkRecord(t *rapid.T, got, want *Record) {
	same := got.Seq == want.Seq && got.Type == want.Type && got.Time == want.Time && got.Tenant == want.Tenant &&
		bytes.Equal(got.Facts, want.Facts) && len(got.Sections) == len(want.Sections)
	if !same {
		t.Fatalf("record is\n%+v, want\n%+v", got, want)
	}
	stored := AppendSections(nil, want.Sections)
	if len(stored) != EncodedSectionsLen(want.Sections) {
		t.Fatalf("sections have %d bytes, announced %d", len(stored), EncodedSectionsLen(want.Sections))
	}
	if err := LoadSections(got, stored); err != nil {
		t.Fatal(err)
	}
	for i := range want.Sections {
		g, w := got.Sections[i], want.Sections[i]
		if g.Sum != w.Sum || g.Len != w.Len || g.Removed != w.Removed || !bytes.Equal(g.Data, w.Data) {
			t.Fatalf("section is\n%+v, want\n%+v", g, w)
		}
	}
}

// TestDecodeRefuses: what must not be read is refused field by field, with seqs in the error where they are known.
func TestDecodeRefuses(t *testing.T) {
	b := goldenBatch()
	whole := AppendBatch(nil, &b)
	records := batchFixed + len(b.Owner) + 2*hashLen
	for name, c := range map[string]struct {
		at int
		to byte
	}{
		"version":         {0, 2},
		"batch flags":     {1, 1},
		"count 0":         {21, 0},
		"count too large": {18, 1},
		"count too small": {21, 2},
		"owner length":    {22, MaxOwner + 1},
		"type 0":          {records + 1, 0},
		"time below 0":    {records + 2, 0x80},
		"record flags":    {records + 10, 1},
		"tenant length":   {records + 11, MaxTenant + 1},
		"sections":        {records + 12, MaxSections + 1},
		"facts length":    {records + 13, 0x7F},
	} {
		t.Run(name, func(t *testing.T) {
			p := bytes.Clone(whole)
			p[c.at] = c.to
			err := new(Decoder).Decode(new(Batch), p)
			var damage *CorruptError
			if !errors.As(err, &damage) {
				t.Fatalf("error is %v, want a CorruptError", err)
			}
			if c.at >= records && damage.First != b.First {
				t.Errorf("error names seq %d, want %d", damage.First, b.First)
			}
		})
	}
	if err := new(Decoder).Decode(new(Batch), append(bytes.Clone(whole), 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte too many: %v, want ErrCorrupt", err)
	}
	if _, err := new(Decoder).DecodeOne(whole, 1000); !errors.Is(err, ErrNotFound) {
		t.Errorf("a seq of another batch: %v, want ErrNotFound", err)
	}
	for _, facts := range [][]byte{nil, {1}, append(AppendEpochFacts(nil, Epoch{}), 0), bytes.Repeat([]byte{2}, epochFixed)} {
		if _, err := DecodeEpochFacts(facts); !errors.Is(err, ErrCorrupt) {
			t.Errorf("epoch facts %x: %v, want ErrCorrupt", facts, err)
		}
	}
}

// TestDecodeAllocates nothing once warm.
func TestDecodeAllocates(t *testing.T) {
	b := goldenBatch()
	stored := AppendBatch(nil, &b)
	var d Decoder
	var got Batch
	var h Hasher
	run := func() {
		if err := d.Decode(&got, stored); err != nil {
			t.Fatal(err)
		}
		h.Chain(&got)
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations a batch, want 0", n)
	}
}

func FuzzDecodeBatch(f *testing.F) {
	b := goldenBatch()
	f.Add(AppendBatch(nil, &b))
	f.Fuzz(func(t *testing.T, stored []byte) {
		var got Batch
		var d Decoder
		if err := d.Decode(&got, stored); err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("error is %v, want ErrCorrupt", err)
			}
			return
		}
		if again := AppendBatch(nil, &got); !bytes.Equal(again, stored) {
			t.Fatalf("one batch, two stored forms:\n%x\n%x", stored, again)
		}
		if _, err := d.DecodeOne(stored, got.Last()); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzLoadSections(f *testing.F) {
	b := goldenBatch()
	f.Add(AppendSections(nil, b.Records[1].Sections))
	f.Add(AppendSections(nil, b.Records[2].Sections))
	f.Fuzz(func(t *testing.T, stored []byte) {
		for i := range 3 {
			r := goldenBatch().Records[i]
			for j := range r.Sections {
				r.Sections[j].Data, r.Sections[j].Removed = nil, false
			}
			if err := LoadSections(&r, stored); err != nil {
				if !errors.Is(err, ErrCorrupt) {
					t.Fatalf("error is %v, want ErrCorrupt", err)
				}
				continue
			}
			if again := AppendSections(nil, r.Sections); !bytes.Equal(again, stored) {
				t.Fatalf("two stored forms:\n%x\n%x", stored, again)
			}
		}
	})
}

func FuzzDecodeEpochFacts(f *testing.F) {
	f.Add(AppendEpochFacts(nil, Epoch{3, 4, "o"}))
	f.Fuzz(func(t *testing.T, facts []byte) {
		e, err := DecodeEpochFacts(facts)
		if err == nil && !bytes.Equal(AppendEpochFacts(nil, e), facts) {
			t.Fatalf("two stored forms of %+v", e)
		}
	})
}

func BenchmarkDecodeAndChain(b *testing.B) {
	batch := Batch{Epoch: 1, Owner: "o", First: 1}
	for range 64 {
		batch.Records = append(batch.Records, Record{Type: 7, Tenant: "tenant-1", Facts: make([]byte, 120), Sections: make([]Section, 1)})
	}
	stored := AppendBatch(nil, &batch)
	var d Decoder
	var h Hasher
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			_ = d.Decode(&batch, stored)
		}
		b.ReportMetric(float64(b.N*64)/b.Elapsed().Seconds(), "records/s")
	})
	b.Run("chain", func(b *testing.B) {
		for b.Loop() {
			h.Chain(&batch)
		}
		b.ReportMetric(float64(b.N*64)/b.Elapsed().Seconds(), "records/s")
	})
}
