package record_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

var update = flag.Bool("update", false, "write golden files that are missing; existing ones are never overwritten")

// golden compares text with a file that is kept for ever. Not even -update replaces one: logs with these bytes exist.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	want, err := os.ReadFile(path)
	if os.IsNotExist(err) && *update {
		err = os.WriteFile(path, []byte(got), 0o644)
		want = []byte(got)
	}
	if err != nil {
		t.Fatalf("%v; run with -update to write a new one", err)
	}
	if got != string(want) {
		t.Errorf("%s changed; logs hold the old form for ever: give the new one another version byte and decode both\n got %s\nwant %s", path, got, want)
	}
}

// The bytes of every version of every record never change, and still mean the same. They lie under their version byte;
// what this build does not write any more is decoded by TestOldGoldenFacts.
func TestGoldenFacts(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			b := s.value.AppendFacts(nil)
			file := fmt.Sprintf("v%d/%s.hex", b[0], strings.ReplaceAll(s.name, " ", "_"))
			golden(t, file, wrap(hex.EncodeToString(b)))

			raw, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			kept, err := hex.DecodeString(strings.Join(strings.Fields(string(raw)), ""))
			if err != nil {
				t.Fatal(err)
			}
			back := another(s.value)
			if err := back.Decode(kept); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back, s.value) {
				t.Errorf("the golden bytes mean\n%+v, want\n%+v", back, s.value)
			}
		})
	}
}

func wrap(digits string) string {
	var b strings.Builder
	for len(digits) > 64 {
		b.WriteString(digits[:64] + "\n")
		digits = digits[64:]
	}
	b.WriteString(digits + "\n")
	return b.String()
}

// Nothing that goes into a log is without golden bytes. epoch.started is the log's own and has its test there;
// tenant.deleted and tenant.erased have no facts: the record's tenant says it all.
func TestEveryTypeHasGoldenBytes(t *testing.T) {
	covered := map[eventlog.Type]bool{record.EpochStarted: true, record.TypeTenantDeleted: true, record.TypeTenantErased: true}
	for _, s := range samples() {
		for _, typ := range s.types {
			covered[typ] = true
		}
	}
	for n := range 1 << 16 {
		typ := eventlog.Type(n)
		if name := record.Name(typ); name != "" && !covered[typ] {
			t.Errorf("%s (%d) has no sample in samples_test.go", name, n)
		}
	}
}

