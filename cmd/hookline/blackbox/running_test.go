package blackbox

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Exit codes of API.md: a directory in use is 1, wrong usage is 2, and the offline commands keep away from a living server.
func TestDirectoryInUse(t *testing.T) {
	t.Parallel()
	r, n, _, _ := osirRig(t, always(200), nil)
	n.publish(t, sample("a.b", 1))
	second := newServer(t, r.opts)
	second.data = r.data
	second.launch(t)
	equal(t, "exit code of a second server", second.awaitExit(t, late), 1)
	if !strings.Contains(second.processLog(), "in use") {
		t.Errorf("the second server does not say \"in use\":\n%s", second.logTail())
	}
	for _, args := range [][]string{
		{"stat"}, {"verify"}, {"rebuild"}, {"rebuild", "--check"}, {"cat"},
	} {
		if got := r.log(t, args...); got.code == 0 || !strings.Contains(got.text(), "in use") {
			t.Errorf("log %v beside a living server: exit %d, want a refusal that says \"in use\": %s", args, got.code, got.text())
		}
	}
	equal(t, "the first server still answers", len(n.events(t)), 1)
	r.stop(t)
	r.logOK(t, "verify")
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, args := range map[string][]string{
		"unknown command":     {"serv"},
		"unknown flag":        {"serve", "--data", dir, "--listn", "127.0.0.1:1"},
		"unknown log command": {"log", "stats", "--data", dir},
		"unknown clock":       {"serve", "--data", dir, "--listen", "127.0.0.1:0", "--clock", "sundial"},
		"bad cidr":            {"serve", "--data", dir, "--listen", "127.0.0.1:0", "--allow-cidr", "127.0.0.0/99"},
		"short admin key":     {"serve", "--data", dir, "--listen", "127.0.0.1:0"},
	} {
		t.Run(name, func(t *testing.T) {
			var env []string
			if name == "short admin key" {
				env = []string{"HOOKLINE_ADMIN_KEY=" + strings.Repeat("k", 31)}
			}
			got := runCLI(t, dir, "", env, args...)
			if got.code != 2 && !(got.code == 1 && name == "short admin key") {
				t.Errorf("exit %d, want 2: %s", got.code, got.text())
			}
			if got.errOut == "" {
				t.Error("nothing on stderr")
			}
		})
	}
	if got := runCLI(t, dir, "", nil, "--help"); got.code != 0 || !strings.Contains(got.text(), "serve") {
		t.Errorf("--help: exit %d: %s", got.code, got.text())
	}
}

// Promise 11: an unknown key of the configuration is an error that names the nearest one; a good file is taken.
func TestConfigFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "hookline.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for key, nearest := range map[string]string{"lisen": "listen", "dta": "data", "trust_caa": "trust"} {
		write(key + ": x\n")
		got := runCLI(t, dir, "", nil, "serve", "--data", filepath.Join(dir, "data"), "--config", file)
		if got.code == 0 || !strings.Contains(got.text(), key) || !strings.Contains(strings.ReplaceAll(got.text(), key, ""), nearest) {
			t.Errorf("unknown key %s: exit %d, want an error that names it and %s: %s", key, got.code, nearest, got.text())
		}
	}
	s := newServer(t, serveOptions{manual: true, args: []string{"--config", file}})
	write("listen: 127.0.0.1:1\n") // the flag wins: the server answers where the test looks for it
	s.start(t)
	s.tenant(t, "acme", "osir")
}

// First start without keys: both are made, readable by the owner only, and the admin key works.
func TestGeneratedKeys(t *testing.T) {
	t.Parallel()
	s := newServer(t, serveOptions{manual: true, keyless: true})
	s.start(t)
	for _, name := range []string{"admin.key", "master.key"} {
		info, err := os.Stat(filepath.Join(s.data, name))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "mode of "+name, info.Mode().Perm(), os.FileMode(0o600))
	}
	text, err := os.ReadFile(filepath.Join(s.data, "admin.key"))
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSpace(string(text))
	if len(key) < 32 {
		t.Fatalf("generated admin key of %d characters", len(key))
	}
	s.api = s.api.as(key)
	s.tenant(t, "acme", "osir")
	s.stop(t)
	s.start(t)
	s.api = s.api.as(key)
	s.api.get(t, "/v1/tenants/acme", nil)
}

