package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hookline/hookline/eventlog/seal"
)

// The commands against a running server, and offline on what it left.
func TestCommands(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := startServe(t, dir, "--clock", "manual", "--clock-start", "2026-01-01T00:00:00Z")
	ok := func(stdin string, args ...string) string {
		t.Helper()
		got := cli(t, stdin, s.env(), args...)
		if got.code != 0 {
			t.Fatalf("hookline %v: exit %d: %s", args, got.code, got.err)
		}
		return got.out
	}
	refused := func(say string, args ...string) {
		t.Helper()
		if got := cli(t, "", s.env(), args...); got.code != 1 || !strings.Contains(got.err, say) || strings.Contains(got.err, "{") {
			t.Errorf("hookline %v: exit %d, want 1 and %q: %s", args, got.code, say, got.err)
		}
	}
	field := func(text, name string) string {
		t.Helper()
		var v map[string]any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		s, _ := v[name].(string)
		return s
	}
	if out := ok("", "tenants", "create", "--id", "acme", "--profile", "osir", "--name", "Acme \x1b[31m"); !strings.Contains(out, "Acme ?[31m") {
		t.Errorf("a name must not steer the terminal: %q", out)
	}
	ep := field(ok("", "endpoints", "create", "acme", "--url", "https://example.com/a", "--event-types", "domain.*,invoice.paid", "--timeout", "7s", "-o", "json"), "id")
	ok("", "endpoints", "update", "acme", ep, "--unset", "timeout", "--description", "first")
	if out := ok("", "endpoints", "get", "acme", ep); !regexp.MustCompile(`timeout +-\n`).MatchString(out) || !strings.Contains(out, "domain.*,invoice.paid") {
		t.Errorf("get: %s", out)
	}
	ok("", "endpoints", "disable", "acme", ep)
	if out := ok("", "endpoints", "list", "acme"); !strings.Contains(out, "disabled") || !strings.HasPrefix(out, "ID ") {
		t.Errorf("list: %s", out)
	}
	if secret := field(ok("", "endpoints", "rotate-secret", "acme", ep, "--secret", "another secret", "-o", "json"), "secret"); secret != "another secret" {
		t.Errorf("secret %q", secret)
	}
	refused("url: ", "endpoints", "create", "acme", "--url", "http://example.com/")
	refused("no tenant", "endpoints", "list", "nobody")
	refused("the key is not the server's", "tenants", "list", "--key", "wrong")
	refused("does not answer", "tenants", "list", "--server", "http://127.0.0.1:1")
	refused("status: ", "deliveries", "list", "acme", "--status", "open")

	checkPublish(t, s, ok, field)
	if out := ok("", "plugins", "ls"); !strings.Contains(out, "https") || !strings.Contains(out, "running") {
		t.Errorf("plugins: %s", out)
	}
	if got := cli(t, "", nil, "log", "stat", "--data", dir); got.code != 1 || !strings.Contains(got.err, "in use") {
		t.Errorf("beside a living server: %d %s", got.code, got.err)
	}
	if code := s.stop(); code != 0 || !strings.Contains(s.log.String(), "hookline stopped: 0 attempts interrupted") {
		t.Fatalf("exit %d: %s", code, s.log)
	}
	checkOffline(t, dir)
}

