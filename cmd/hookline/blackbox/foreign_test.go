package blackbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// foreign builds DNSimple's own module as a judge, in a module of its own that exists for this test only, runs it and
// returns what it prints. It needs the Go module proxy at its first build, so it is for set-ups with real samples at hand.
func foreign(t testing.TB, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.FromSlash("testdata/dnsimple"))); err != nil {
		t.Fatal(err)
	}
	mod := "module foreign\n\ngo 1.26\n\nrequire github.com/dnsimple/dnsimple-go/v9 v9.1.0\n"
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "foreign")
	build := exec.Command("go", "build", "-mod=mod", "-o", program, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building with DNSimple's module: %v\n%s", err, out)
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("DNSimple's module: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// P20: DNSimple's own Go client works against the /v2 face unchanged.
func TestP20OwnClient(t *testing.T) {
	t.Parallel()
	if samplesDir() == "" {
		t.Skip("needs the module proxy; runs where HOOKLINE_SAMPLES names real samples. TestP20V2Face covers the shapes")
	}
	s := startServer(t, serveOptions{manual: true})
	s.tenant(t, "3030", "dnsimple")
	got := foreign(t, "api", s.api.base, s.key, "3030", "https://hooks.example.com/x")
	equal(t, "what the client saw", got, "https://hooks.example.com/x 1 0 404 400/true")
}
