package blackbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Both seed providers from zero, as the README tells it: serve, tenant, address, event, and it arrives in the provider's
// own form.
func TestReadmeBothProviders(t *testing.T) {
	t.Parallel()
	needs(t, "curl", "curl")
	blocks := readmeBlocks(t, "Use it for my provider")
	s := newServer(t, serveOptions{keyless: true})
	s.data, s.addr = filepath.Join(s.dir, "data", "mine"), freeAddress(t)
	args := strings.Fields(strings.ReplaceAll(strings.TrimPrefix(blocks[0], "bin/hookline "), "127.0.0.1:8080", s.addr))
	s.run(t, append(args, "--allow-cidr", "127.0.0.0/8", "--trust-ca", caFile(t, s.dir)), bareEnv())
	if err := s.awaitReady(late); err != nil {
		t.Fatal(err, s.logTail())
	}
	if _, err := os.Stat(filepath.Join(s.data, "admin.key")); err != nil {
		t.Fatal(err)
	}
	rcv := newReceiver(t)
	osir, dnsimple := rcv.sink("osir", always(200)), rcv.sink("dnsimple", always(200))
	steps := blocks[1] + blocks[2]
	for _, say := range []string{`"profile":"osir"`, `"profile":"dnsimple"`, "/v2/1010/webhooks"} {
		if !strings.Contains(steps, say) {
			t.Fatalf("the README does not say %s:\n%s", say, steps)
		}
	}
	steps = strings.NewReplacer("127.0.0.1:8080", s.addr, "https://customer.example/hooks", osir.url,
		"https://customer.example/dnsimple", dnsimple.url, "curl -s ", "curl -sS --fail-with-body ").Replace(steps)
	readmeShell(t, s.dir, steps)
	if got := osir.await(t, 1, soon)[0]; !strings.Contains(string(got.body), `"type":"domain.registered"`) || got.header.Get("X-Osir-Signature") == "" {
		t.Errorf("OSIR received %s", got.body)
	}
	if got := dnsimple.await(t, 1, soon)[0]; !strings.Contains(string(got.body), `"name":"zone.create"`) || !strings.Contains(string(got.body), `"account":{"id":1010`) {
		t.Errorf("DNSimple received %s", got.body)
	}
}
