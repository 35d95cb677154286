package blackbox

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// relayReceiver answers 200 and remembers who came.
type relayReceiver struct {
	*httptest.Server
	mu     sync.Mutex
	bodies map[string]int
	tokens map[string]int
}

func newRelayReceiver(t testing.TB) *relayReceiver {
	t.Helper()
	r := &relayReceiver{bodies: map[string]int{}, tokens: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies[string(body)]++
		r.tokens[q.Header.Get("Authorization")]++
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *relayReceiver) counts() (bodies, twice, good, bad int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.bodies {
		bodies++
		if n > 1 {
			twice++
		}
	}
	for token, n := range r.tokens {
		if token == "Bearer my-first-token" {
			good += n
		} else {
			bad += n
		}
	}
	return bodies, twice, good, bad
}

// guideBlocks are the blocks of plugins/sdk/README.md, in order.
func guideBlocks(t testing.TB) (names []string, blocks map[string]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "plugins", "sdk", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks = map[string]string{}
	for _, m := range runbookBlock.FindAllStringSubmatch(string(text), -1) {
		names, blocks[m[1]] = append(names, m[1]), m[2]
	}
	return names, blocks
}

// A stranger who follows the guide alone has a plugin that passes verify and delivers.
func TestSDKGuide(t *testing.T) {
	t.Parallel()
	checkout, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	rcv := newRelayReceiver(t)
	s := newServer(t, serveOptions{keyless: true})
	s.addr = freeAddress(t)
	if err := os.Symlink(binary(t), filepath.Join(s.dir, "hookline")); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "PATH="+s.dir+":"+os.Getenv("PATH"), "CHECKOUT="+checkout, "LISTEN="+s.addr, "RECEIVER="+rcv.URL+"/in")
	names, blocks := guideBlocks(t)
	equal(t, "the guide's steps", strings.Join(names, " "), "begin build verify install serve deliver")
	for _, name := range names {
		if name == "serve" {
			s.run(t, []string{"serve", "--data", "./data", "--listen", s.addr}, bareEnv())
			equal(t, "what the guide says to serve", strings.TrimSpace(blocks[name]), `hookline serve --data ./data --listen "${LISTEN:-127.0.0.1:8080}"`)
			if err := s.awaitReady(late); err != nil {
				t.Fatalf("%v\n%s", err, s.logTail())
			}
			continue
		}
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", blocks[name])
		cmd.Dir, cmd.Env = s.dir, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("the guide's %s: %v\n%s\n%s", name, err, out, s.logTail())
		}
		switch name {
		case "verify":
			if !strings.Contains(string(out), " 0 failed, 0 skipped") {
				t.Errorf("verify says\n%s", out)
			}
		case "deliver":
			if strings.Contains(string(out), "my-first-token") || !strings.Contains(string(out), "***") {
				t.Errorf("the secret is shown:\n%s", out)
			}
		}
	}
	poll(t, late, func() string {
		if _, _, good, bad := rcv.counts(); good != 1 || bad != 0 {
			return row("delivered with the token", good, "times, otherwise", bad)
		}
		return ""
	})
	s.key = strings.TrimSpace(string(must(os.ReadFile(filepath.Join(s.data, "admin.key")))))
	s.stop(t)
	for _, path := range []string{s.logPath} {
		if strings.Contains(string(must(os.ReadFile(path))), "my-first-token") {
			t.Errorf("%s holds the secret", path)
		}
	}
	_ = filepath.WalkDir(s.data, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.HasSuffix(path, ".plugin") && strings.Contains(string(must(os.ReadFile(path))), "my-first-token") {
			t.Errorf("%s holds the secret in the clear", path)
		}
		return nil
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A plugin in Node, made by `plugins init` of the specification and packages of npm alone, passes the conformance kit.
func TestNodePluginPassesVerify(t *testing.T) {
	t.Parallel()
	needs(t, "nodejs npm", "node", "npm")
	dir := t.TempDir()
	if r := runCLI(t, dir, "", nil, "plugins", "init", "relay-node", "--lang", "node", "--dir", "n"); r.code != 0 {
		t.Fatal(r.text())
	}
	in := filepath.Join(dir, "n")
	for _, args := range [][]string{{"npm", "install", "--no-audit", "--no-fund", "--loglevel=error"}, {"npm", "run", "-s", "build"}} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = in
		judged(t, cmd)
	}
	r := runCLI(t, in, "", nil, "plugins", "verify", "dist/relay-node", "--settings", `{"token":"my-first-token"}`, "--junit", "report.xml")
	if r.code != 0 || !strings.Contains(r.out, " 0 failed, 0 skipped") {
		t.Errorf("exit %d\n%s", r.code, r.text())
	}
	if !strings.Contains(string(must(os.ReadFile(filepath.Join(in, "report.xml")))), `name="no_secret_in_logs"`) {
		t.Error("the JUnit report lacks a law")
	}
}