// Every number that stands in a log, with its name: append only.
func TestGoldenNumbers(t *testing.T) {
	var b strings.Builder
	for n := range 1 << 16 {
		if name := record.Name(eventlog.Type(n)); name != "" {
			fmt.Fprintf(&b, "type %d %s\n", n, name)
		}
	}
	list := func(what string, name func(n uint8) string) {
		for n := range 256 {
			if s := name(uint8(n)); s != "unknown" {
				fmt.Fprintf(&b, "%s %d %q\n", what, n, s)
			}
		}
	}
	list("status", func(n uint8) string { return record.Status(n).String() })
	list("reason", func(n uint8) string { return record.Reason(n).String() })
	list("trigger", func(n uint8) string { return record.Trigger(n).String() })
	list("kind", record.KindName)
	list("scope", func(n uint8) string { return record.Scope(n).String() })
	list("recovery", func(n uint8) string { return record.RecoveryState(n).String() })
	path := filepath.Join("testdata", "numbers.txt")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for kept := range strings.Lines(string(raw)) {
		if !strings.Contains("\n"+b.String(), "\n"+kept) {
			t.Errorf("%q is gone: logs hold that number for ever", kept)
		}
	}
	if string(raw) == b.String() || t.Failed() {
		return
	}
	if !*update {
		t.Fatalf("%s lacks new numbers: run with -update", path)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The JSON sections' members are a format too.
func TestGoldenJSONSections(t *testing.T) {
	raw := json.RawMessage(`{"b":1,"a":2}`)
	for _, c := range []struct {
		name  string
		value any
	}{
		{"tenant", &record.TenantPrivate{Name: "Example", Attributes: raw, By: "admin"}},
		{"endpoint", &record.EndpointPrivate{URL: "https://example.com", Description: "d", Headers: map[string]string{"x": "1"}, Settings: raw, By: "admin"}},
		{"subscription", &record.SubscriptionPrivate{Filter: `data.x == 1`, By: "admin"}},
		{"key", &record.KeyPrivate{Name: "CI", By: "admin"}},
		{"who", &record.WhoPrivate{By: "admin"}},
	} {
		b, err := json.Marshal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "v1/section_"+c.name+".json", string(b)+"\n")
		back := reflect.New(reflect.TypeOf(c.value).Elem()).Interface()
		if err := record.DecodeJSON(b, back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, c.value) {
			t.Errorf("%s: %s means %+v", c.name, b, back)
		}
	}
	if err := record.DecodeJSON([]byte(`{"name":`), &record.TenantPrivate{}); !isMalformed(err) {
		t.Errorf("a JSON section cut short: %v", err)
	}
}

// Names and numbers are each other's inverse; an unknown name is 0, an unknown number says so.
func TestNames(t *testing.T) {
	for s := record.Pending; s <= record.Canceled; s++ {
		if got := record.ParseStatus(s.String()); got != s {
			t.Errorf("ParseStatus(%q) = %d, want %d", s, got, s)
		}
	}
	for n := uint8(0); record.KindName(n) != "unknown"; n++ {
		if got := record.KindNumber(record.KindName(n)); got != n {
			t.Errorf("KindNumber(%q) = %d, want %d", record.KindName(n), got, n)
		}
	}
	if s, k := record.ParseStatus("paused"), record.KindNumber("bad luck"); s != 0 || k != 0 {
		t.Errorf("unknown names: status %d, kind %d, want 0", s, k)
	}
	if got := []string{record.Status(200).String(), record.Reason(200).String(), record.Trigger(200).String(), record.KindName(200)}; !reflect.DeepEqual(
		got, []string{"unknown", "unknown", "unknown", "unknown"}) {
		t.Errorf("numbers of a later build: %q", got)
	}
}

func TestEmptyEventPrivate(t *testing.T) {
	if p := (record.EventPrivate{}); !p.Empty() {
		t.Error("nothing in it, not empty")
	}
	for _, p := range []record.EventPrivate{{Actor: []byte("{}")}, {Metadata: []byte("{}")}, {OrderKey: "k"}, {Failed: []string{""}}} {
		if p.Empty() {
			t.Errorf("%+v is not empty", p)
		}
	}
}

func TestFinishedAt(t *testing.T) {
	a := record.AttemptFinished{StartedAt: 1_000, TookMS: 1 << 31}
	if got := a.FinishedAt(); got != 1_000+1<<31 {
		t.Errorf("FinishedAt = %d", got)
	}
}

// AppendRef keys sort as refs do, and hold nothing else.
func TestAppendRef(t *testing.T) {
	refs := []record.Ref{{}, {Seq: 0, Ord: 1}, {Seq: 1}, {Seq: 1, Ord: 255}, {Seq: 1, Ord: 256}, {Seq: 255}, {Seq: 256}, {Seq: 1<<64 - 1, Ord: 65535}}
	var last []byte
	for _, r := range refs {
		key := record.AppendRef([]byte("k"), r)
		if len(key) != 11 || bytes.Compare(last, key) >= 0 {
			t.Errorf("key of %v is %x after %x", r, key, last)
		}
		last = key
	}
}

// What older versions wrote, whatever the record is written like now, still decodes.
func TestOldGoldenFacts(t *testing.T) {
	for _, s := range samples() {
		for v := byte(1); v < s.value.AppendFacts(nil)[0]; v++ {
			for _, other := range samples() {
				if reflect.TypeOf(other.value) != reflect.TypeOf(s.value) {
					continue
				}
				name := fmt.Sprintf("testdata/v%d/%s.hex", v, strings.ReplaceAll(other.name, " ", "_"))
				raw, err := os.ReadFile(name)
				if os.IsNotExist(err) {
					continue // a form that this version did not have
				}
				kept, err := hex.DecodeString(strings.Join(strings.Fields(string(raw)), ""))
				if err != nil {
					t.Fatal(err)
				}
				if err := another(s.value).Decode(kept); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}
