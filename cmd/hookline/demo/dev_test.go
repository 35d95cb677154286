package demo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test: HOOKLINE_BIN, or built here.
func binary(t *testing.T) string {
	if bin := os.Getenv("HOOKLINE_BIN"); bin != "" {
		return bin
	}
	bin := filepath.Join(t.TempDir(), "hookline")
	cmd := exec.Command("go", "build", "-o", bin, "github.com/hookline/hookline/cmd/hookline")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

func freeAddress(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// patience bounds what a test waits for on a busy machine.
const patience = 30 * time.Second

// `hookline dev`, as a stranger runs it: attempts of both providers are told, nothing is refused by a receiver that
// checks by the provider's document, Ctrl-C drains, and it goes on at the next start.
func TestDevDelivers(t *testing.T) {
	bin, dir := binary(t), t.TempDir()
	for start := range 2 {
		cmd := exec.Command(bin, "dev", "--listen", freeAddress(t), "--rate", "50")
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		var osir, dnsimple int
		var told strings.Builder
		for lines := bufio.NewScanner(out); lines.Scan(); {
			line := lines.Text()
			told.WriteString(line + "\n")
			if strings.Contains(line, "refuses") || strings.Contains(line, "tls_") {
				t.Errorf("start %d: %s", start, line)
			}
			if !strings.Contains(line, "acknowledged") {
				continue
			}
			if osir+dnsimple == 0 {
				t.Logf("start %d: first delivery after %v", start, time.Since(began)) // <= 2 s on an idle machine
			}
			if strings.Contains(line, "demo-harbor") || strings.Contains(line, "demo-kestrel") {
				osir++
			} else {
				dnsimple++
			}
			if osir >= 20 && dnsimple >= 20 {
				cmd.Process.Signal(syscall.SIGINT)
				osir = -1 << 30 // once: a second signal would not drain
			}
		}
		err = cmd.Wait()
		kill.Stop()
		if err != nil || osir > 0 {
			t.Fatalf("start %d: %v after %d and %d deliveries\n%s%s", start, err, osir, dnsimple, &told, &said)
		}
	}
}

// P19 with envelopes of our own, in forms that a re-encoding would change.
func TestDevRealOwnEnvelopes(t *testing.T) {
	dir, samples := t.TempDir(), t.TempDir()
	c, err := loadCatalogue("dnsimple")
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.events {
		d := newDrawing(uint64(i))
		body := fmt.Appendf(nil, `{"data": %s,  "name": %q, "actor": %s, "account": {"display": "Caf\u00e9 \/ 1", "id": 3030, "identifier": "é"}, "api_version": "v2", "request_identifier": %q}`,
			d.render(c.events[i].data), c.events[i].eventType, d.render(c.actor), d.uuid())
		if i%2 == 0 {
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, body, " ", "\t"); err != nil {
				t.Fatal(err)
			}
			body = append(pretty.Bytes(), '\n')
		}
		if err := os.WriteFile(filepath.Join(samples, fmt.Sprintf("%02d.json", i)), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(binary(t), "dev", "--listen", freeAddress(t), "--real", samples)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	out, err := cmd.CombinedOutput()
	want := fmt.Sprintf("%d of %[1]d real payloads arrived byte for byte", len(c.events))
	if err != nil || !strings.Contains(string(out), want) {
		t.Fatalf("%v\n%s", err, out)
	}
}
