package ndjson

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/pebblelog"
)

// batch makes a whole batch that follows another one.
func batch(first eventlog.Seq, prev eventlog.Hash, records ...eventlog.Record) eventlog.Batch {
	b := eventlog.Batch{Epoch: 3, Owner: "host/1", First: first, Prev: prev, Records: records}
	for i := range b.Records {
		b.Records[i].Seq = first + eventlog.Seq(i)
	}
	b.Chain = new(eventlog.Hasher).Chain(&b)
	return b
}

func exported(t testing.TB, all []eventlog.Batch) string {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, Header{First: 1, Keyring: "0a"}, func(t eventlog.Type) string { return fmt.Sprint("type ", t) })
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if err := w.Write(&all[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func imported(text string) (all []eventlog.Batch, err error) {
	for b, err := range Read(strings.NewReader(text), nil) {
		if err != nil {
			return all, err
		}
		all = append(all, b)
	}
	return all, nil
}

var someBatches = rapid.Custom(func(t *rapid.T) []eventlog.Batch {
	var all []eventlog.Batch
	first, prev := eventlog.Seq(1), eventlog.Hash{}
	clock := int64(0)
	for range rapid.IntRange(1, 5).Draw(t, "batches") {
		var rs []eventlog.Record
		for range rapid.IntRange(1, 5).Draw(t, "records") {
			clock += rapid.Int64Range(0, 1<<40).Draw(t, "time")
			r := eventlog.Record{Type: eventlog.Type(rapid.IntRange(1, 1<<16-1).Draw(t, "type")), Time: clock,
				Tenant: rapid.StringMatching(`[A-Za-z0-9_-]{0,64}`).Draw(t, "tenant"), Facts: rapid.SliceOf(rapid.Byte()).Draw(t, "facts")}
			for range rapid.IntRange(0, 3).Draw(t, "sections") {
				s := eventlog.NewSection(rapid.SliceOf(rapid.Byte()).Draw(t, "data"))
				if rapid.IntRange(0, 4).Draw(t, "removed") == 0 {
					s.Data, s.Removed = nil, true
				}
				r.Sections = append(r.Sections, s)
			}
			rs = append(rs, r)
		}
		b := batch(first, prev, rs...)
		all = append(all, b)
		first, prev = b.Last()+1, b.Chain
	}
	return all
})

// TestRoundTrip: what is read back is what was written, chain included, and writing it again gives the same text.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		all := someBatches.Draw(r, "log")
		text := exported(t, all)
		got, err := imported(text)
		if err != nil {
			r.Fatal(err)
		}
		if again := exported(t, got); again != text {
			r.Fatalf("exported again:\n%s\nwas\n%s", again, text)
		}
		for i := range got {
			if chain := new(eventlog.Hasher).Chain(&got[i]); chain != all[i].Chain {
				r.Fatalf("batch %d has chain %x, had %x", i, chain, all[i].Chain)
			}
		}
	})
}

// TestGolden: the form is for ever, as long as its version is.
func TestGolden(t *testing.T) {
	one := batch(1, eventlog.Hash{}, eventlog.Record{Type: 1, Time: 1_700_000_000_000, Facts: []byte("epoch")})
	removed := eventlog.NewSection([]byte("gone"))
	removed.Data, removed.Removed = nil, true
	two := batch(2, one.Chain, eventlog.Record{Type: 40, Time: 1_700_000_000_001, Tenant: "acme", Facts: []byte{1, 2},
		Sections: []eventlog.Section{eventlog.NewSection([]byte("sealed")), removed, eventlog.NewSection(nil)}},
		eventlog.Record{Type: 60, Time: 1_700_000_000_002, Tenant: "acme", Facts: []byte("<&>")})
	text := exported(t, []eventlog.Batch{one, two})
	path := filepath.Join("testdata", "v1.ndjson")
	want, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
		t.Fatalf("%s is written: look at it and keep it", path)
	}
	if err != nil || text != string(want) {
		t.Errorf("the form changed: %v\n%s", err, text)
	}
	if all, err := imported(string(want)); err != nil || len(all) != 2 {
		t.Errorf("%d batches, %v", len(all), err)
	}
}

// TestChanged: whatever is changed in the text, one byte or a line, the form, the chain or the end shows it: no copy of it
// is finished as another log.
func TestChanged(t *testing.T) {
	all := someBatches.Example(7)
	for n := 8; len(all) < 3; n++ {
		all = someBatches.Example(n)
	}
	text := exported(t, all)
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	changed := map[string]string{"without its end": strings.Join(lines[:len(lines)-1], ""), "cut": text[:len(text)/2], "nothing": "",
		"a line twice": strings.Join(slices.Insert(slices.Clone(lines), 2, lines[2]), ""), "without a line": strings.Join(slices.Delete(slices.Clone(lines), 2, 3), "")}
	for i := range 60 {
		b := []byte(text)
		at := rng.IntN(len(b))
		b[at] ^= 1 << rng.IntN(7)
		changed[fmt.Sprintf("byte %d, the %dth time", at, i)] = string(b)
	}
	for name, text := range changed {
		head, err := copied(t, text)
		if err == nil && head != all[len(all)-1].Chain {
			t.Errorf("%s: imports as another log", name)
		}
		if err == nil && !strings.HasPrefix(name, "byte") { // a name, the keyring's id or a space may change unseen
			t.Errorf("%s: imports", name)
		}
	}
}

// copied imports into a log and returns its chain.
func copied(t *testing.T, text string) (eventlog.Hash, error) {
	t.Helper()
	c, err := pebblelog.NewCopy(pebblelog.Options{Dir: filepath.Join(t.TempDir(), "log"), MemTable: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range Read(strings.NewReader(text), nil) {
		if err == nil {
			err = c.Add(&b)
		}
		if err != nil {
			return eventlog.Hash{}, errors.Join(err, c.Discard())
		}
	}
	return c.Head().Chain, c.Finish()
}

func FuzzRead(f *testing.F) {
	f.Add(exported(f, someBatches.Example(1)))
	f.Add("{\"hookline_log\":1,\"first_seq\":1}\n{\"head_seq\":0,\"chain\":\"\"}\n")
	f.Fuzz(func(t *testing.T, text string) {
		for b, err := range Read(strings.NewReader(text), nil) {
			if err != nil && !errors.Is(err, ErrForm) && !strings.Contains(err.Error(), "token too long") {
				t.Fatal(err)
			}
			if err == nil && len(b.Records) == 0 {
				t.Fatal("a batch without records")
			}
		}
	})
}
