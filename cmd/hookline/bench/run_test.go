package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func options(t *testing.T, rows ...string) (Options, *bytes.Buffer) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	return Options{
		Binary: self, Worker: self, Rows: rows, Short: true, Duration: 100 * time.Millisecond, Window: 1000,
		Records: 2000, Aged: 2000, Pending: 2000,
		Dir: t.TempDir(), JSON: filepath.Join(t.TempDir(), "bench.json"), Out: &out, Progress: testWriter{t},
	}, &out
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", bytes.TrimSpace(p))
	return len(p), nil
}

func readResult(t *testing.T, o Options) Result {
	t.Helper()
	b, err := os.ReadFile(o.JSON)
	if err != nil {
		t.Fatal(err)
	}
	var res Result
	if err := json.Unmarshal(b, &res); err != nil {
		t.Fatal(err)
	}
	return res
}

// Every row runs to its end through real processes and its figures are told.
func TestEveryRow(t *testing.T) {
	o, out := options(t, RowNames()...)
	if err := Run(t.Context(), o); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	res := readResult(t, o)
	if len(res.Rows) != len(RowNames()) {
		t.Fatalf("%d rows, want %d", len(res.Rows), len(RowNames()))
	}
	for _, r := range res.Rows {
		if r.Events == 0 || r.Rate <= 0 || r.PssMiB <= 0 || !r.Check.clean() || r.Error != "" {
			t.Errorf("%s: %+v", r.Name, r)
		}
		if like, _ := rowNamed(r.Name); like.kind.paired() != (r.Ratio > 0) {
			t.Errorf("%s: ratio %v", r.Name, r.Ratio)
		}
	}
	if left, _ := os.ReadDir(o.Dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	for line := range strings.Lines(out.String()) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// A bench that misses a fault is worse than none.
func TestFaultsFailTheRow(t *testing.T) {
	for fault, want := range map[string]string{
		"lose":       "nothing arrived for 1s: {Accepted:",
		"double":     "Duplicated:1",
		"unrecorded": "Unrecorded:1}",
		"refuse":     " events accepted: ",
		"exit":       "no clean stop",
		"orphan":     "1 of its processes still run",
	} {
		o, out := options(t, "batch")
		o.ServeArgs, o.Stall = []string{"--fault", fault}, time.Second
		err := Run(t.Context(), o)
		if !errors.Is(err, ErrRow) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", fault, err, want)
		}
		if !strings.Contains(out.String(), "FAILED") {
			t.Errorf("%s: the table does not tell:\n%s", fault, out)
		}
	}
}

func TestIngestCountsWhatIsListed(t *testing.T) {
	o, _ := options(t, "ingest-batch")
	o.ServeArgs = []string{"--fault", "unrecorded"}
	if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "Unrecorded:1}") {
		t.Fatalf("%v", err)
	}
}

func TestCanceledRunLeavesNothing(t *testing.T) {
	o, _ := options(t, "batch")
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	o.Progress = writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("batch: one endpoint")) {
			cancel(stop)
		}
		return len(p), nil
	})
	if err := Run(ctx, o); !errors.Is(err, stop) {
		t.Fatalf("%v", err)
	}
	if left, _ := os.ReadDir(o.Dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestOptionsNameFieldBoundAndFix(t *testing.T) {
	for want, o := range map[string]Options{
		`Rows: "sngle" is unknown: want of single, batch`: {Rows: []string{"sngle"}},
		`Duration: 1ms is not within 100ms and 10m0s`:     {Duration: time.Millisecond},
		`Size: 10 is not within 200 and 65536`:            {Size: 10},
		`Window: 1 is not within 1000`:                    {Window: 1},
		`Pending: 16000000 is not within 1000`:            {Pending: 16_000_000},
	} {
		err := Run(t.Context(), o)
		if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
