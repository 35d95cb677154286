package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// binary is the program under test: HOOKLINE_BIN, or built here.
func binary(t *testing.T) string {
	if bin := os.Getenv("HOOKLINE_BIN"); bin != "" {
		return bin
	}
	bin := filepath.Join(t.TempDir(), "hookline")
	cmd := exec.Command("go", "build", "-o", bin, "github.com/hookline/hookline/cmd/hookline")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// The smoke test of `make test`: rows of each kind against the real engine and its plugin. What it holds is the
// correctness that a row checks; figures on a busy machine mean nothing.
func TestRealBinaryLosesNothing(t *testing.T) {
	o, out := options(t, "single", "batch", "ten", "ingest-batch", "latency", "replay", "pending")
	o.Binary = binary(t)
	o.Stall = time.Minute
	if err := Run(t.Context(), o); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("\n%s", out)
	res := readResult(t, o)
	for _, r := range res.Rows {
		if r.Check.Accepted == 0 || !r.Check.clean() {
			t.Errorf("%s: %+v", r.Name, r.Check)
		}
	}
	i := slices.IndexFunc(res.Rows, func(r RowResult) bool { return r.Replay != nil })
	// Two records an event at least, published and attempted: promise 2.
	if r := res.Rows[i]; r.Replay.Records < 2*r.Check.Accepted || r.Replay.RefoldSeconds <= 0 {
		t.Errorf("replay: %+v of %d events", r.Replay, r.Check.Accepted)
	}
}
