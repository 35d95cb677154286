package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/engine"
)

// A customer notes a checkpoint; later an attempt is proved to it, without log or server. Nothing of the proof may be
// changed, another key's signature is none, and a restart changes neither key nor proof.
func TestProofOfAnAttempt(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	args := []string{"--allow-cidr", "127.0.0.0/8", "--allow-http", "--clock", "manual"}
	s := startServe(t, data, args...)
	ok := func(stdin string, args ...string) string {
		t.Helper()
		got := cli(t, stdin, s.env(), args...)
		if got.code != 0 {
			t.Fatalf("hookline %v: exit %d: %s", args, got.code, got.err)
		}
		return got.out
	}
	ok("", "tenants", "create", "--id", "acme", "--profile", "standard", "--name", "Acme")
	ok("", "endpoints", "create", "acme", "--url", receiver.URL)
	for range 5 {
		ok(`{"n":1}`, "publish", "acme", "a.b", "-d", "-")
	}
	req, _ := http.NewRequest("POST", s.url+"/v1/dev/clock:advance", strings.NewReader(`{"by":"1s"}`))
	req.Header.Set("Authorization", "Bearer "+s.key)
	client := http.Client{Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(err, resp)
	}
	resp.Body.Close()
	client.CloseIdleConnections()
	var list struct {
		Data []struct{ ID string }
	}
	read := func(text string, into any) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	read(ok("", "attempts", "list", "acme", "-o", "json"), &list)
	if len(list.Data) != 5 {
		t.Fatalf("%d attempts", len(list.Data))
	}
	var noted engine.SignedCheckpoint
	read(ok("", "log", "checkpoint", "-o", "json"), &noted)
	s.stop()
	s = startServe(t, data, args...) // further batches
	ok(`{"n":2}`, "publish", "acme", "a.b", "-d", "-")
	key := base64.StdEncoding.EncodeToString(noted.PublicKey)
	file := filepath.Join(dir, "proof.json")
	for i, a := range list.Data {
		more := []string{"attempts", "prove", "acme", a.ID, "-o", "json"}
		if i%2 == 0 {
			more = append(more, "--to", jsonNumber(noted.Seq))
		}
		text := ok("", more...)
		var p engine.RecordProof
		read(text, &p)
		if i%2 == 0 && (p.Checkpoint.Seq != noted.Seq || p.Checkpoint.Chain != noted.Chain) {
			t.Errorf("proved to seq %d, chain %s, noted was seq %d, chain %s", p.Checkpoint.Seq, p.Checkpoint.Chain, noted.Seq, noted.Chain)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := ok("", "log", "check-proof", file, "--public-key", key); !strings.Contains(out, "attempt.finished of tenant acme") {
			t.Errorf("check-proof says %s", out)
		}
	}
	if got := cli(t, "", s.env(), "attempts", "prove", "acme", list.Data[0].ID, "--to", "1"); got.code != 1 || !strings.Contains(got.err, "no checkpoint") {
		t.Errorf("to a seq before it: exit %d, %s", got.code, got.err)
	}
	text, _ := os.ReadFile(file)
	var p engine.RecordProof
	read(string(text), &p)
	p.Record.Data, p.Record.Name = "what it was not", "tenant.erased"
	lie, _ := json.Marshal(p)
	if err := os.WriteFile(file, lie, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := ok("", "log", "check-proof", file, "--public-key", key); strings.Contains(out, "was not") || !strings.Contains(out, "attempt.finished") {
		t.Errorf("what is not proved is shown: %s", out)
	}
	for name, change := range map[string]func(){
		"facts":      func() { p.Record.Facts[3] ^= 1 },
		"time":       func() { p.Record.TimeMS++ },
		"seq":        func() { p.Record.Seq++ },
		"chain":      func() { p.Checkpoint.Chain = strings.Repeat("0a", 32) },
		"checkpoint": func() { p.Checkpoint.TimeMS++ },
		"signature":  func() { p.Checkpoint.Signature[7] ^= 1 },
	} {
		p = engine.RecordProof{}
		read(string(text), &p)
		change()
		changed, _ := json.Marshal(p)
		if err := os.WriteFile(file, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := cli(t, "", nil, "log", "check-proof", file, "--public-key", key); got.code != 1 || !strings.Contains(got.err, "does not hold") {
			t.Errorf("%s changed: exit %d, %s", name, got.code, got.err)
		}
	}
}

func jsonNumber(n uint64) string {
	b, _ := json.Marshal(n)
	return string(b)
}