// Every flag exists as an environment variable too.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	s := newServer(t, serveOptions{})
	rcv := newReceiver(t)
	s.addr = freeAddress(t)
	s.run(t, []string{"serve"}, append(bareEnv(),
		"HOOKLINE_DATA="+s.data, "HOOKLINE_LISTEN="+s.addr, "HOOKLINE_ALLOW_CIDR=10.9.0.0/16,127.0.0.0/8", "HOOKLINE_TRUST_CA="+caFile(t, s.dir),
		"HOOKLINE_CLOCK=manual", "HOOKLINE_CLOCK_START="+clockStart, "HOOKLINE_ADMIN_KEY="+s.key))
	if err := s.awaitReady(late); err != nil {
		t.Fatalf("%v\n%s", err, s.logTail())
	}
	r := &rig{server: s, rcv: rcv}
	n, k := r.tenant(t, "acme", "osir"), rcv.sink("r", always(200))
	n.endpoint(t, k, nil)
	n.publish(t, sample("a.b", 1))
	now := r.advance(t, time.Millisecond)
	equal(t, "clock", now.Format("2006-01-02T15:04"), "2026-01-01T00:00")
	k.exactly(t, 1)
}

// The open pages: health, readiness, the API's own description, the front page.
func TestOpenPages(t *testing.T) {
	t.Parallel()
	s := startServer(t, serveOptions{manual: true})
	open := s.api.as("")
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	open.get(t, "/openapi.json", &doc)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("openapi: %q, want 3.1", doc.OpenAPI)
	}
	for path, method := range map[string]string{
		"/v1/tenants": "post", "/v1/tenants/{tenant}/events": "post", "/v1/tenants/{tenant}/events:batch": "post",
		"/v1/tenants/{tenant}/endpoints/{endpoint}": "patch", "/v1/tenants/{tenant}/subscriptions": "get",
		"/v1/tenants/{tenant}/deliveries/{delivery}": "get", "/v1/tenants/{tenant}/attempts": "get", "/v1/log/status": "get",
	} {
		if doc.Paths[path][method] == nil {
			t.Errorf("/openapi.json does not describe %s %s", method, path)
		}
	}
	if got := open.do(t, "GET", "/", nil); got.status != 200 || !strings.Contains(got.header.Get("Content-Type"), "text/html") {
		t.Errorf("/: %d %s", got.status, got.header.Get("Content-Type"))
	}
	var profile struct{ Name string }
	s.api.get(t, "/v1/profiles/osir", &profile)
	equal(t, "profile", profile.Name, "osir")
	text := string(s.api.get(t, "/v1/profiles/osir", nil).body)
	for _, typ := range osirTypes { // O-5
		if !strings.Contains(text, typ) {
			t.Errorf("the catalogue of osir lacks %s", typ)
		}
	}
	var transports json.RawMessage
	s.api.get(t, "/v1/transports", &transports)
	if !strings.Contains(string(transports), "https") {
		t.Errorf("/v1/transports: %s", transports)
	}
	equal(t, "/metrics", s.api.do(t, "GET", "/metrics", nil).status, http.StatusOK)
}

// The command line publishes, from standard input as well, and speaks JSON.
func TestPublishCommand(t *testing.T) {
	t.Parallel()
	r, n, k, _ := osirRig(t, always(200), nil)
	env := []string{"HOOKLINE_SERVER=" + r.api.base, "HOOKLINE_ADMIN_KEY=" + r.key}
	file := filepath.Join(r.dir, "data.json")
	if err := os.WriteFile(file, []byte(`{"from":"file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, stdin, data string }{
		{"-", `{"from": "stdin"}`, `{"from": "stdin"}`}, {file, "", `{"from":"file"}`},
	} {
		got := runCLI(t, r.dir, c.stdin, env, "publish", "acme", "domain.registered", "-d", c.args, "-o", "json")
		var p published
		if err := json.Unmarshal([]byte(got.out), &p); err != nil || got.code != 0 || p.UID == "" {
			t.Fatalf("publish: exit %d, %v: %s", got.code, err, got.text())
		}
		r.settle(t)
		all := k.requests()
		if last := string(all[len(all)-1].body); !strings.HasSuffix(last, `"data":`+c.data+`}`) {
			t.Errorf("received %s, want data %s", last, c.data)
		}
	}
	equal(t, "events", len(n.events(t)), 2)
	bad := runCLI(t, r.dir, `{"x":`, env, "publish", "acme", "domain.registered", "-d", "-")
	if bad.code != 1 || bad.errOut == "" {
		t.Errorf("publish of malformed data: exit %d, want 1 and a reason: %s", bad.code, bad.text())
	}
	flags := runCLI(t, r.dir, "{}", nil, "publish", "nobody", "a.b", "-d", "-", "--server", r.api.base, "--key", r.key)
	if flags.code != 1 {
		t.Errorf("publish to an unknown tenant: exit %d, want 1: %s", flags.code, flags.text())
	}
}
