package blackbox

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// readmeBlocks are the fenced blocks of a section of the README, in order.
func readmeBlocks(t *testing.T, section string) []string {
	t.Helper()
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "# "+section+"\n")
	if !ok {
		t.Fatalf("the README has no section %q", section)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```(?:sh|yaml)\n(.*?)```").FindAllStringSubmatch(after, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// readmeShell runs lines as a reader of the README would, in dir.
func readmeShell(t *testing.T, dir, lines string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", strings.ReplaceAll(lines, "bin/hookline", binary(t)))
	cmd.Dir, cmd.Env = dir, bareEnv()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%s%v", lines, out, err)
	}
	return string(out)
}

// The README's way to a third provider, step by step as it stands there: init, edit, lint, serve, tenant, publish,
// receive; then a change while the server runs, a mistake, and a restart with the mistake.
func TestThirdProviderInTenMinutes(t *testing.T) {
	t.Parallel()
	blocks := readmeBlocks(t, "A third provider in ten minutes")
	if len(blocks) < 4 {
		t.Fatalf("%d blocks", len(blocks))
	}
	s := newServer(t, serveOptions{keyless: true})
	readmeShell(t, s.dir, blocks[0])
	file := filepath.Join(s.dir, "profiles", "harbour.yaml")
	edit := func(change func(string) string) {
		t.Helper()
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(change(string(content))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edit(func(content string) string {
		head, _, ok := strings.Cut(content, "schemas:\n")
		if !ok {
			t.Fatal("the file to start from has no schemas")
		}
		return head + blocks[1]
	})
	lint, serve, ok := strings.Cut(strings.TrimSpace(blocks[2]), "\n")
	if !ok {
		t.Fatalf("no lint and serve: %s", blocks[2])
	}
	if out := readmeShell(t, s.dir, lint); out != "" {
		t.Errorf("lint says %s", out)
	}

	launch := func() {
		t.Helper()
		s.data, s.addr = filepath.Join(s.dir, "data", "mine"), freeAddress(t)
		args := strings.Fields(strings.ReplaceAll(strings.TrimPrefix(serve, "bin/hookline "), "127.0.0.1:8080", s.addr))
		s.run(t, append(args, "--allow-cidr", "127.0.0.0/8", "--trust-ca", caFile(t, s.dir)), bareEnv())
	}
	launch()
	if err := s.awaitReady(late); err != nil {
		t.Fatal(err, s.logTail())
	}
	key, err := os.ReadFile(filepath.Join(s.data, "admin.key"))
	if err != nil {
		t.Fatal(err)
	}
	s.api = newClient("http://"+s.addr, strings.TrimSpace(string(key)))
	rcv := newReceiver(t)
	k := rcv.sink("quay", always(204))
	steps := strings.NewReplacer("127.0.0.1:8080", s.addr, "https://customer.example/hooks", k.url).Replace(blocks[3])
	readmeShell(t, s.dir, steps)
	got := k.await(t, 1, soon)[0]
	if body := string(got.body); !strings.Contains(body, `"type":"ship.arrived"`) || !strings.Contains(body, `"data":{"ship":"Aurora","berth":4}`) || !strings.Contains(body, `"created":"`) {
		t.Errorf("received %s", body)
	}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		if got.header.Get(name) == "" {
			t.Errorf("no header %s", name)
		}
	}

	type shown struct {
		Version     int
		ReloadError *string `json:"reload_error"`
	}
	is := func(version int, fault bool) func() string {
		return func() string {
			var p shown
			s.api.get(t, "/v1/profiles/harbour", &p)
			if p.Version != version || (p.ReloadError != nil) != fault {
				text, _ := json.Marshal(p)
				return string(text)
			}
			return ""
		}
	}
	poll(t, soon, is(1, false))
	edit(func(content string) string { return strings.Replace(content, "  - data: data", "  - ship: data", 1) })
	poll(t, soon, is(2, false))
	n := &tenant{s: s, id: "quay-4"}
	n.publish(t, event{typ: "ship.departed", data: `{"ship":"Aurora"}`})
	if body := string(k.await(t, 2, soon)[1].body); !strings.Contains(body, `"ship":{"ship":"Aurora"}`) {
		t.Errorf("by the next version: %s", body)
	}
	edit(func(content string) string { return strings.Replace(content, "timeout: 30s", "timeout: 30 minutes", 1) })
	s.signal(t, syscall.SIGHUP)
	s.expected = false
	poll(t, soon, is(2, true))
	s.stop(t)
	launch()
	if code := s.awaitExit(t, late); code != 2 || !strings.Contains(s.logTail(), "harbour.yaml:12: timeout:") {
		t.Errorf("started with a mistake: exit %d\n%s", code, s.logTail())
	}
}

// `hookline profiles`: what it tells and how it ends.
func TestProfilesCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must := func(code int, say string, args ...string) {
		t.Helper()
		r := runCLI(t, dir, "", nil, append([]string{"profiles"}, args...)...)
		if r.code != code || !strings.Contains(r.text(), say) {
			t.Errorf("profiles %s: exit %d, want %d and %q\n%s", strings.Join(args, " "), r.code, code, say, r.text())
		}
	}
	must(0, "wrote acme.yaml", "init", "acme")
	must(1, "is there already", "init", "acme")
	must(2, "is built in", "init", "osir")
	must(0, "", "lint", "acme.yaml")
	must(0, "scheme: standard_webhooks", "show", "standard")
	must(2, "there are osir, dnsimple", "show", "osier")
	must(2, "needs FILE", "lint")
	must(1, "is taken (acme.yaml)", "lint", "acme.yaml", "acme.yaml")
	if err := os.WriteFile(filepath.Join(dir, "bad.yaml"), []byte("name: bad\ntitel: Bad\nschedule: {waits: [1h], limit: 1m}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, say := range []string{`bad.yaml:2: unknown field "titel"; did you mean "title"?`, "bad.yaml:3: schedule.limit: the waits add up to 1h", `field "payload" is missing`} {
		must(1, say, "lint", "bad.yaml")
	}
}

// GET /v1/profiles shows what a profile says; :rotate-secret keeps the secret before for a while where the scheme can.
func TestProfilesAndOverlap(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	var list struct {
		Data []struct {
			Name       string
			Signatures []struct {
				Scheme   string
				Overlaps bool
			}
			EventTypes []struct {
				Name, Description string
				Example, Schema   map[string]any
			} `json:"event_types"`
		}
	}
	r.api.get(t, "/v1/profiles", &list)
	var names []string
	for _, p := range list.Data {
		names = append(names, p.Name)
		for _, e := range p.EventTypes {
			if e.Description == "" || len(e.Example) == 0 || len(e.Schema) == 0 {
				t.Errorf("%s: %s lacks description, example or schema", p.Name, e.Name)
			}
		}
	}
	equal(t, "profiles", strings.Join(names, " "), "osir dnsimple standard cloudevents github stripe")

	var made struct{ ID, Profile string }
	r.api.post(t, http.StatusCreated, "/v1/tenants", fields{"id": "acc"}, &made)
	equal(t, "profile without asking", made.Profile, "standard")
	n := &tenant{s: r.server, id: "acc"}
	k := r.rcv.sink("std", always(200))
	ep := n.endpoint(t, k, nil)
	var rotated struct {
		Secret  string
		Expires *time.Time `json:"previous_secret_expires_at"`
	}
	r.api.post(t, 200, n.path("/endpoints/", ep.ID, ":rotate-secret"), fields{"overlap": "2h"}, &rotated)
	if rotated.Secret == "" || rotated.Expires == nil {
		t.Fatalf("rotated: %+v", rotated)
	}
	signatures := func(want int) {
		t.Helper()
		had := k.count()
		n.publish(t, event{typ: "anything", data: `{}`})
		r.settle(t)
		if got := strings.Fields(k.exactly(t, had+1)[had].header.Get("webhook-signature")); len(got) != want {
			t.Errorf("signatures %v, want %d", got, want)
		}
	}
	signatures(2)
	r.kill9(t)
	r.start(t)
	r.restarted()
	signatures(2)
	r.advance(t, 2*time.Hour)
	signatures(1)
	r.api.call(t, http.StatusUnprocessableEntity, http.MethodPost, n.path("/endpoints/", ep.ID, ":rotate-secret"), fields{"overlap": "a day"})
}

// The CloudEvents handshake over the wire: nothing but the question reaches a receiver before it has consented; the granted
// rate holds.
func TestHandshake(t *testing.T) {
	t.Parallel()
	s := newServer(t, serveOptions{manual: true, args: []string{"--profiles", "own"}})
	own := filepath.Join(s.dir, "own")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	shown := runCLI(t, s.dir, "", nil, "profiles", "show", "cloudevents")
	asking := strings.Replace(shown.out, "name: cloudevents", "name: asking\nhandshake: {origin: events.provider.example, rate: 60}", 1)
	if err := os.WriteFile(filepath.Join(own, "asking.yaml"), []byte(asking), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	r := &rig{rcv: newReceiver(t), server: s}
	n := s.tenant(t, "acc", "asking")
	k := r.rcv.sink("asked", always(405))
	var ep endpoint
	s.api.post(t, http.StatusCreated, n.path("/endpoints"), fields{"url": k.url}, &ep)
	equal(t, "status of a new endpoint", ep.Status, "disabled")
	r.settle(t)
	question := k.exactly(t, 1)[0]
	equal(t, "question", row(question.method, question.header.Get("webhook-request-origin"), question.header.Get("webhook-request-rate"), len(question.body)),
		"OPTIONS events.provider.example 60 0")
	n.publish(t, event{typ: "example.created", data: `{"id":"1"}`})
	r.settle(t)
	k.exactly(t, 1)
	equal(t, "after a no", n.getEndpoint(t, ep.ID).DisabledReason, "handshake_refused")

	k.answers(func(req request) answer {
		return answer{status: 200, header: map[string]string{"WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": "30"}}
	})
	s.api.post(t, http.StatusOK, n.path("/endpoints/", ep.ID, ":enable"), nil, nil)
	r.settle(t)
	k.exactly(t, 2)
	equal(t, "after a yes", n.getEndpoint(t, ep.ID).Status, "enabled")
	for range 3 {
		n.publish(t, event{typ: "example.created", data: `{"id":"2"}`})
	}
	r.settle(t)
	equal(t, "content-type", k.exactly(t, 3)[2].header.Get("content-type"), "application/cloudevents+json; charset=utf-8")
	r.advance(t, 1900*time.Millisecond)
	k.exactly(t, 3)
	r.advance(t, 2*time.Second)
	k.exactly(t, 4)
}