// checkPublish is publish, and the events it makes.
func checkPublish(t *testing.T, s *served, ok func(stdin string, args ...string) string, field func(text, name string) string) {
	t.Helper()
	for range 3 {
		ok(`{"domain":"own.example"}`, "publish", "acme", "domain.registered", "-d", "-")
	}
	out := ok(` {"domain": "own.example"} `, "publish", "acme", "domain.registered", "-d", "-", "--id", "evt_1", "--metadata", `{"k":1}`, "--explain")
	if !strings.HasPrefix(out, "published evt_1 (evu_") || !strings.Contains(out, ", 1 matched\n  dlv_") {
		t.Errorf("publish: %s", out)
	}
	if body := field(ok("", "events", "get", "acme", "evt_1", "-o", "json"), "body"); !strings.HasSuffix(body, `"data":{"domain": "own.example"}}`) {
		t.Errorf("the data are not those of the file: %s", body)
	}
	if got := cli(t, `{"a":`, s.env(), "publish", "acme", "x", "-d", "-"); got.code != 1 || !strings.Contains(got.err, "line 1, column 6") {
		t.Errorf("malformed data: %d %s", got.code, got.err)
	}
	if got := cli(t, "", s.env(), "events", "list", "acme", "--limit", "2"); len(strings.Split(got.out, "\n")) != 4 || !strings.Contains(got.err, "there are more") {
		t.Errorf("two of four events: %s%s", got.out, got.err)
	}
	var all page
	if err := json.Unmarshal([]byte(ok("", "events", "list", "acme", "--all", "-o", "json")), &all); err != nil || len(all.Data) != 4 {
		t.Errorf("all events: %v, %d", err, len(all.Data))
	}
}

