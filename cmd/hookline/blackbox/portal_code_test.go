package blackbox

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The receivers that the portal shows take what this server signs and refuse what was changed on the way, for every kind
// of signature: as they stand on the page, by the languages themselves. Node, Python and Go are always asked; PHP, Ruby and
// Java where they are.
func TestPortalReceiverCode(t *testing.T) {
	r := realRig(t)
	b := newBrowser(t)
	needs(t, "nodejs python3", "node", "python3")
	for _, profile := range []string{"osir", "github", "stripe", "standard"} {
		n := r.tenant(t, profile, profile)
		k := r.rcv.sink(profile, always(200))
		e := n.endpoint(t, k, nil)
		b.portal(r.server, profile)
		b.sees(k.path)
		for _, lang := range languages(t) {
			eval[bool](b, `(location.hash = "#/endpoints/`+e.ID+`/code?lang=`+lang.name+`", true)`)
			b.sees("A whole receiver", lang.file)
			code := eval[string](b, `document.querySelector("pre.snippet").textContent`)
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, lang.file), []byte(code), 0o600); err != nil {
				t.Fatal(err)
			}
			n.test(t, e.ID, map[string]string{"osir": "domain.renewed", "github": "push", "stripe": "customer.created", "standard": "example.created"}[profile])
			got := k.requests()
			takes(t, lang, profile+" in "+lang.name, dir, n.secret(t, e.ID), got[len(got)-1])
		}
	}
}

// language runs a receiver of its; PORT is set in the environment.
type language struct {
	name, file string
	run        func(dir, port string) *exec.Cmd
}

func languages(t *testing.T) []language {
	all := []language{
		{"node", "receiver.mjs", func(string, string) *exec.Cmd { return exec.Command("node", "receiver.mjs") }},
		{"python", "receiver.py", func(string, string) *exec.Cmd { return exec.Command("python3", "-u", "receiver.py") }},
		{"go", "main.go", func(dir, _ string) *exec.Cmd {
			build := exec.Command("go", "build", "-o", "receiver", "main.go")
			build.Dir = dir
			judged(t, build)
			return exec.Command("./receiver")
		}},
	}
	for command, l := range map[string]language{
		"php":    {"php", "receiver.php", func(_, port string) *exec.Cmd { return exec.Command("php", "-S", "127.0.0.1:"+port, "receiver.php") }},
		"rackup": {"ruby", "config.ru", func(_, port string) *exec.Cmd { return exec.Command("rackup", "--host", "127.0.0.1", "--port", port) }},
		"javac":  {"java", "Receiver.java", func(string, string) *exec.Cmd { return exec.Command("java", "Receiver.java") }},
	} {
		if _, err := exec.LookPath(command); err == nil {
			all = append(all, l)
		}
	}
	return all
}

// takes runs a receiver and demands 200 for the request as it came, 400 for one that differs in a byte, or says nothing.
func takes(t *testing.T, lang language, what, dir, secret string, req request) {
	t.Helper()
	addr := freeAddress(t)
	_, port, _ := net.SplitHostPort(addr)
	var out bytes.Buffer
	cmd := lang.run(dir, port)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	cmd.Env = append(bareEnv(), "PORT="+port, "WEBHOOK_SECRET="+secret)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: soon}
	post := func(body string, header http.Header) (int, error) {
		r, err := http.NewRequest("POST", "http://127.0.0.1:"+port+"/", strings.NewReader(body))
		if err != nil {
			return 0, err
		}
		r.Header = header
		resp, err := client.Do(r)
		if err != nil {
			return 0, err
		}
		return resp.StatusCode, resp.Body.Close()
	}
	body := string(req.body)
	poll(t, late, func() string {
		if status, err := post(body, req.header.Clone()); err != nil || status != 200 {
			return fmt.Sprintf("%s: the request as it came: %d %v, want 200", what, status, err)
		}
		return ""
	})
	for name, bad := range map[string]func() (int, error){
		"another body": func() (int, error) { return post(strings.Replace(body, "{", "{ ", 1), req.header.Clone()) },
		"no signature": func() (int, error) { return post(body, http.Header{}) },
		"an odd signature": func() (int, error) {
			h := req.header.Clone()
			for name := range h {
				if strings.Contains(strings.ToLower(name), "signature") {
					h.Set(name, "t=x,v1=é,v1")
				}
			}
			return post(body, h)
		},
	} {
		if status, err := bad(); err != nil || status != 400 {
			t.Errorf("%s, %s: %d %v, want 400", what, name, status, err)
		}
	}
	_ = cmd.Process.Kill()
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(soon):
		t.Errorf("%s did not end", what)
	}
	if strings.Contains(out.String(), "Traceback") || strings.Contains(out.String(), "at Object.") || strings.Contains(out.String(), "panic") {
		t.Errorf("%s threw:\n%s", what, out.String())
	}
}
