package blackbox

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

const binEnv = "HOOKLINE_BIN"

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

// runAll builds the binary, runs the tests and then looks for goroutines that nobody waited for.
func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hookline-blackbox-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if os.Getenv(binEnv) == "" {
		bin := filepath.Join(dir, "hookline")
		out, err := exec.Command("go", "build", "-o", bin, "github.com/hookline/hookline/cmd/hookline").CombinedOutput()
		if err != nil {
			fmt.Fprintf(os.Stderr, "blackbox: go build of cmd/hookline: %v\n%s", err, out)
			return 1
		}
		os.Setenv(binEnv, bin)
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "blackbox:", err)
			return 1
		}
	}
	return code
}

// sources reads every directory of the module once. The go command notes what a test reads: without it, a changed product
// would be answered with the cached result of the one before, since no package of the product is imported here.
var sources = sync.OnceValue(func() error {
	root := filepath.FromSlash("../../..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "data"}, d.Name())) {
			return fs.SkipDir
		}
		return err
	})
})

// binary is the path of the program under test.
func binary(t testing.TB) string {
	t.Helper()
	if err := sources(); err != nil {
		t.Fatal(err)
	}
	bin, err := filepath.Abs(os.Getenv(binEnv))
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// slow skips a test that waits for a provider's real time limits; `make torture` sets HOOKLINE_SLOW.
func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("HOOKLINE_SLOW") != "1" {
		t.Skip("waits more than 30 s of real time; set HOOKLINE_SLOW=1")
	}
}