// checkOffline is the log commands on what a server left.
func checkOffline(t *testing.T, dir string) {
	t.Helper()
	offline := func(args ...string) string {
		t.Helper()
		got := cli(t, "", []string{"HOOKLINE_DATA=" + dir}, append([]string{"log"}, args...)...)
		if got.code != 0 {
			t.Fatalf("log %v: exit %d: %s", args, got.code, got.err)
		}
		return got.out
	}
	status := func() (st offlineStatus) {
		t.Helper()
		if err := json.Unmarshal([]byte(offline("stat", "-o", "json")), &st); err != nil {
			t.Fatal(err)
		}
		return st
	}
	before := status()
	for _, path := range before.Derived {
		if !filepath.IsAbs(path) || !slices.Contains([]string{"views", "snapshots", "plugins"}, filepath.Base(path)) {
			t.Errorf("derived: %s", path)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	if got := status(); got.StateDigest != before.StateDigest || got.HeadSeq != before.HeadSeq || got.Chain != before.Chain || len(got.Derived) != 0 || got.Views["history"] != 0 {
		t.Errorf("without what is derived: %+v, before %+v", got, before)
	}
	if out := offline("verify"); !strings.HasPrefix(out, "ok: ") {
		t.Errorf("verify: %s", out)
	}
	if out := offline("rebuild", "--check"); strings.Count(out, "to compare with") != 2 {
		t.Errorf("nothing to compare with: %s", out)
	}
	if out := offline("rebuild"); !strings.Contains(out, before.StateDigest) {
		t.Errorf("rebuild: %s", out)
	}
	if out := offline("rebuild", "--check"); !strings.Contains(out, "history: same at") || !strings.Contains(out, "idempotency: same at") {
		t.Errorf("rebuild --check: %s", out)
	}
	if got := status().Views; len(got) != 2 || got["history"] != before.HeadSeq || got["idempotency"] != before.HeadSeq {
		t.Errorf("views %v, want both at %d", got, before.HeadSeq)
	}
	var proved verification
	if err := json.Unmarshal([]byte(offline("verify", "-o", "json")), &proved); err != nil || !proved.OK || proved.HeadSeq != before.HeadSeq || proved.Chain != before.Chain || proved.Damaged == nil {
		t.Errorf("verify -o json: %v, %+v", err, proved)
	}
	var folded rebuildReport
	if err := json.Unmarshal([]byte(offline("rebuild", "--check", "-o", "json")), &folded); err != nil || !folded.OK || len(folded.Rebuilt) != 3 ||
		folded.Rebuilt[0].Digest != before.StateDigest || folded.Rebuilt[1].Was != "same" {
		t.Errorf("rebuild --check -o json: %v, %+v", err, folded)
	}
	lines := strings.Split(strings.TrimSpace(offline("cat")), "\n")
	if len(lines) != int(before.HeadSeq) {
		t.Errorf("cat: %d lines of %d records", len(lines), before.HeadSeq)
	}
	if out := offline("cat", "--type", "event.published", "--limit", "2", "--after", "5"); strings.Count(out, "\n") != 2 || strings.Contains(out, "own.example") || !strings.Contains(out, `"type":"domain.registered"`) {
		t.Errorf("cat: %s", out)
	}
}

// Keys: given ones are not written down, made ones stay, a missing master key is not made anew.
func TestKeys(t *testing.T) {
	dir := &dataDir{path: t.TempDir()}
	if key, made, err := dir.adminKey(strings.Repeat("g", 40), true); err != nil || made || key != strings.Repeat("g", 40) || dir.exists(adminKeyFile) {
		t.Fatal("given:", made, err)
	}
	key, made, err := dir.adminKey("", true)
	if err != nil || !made || len(key) < 40 {
		t.Fatal("first start:", key, made, err)
	}
	if again, made, err := dir.adminKey("", true); err != nil || made || again != key {
		t.Fatal("a crash before it reached the log:", again, made, err)
	}
	if again, made, err := dir.adminKey("", false); err != nil || made || again != key {
		t.Fatal("later start:", again, made, err)
	}
	if _, _, err := dir.adminKey(strings.Repeat("g", 40), false); err != nil || dir.exists(adminKeyFile) {
		t.Fatal("a given key replaces it: the file opens nothing any more", err)
	}
	if kept, made, err := dir.adminKey("", false); err != nil || made || kept != "" {
		t.Fatal("the one in the log stays:", kept, made, err)
	}

	master, made, err := dir.masterKey(nil)
	if err != nil || !made {
		t.Fatal(made, err)
	}
	if again, made, err := dir.masterKey(nil); err != nil || made || again != master {
		t.Fatal(made, err)
	}
	if other, _, err := dir.masterKey(&seal.Master{1}); err != nil || other != (seal.Master{1}) {
		t.Fatal(err)
	}
	for _, name := range []string{masterKeyFile, keyringFile} {
		if err := os.WriteFile(dir.join(name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(dir.join(masterKeyFile)); err != nil {
		t.Fatal(err)
	}
	if _, made, err := dir.masterKey(nil); err == nil || made || !strings.Contains(err.Error(), "HOOKLINE_MASTER_KEY") {
		t.Fatal("a keyring without its master key:", made, err)
	}
}

// A directory opens only with the clock that it was made under, and only once at a time.
func TestDataDir(t *testing.T) {
	for _, manual := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "data")
		dir, err := openDataDir(path, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := dir.checkClock(manual); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir.join(logDir), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := dir.checkClock(manual); err != nil {
			t.Fatal("the same clock again:", err)
		}
		if err := dir.checkClock(!manual); err == nil || !strings.Contains(err.Error(), "--clock manual") {
			t.Fatal("the other clock:", err)
		}
		if _, err := openDataDir(path, true); err == nil || !strings.Contains(err.Error(), "in use") {
			t.Fatal("twice:", err)
		}
		if err := dir.Close(); err != nil {
			t.Fatal(err)
		}
		if dir, err = openDataDir(path, false); err != nil {
			t.Fatal(err)
		}
		dir.Close()
	}
	if _, err := openDataDir(filepath.Join(t.TempDir(), "none"), false); err == nil {
		t.Fatal("a missing directory was opened")
	}
}

// A refusal is told as people read it, whatever the server sent.
func TestRefusal(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		say    string
	}{
		{422, `{"status":422,"title":"x","detail":"url: no","errors":[{"location":"url","message":"no"},{"location":"filter","message":"bad\u001b[1m"}]}`, "url: no\n  filter: bad?[1m"},
		{404, `{"status":404,"title":"x","detail":"nothing here","errors":[]}`, "nothing here"},
		{401, `{"status":401,"title":"x","detail":"a key","errors":[]}`, "the key is not the server's"},
		{502, "<html>bad gateway</html>", "status 502: <html>"},
	} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		}))
		got := cli(t, "", []string{"HOOKLINE_SERVER=" + web.URL, "HOOKLINE_ADMIN_KEY=k"}, "tenants", "list")
		web.Close()
		if got.code != 1 || !strings.Contains(got.err, c.say) {
			t.Errorf("%d: exit %d: %s", c.status, got.code, got.err)
		}
	}
}
