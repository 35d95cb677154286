package blackbox

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// relayPlugin builds the plugin that `plugins init` writes, as another version.
func relayPlugin(t testing.TB, version string) string {
	t.Helper()
	src := must(os.ReadFile(filepath.Join("..", "..", "..", "plugins", "template", "goplugin", "main.go")))
	text := strings.NewReplacer(`Name: "example", Version: "1.0.0"`, `Name: "relay", Version: "`+version+`"`).Replace(string(src))
	dir := t.TempDir()
	file, out := filepath.Join(dir, "main.go"), filepath.Join(dir, "relay")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", out, file)
	cmd.Dir = filepath.Join("..", "..", "..")
	judged(t, cmd)
	return out
}

type transportStatus struct {
	Name, Version, State string
	PID                  int
	Confined             []string
	Interrupts           int `json:"interrupted_attempts"`
}

func (s *server) transport(t testing.TB, name string) (out transportStatus) {
	t.Helper()
	var list struct{ Data []transportStatus }
	s.api.get(t, "/v1/transports", &list)
	for _, x := range list.Data {
		if x.Name == name {
			return x
		}
	}
	t.Fatalf("no transport %q in %+v", name, list.Data)
	return out
}

// An installed plugin carries; its settings are checked with the JSON pointer and masked; another version takes over under
// load, and no attempt is lost, made twice or counted as failed.
func TestInstalledPluginIsUpgradedUnderLoad(t *testing.T) {
	one, two := relayPlugin(t, "1.0.0"), relayPlugin(t, "2.0.0")
	s := newServer(t, serveOptions{})
	install := func(file string) {
		t.Helper()
		if r := runCLI(t, s.dir, "", nil, "plugins", "install", file, "--data", s.data); r.code != 0 {
			t.Fatal(r.text())
		}
	}
	install(one)
	s.start(t)
	rcv := newRelayReceiver(t)
	n := s.tenant(t, "acme", "standard")

	bad := s.api.call(t, http.StatusUnprocessableEntity, "POST", n.path("/endpoints"), fields{"url": rcv.URL + "/in", "transport": "relay", "settings": fields{"token": "short"}})
	if !strings.Contains(string(bad.body), `"/settings/token"`) || strings.Contains(string(bad.body), "short") {
		t.Errorf("settings that don't fit: %s", clip(bad.body))
	}
	var ep struct {
		ID       string
		Settings map[string]string
	}
	s.api.post(t, http.StatusCreated, n.path("/endpoints"), fields{"url": rcv.URL + "/in", "transport": "relay", "settings": fields{"token": "my-first-token"}}, &ep)
	equal(t, "token shown", ep.Settings["token"], "***")
	s.api.patch(t, http.StatusOK, n.path("/endpoints/", ep.ID), fields{"settings": fields{"token": "***"}, "description": "sent back as it was shown"}, &ep)
	equal(t, "token shown", ep.Settings["token"], "***")

	before := s.transport(t, "relay")
	const events = 600
	for i := range events {
		n.publish(t, event{typ: "a.b", data: `{"n":` + row(i) + `}`})
		if i == events/4 {
			install(two)
		}
		if i >= events/4 {
			runFor(5 * time.Millisecond) // the load outlasts the 2 s until the manifest is looked at
		}
	}
	poll(t, late, func() string {
		if now := s.transport(t, "relay"); now.Version != "2.0.0" || now.State != "running" || now.PID == before.PID {
			return row(now)
		}
		return ""
	})
	poll(t, late, func() string {
		if bodies, twice, good, bad := rcv.counts(); bodies != events || twice != 0 || good != events || bad != 0 {
			return row(bodies, "of", events, "events,", twice, "twice,", good, "attempts with the token,", bad, "without")
		}
		if p := n.deliveries(t, "status", "pending"); len(p) > 0 {
			return row(len(p), "pending")
		}
		return ""
	})
	if now := s.transport(t, "relay"); now.Interrupts != 0 {
		t.Errorf("%d attempts were interrupted", now.Interrupts)
	}
	children := s.children()
	s.stop(t)
	s.noOrphans(t, children)
}
