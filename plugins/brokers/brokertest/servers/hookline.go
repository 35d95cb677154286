package servers

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Hookline is a real server with one tenant.
type Hookline struct{ URL, Key string }

// StartHookline builds the server from this repository (or takes HOOKLINE_BIN) and starts it on a fresh data directory.
func StartHookline(tb testing.TB, tenant string) Hookline {
	tb.Helper()
	bin := os.Getenv("HOOKLINE_BIN")
	if bin == "" {
		bin = filepath.Join(tb.TempDir(), "hookline")
		build := exec.Command("go", "build", "-o", bin, "./cmd/hookline")
		build.Dir = root(tb)
		if out, err := build.CombinedOutput(); err != nil {
			tb.Fatalf("building hookline: %v\n%s", err, out)
		}
	}
	h := Hookline{URL: "http://127.0.0.1:" + freePort(tb), Key: strings.Repeat("k", 40)}
	c := exec.Command(bin, "serve", "--data", filepath.Join(tb.TempDir(), "data"), "--listen", strings.TrimPrefix(h.URL, "http://"))
	c.Env = append(os.Environ(), "HOOKLINE_ADMIN_KEY="+h.Key)
	process(tb, 30*time.Second, c, func() error {
		resp, err := http.Get(h.URL + "/readyz")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("readyz: %s", resp.Status)
		}
		return nil
	})
	req, err := http.NewRequest(http.MethodPost, h.URL+"/v1/tenants", strings.NewReader(fmt.Sprintf(`{"id":%q,"name":%q}`, tenant, tenant)))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.Key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		tb.Fatalf("tenant: %s", resp.Status)
	}
	return h
}

// root is the top folder of the repository.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "cmd", "hookline", "main.go")); err == nil {
			return dir
		}
	}
	tb.Fatal("hookline's sources are not above this folder")
	return ""
}
