package bench

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What the receiver reads is what was published, for both: O-6's members in O-6's order, and exactly the size asked for.
func TestBodyCarriesItsNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		run := rapid.Uint32Range(1, 9999).Draw(t, "run")
		n := rapid.Uint64Range(0, ledgerSlots).Draw(t, "n")
		size := rapid.IntRange(200, 8192).Draw(t, "size")
		body := appendBody(nil, run, n, size)
		var doc struct {
			ID, Type string
			Created  int64
			Data     struct{ Run, N, Pad string }
		}
		if err := json.Unmarshal(body, &doc); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if len(body) != size || len(doc.ID) != len("evt_")+idDigits {
			t.Fatalf("%d bytes, id %q, want %d", len(body), doc.ID, size)
		}
		gotRun, gotN, ok := parseBody(body)
		if !ok || gotRun != run || gotN != n {
			t.Fatalf("%d %d %v, want %d %d", gotRun, gotN, ok, run, n)
		}
	})
	if minSize > 200 {
		t.Fatalf("a body needs %d bytes, the options allow 200", minSize)
	}
}

func FuzzParseBody(f *testing.F) {
	f.Add(appendBody(nil, 3, 77, 300))
	f.Add([]byte(runMark + "0001" + numMark))
	f.Add([]byte(runMark))
	f.Fuzz(func(t *testing.T, b []byte) {
		if run, n, ok := parseBody(b); ok && (run > 9999 || n > 9_999_999_999) {
			t.Fatalf("%d %d", run, n)
		}
	})
}

func TestLedgerTellsMissingDuplicatedAndStrays(t *testing.T) {
	l, f, err := newLedger()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	defer l.close()
	other, err := openLedger(f) // what another process sees
	if err != nil {
		t.Fatal(err)
	}
	defer other.close()
	l.begin(1, ledgerSlots)
	for _, n := range []uint64{0, 2, 2, 3} {
		other.receive(1, n, 5)
	}
	other.receive(9, 1, 6)           // of another run
	other.receive(1, ledgerSlots, 6) // of no event
	other.receive(1, 4, 7)           // not accepted
	if got := l.check(4); got != (tally{Missing: 1, Duplicated: 1, Strays: 3}) {
		t.Fatalf("%+v", got)
	}
	if l.head.received.Load() != 5 || l.head.last.Load() != 7 || l.stamps[0].received.Load() != 5 {
		t.Fatalf("received %d, last %d", l.head.received.Load(), l.head.last.Load())
	}
	l.begin(2, 5)
	if got := l.check(0); got != (tally{}) || l.head.received.Load() != 0 {
		t.Fatalf("a new run inherits %+v", got)
	}
}

func TestParseStat(t *testing.T) {
	line := "4711 (a) b (c) S 42 4711 4711 0 -1 4194560 1 2 3 4 100 50 7 3 20 0 1 0 123 1 2\n"
	s, err := parseStat([]byte(line))
	if err != nil || s.parent != 42 || s.cpu != 1600*time.Millisecond || s.started != "123" || s.zombie {
		t.Fatalf("%+v %v", s, err)
	}
	for _, bad := range []string{"", "1 (x", "1 (x) S 2 3", strings.Replace(line, " 100 ", " x ", 1)} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	if b, err := os.ReadFile("/proc/self/stat"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { parseStat(b) })
}

func TestThisProcessIsMeasured(t *testing.T) {
	cpu, err := cpuTime(os.Getpid())
	if err != nil || cpu < 0 {
		t.Fatalf("%v %v", cpu, err)
	}
	m, err := memoryOf(os.Getpid())
	if err != nil || m.Pss < 1<<20 || m.Peak < m.Pss/2 {
		t.Fatalf("%+v %v", m, err)
	}
	procs, err := tree(os.Getpid())
	if err != nil || !alive(os.Getpid(), procs[os.Getpid()]) || alive(os.Getpid(), procStat{started: "1"}) || alive(1<<30, procStat{}) {
		t.Errorf("alive: %v %v", procs, err)
	}
	if _, err := cpuTime(1 << 30); err == nil {
		t.Error("a process that is not there has CPU time")
	}
	dir := t.TempDir()
	empty, err := diskUsed(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/f", make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	full, err := diskUsed(dir)
	if err != nil || full-empty < 1<<20 || full-empty > 2<<20 {
		t.Fatalf("%d of 1 MiB, %v", full-empty, err)
	}
}

func TestQuantileIsNearestRank(t *testing.T) {
	v := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for q, want := range map[float64]float64{0: 1, 0.5: 5, 0.51: 6, 0.99: 10, 1: 10} {
		if got := quantile(v, q); got != want {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
	if latency(make([]stamp, 3)) != nil {
		t.Error("a latency of nothing")
	}
}

func TestWorkerEndsWithItsInput(t *testing.T) {
	in, feed := io.Pipe()
	answers, out := io.Pipe()
	under := make(chan struct{})
	ops := map[string]handler{
		"echo": op(func(_ context.Context, s string) (string, error) { return s, nil }),
		"hang": op(func(ctx context.Context, _ string) (string, error) {
			close(under)
			<-ctx.Done()
			return "", context.Cause(ctx)
		}),
	}
	ended := make(chan error, 1)
	go func() { ended <- serveCalls(t.Context(), in, out, ops); out.Close() }()
	dec := json.NewDecoder(answers)
	for request, want := range map[string]reply{
		`{"op":"echo","args":"hi"}`: {Result: json.RawMessage(`"hi"`)},
		`{"op":"echo","args":1}`:    {Error: "arguments: json: cannot unmarshal number into Go value of type string"},
		`{"op":"none"}`:             {Error: `op "none": unknown`},
	} {
		io.WriteString(feed, request)
		var got reply
		if err := dec.Decode(&got); err != nil || got.Error != want.Error || string(got.Result) != string(want.Result) {
			t.Errorf("%s: %+v %v", request, got, err)
		}
	}
	io.WriteString(feed, `{"op":"hang","args":""}`)
	<-under
	feed.Close()
	go io.Copy(io.Discard, answers)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestMainLeavesOtherArgumentsAlone(t *testing.T) {
	for _, args := range [][]string{nil, {"serve"}, {"bench"}} {
		if _, handled := Main(args); handled {
			t.Errorf("%v: handled", args)
		}
	}
}
