package blackbox

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// foreign runs DNSimple's own Go module as a judge and returns what it prints. It is a module of its own below testdata, so
// that ours never depends on a provider's client; the go command fetches it once, checked by its go.sum, and keeps what it
// built.
func foreign(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"run", "."}, args...)...)
	cmd.Dir = filepath.FromSlash("testdata/dnsimple")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	return judged(t, cmd)
}

// judged runs a judge and returns what it prints.
func judged(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, out, said.String())
	}
	return strings.TrimSpace(string(out))
}

// P20: DNSimple's own Go client works against the /v2 face unchanged, here with a key of one account, as its users have.
func TestP20GoClient(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	r.tenant(t, "3030", "dnsimple")
	key, _ := r.issue(t, fields{"name": "account token", "scope": "tenant", "tenant": "3030"})
	sameLines(t, foreign(t, "walk", r.api.base, key.Key, "3030"), `
create: 201 1 https://hooks.example.com/1
create: 201 2 https://hooks.example.com/2
create: 201 3 https://hooks.example.com/3
list: 200 1 2 3
list desc: 200 3 2 1
list page: 200 3 page 2 of 2, 2 of 3
get: 200 2 https://hooks.example.com/2
get unknown: 404 Webhook `+"`99`"+` not found
unknown account: 404 Account `+"`nobody`"+` not found
bad token: 401 Authentication failed
bad sort: 400 Validation failed sort
http url: 400 Validation failed url
no url: 400 Validation failed url
copy: 4 https://hooks.example.com/2
delete: 204
delete again: 404 Webhook `+"`2`"+` not found
whoami: 200 true 3030 owner@example.com
list: 200 1 3 4`)
}

// P20, "DNSimple's own clients must work against it unchanged": the one for Node. It speaks TLS only, so it comes through a
// proxy, as it would to a server in production.
func TestP20NodeClient(t *testing.T) {
	t.Parallel()
	node := nodeJS(t)
	s := startServer(t, serveOptions{manual: true})
	s.tenant(t, "3131", "dnsimple")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.FromSlash("testdata/dnsimple-npm"))); err != nil {
		t.Fatal(err)
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
	install.Dir = dir
	judged(t, install)
	walk := exec.Command(node, "walk.mjs", tlsFront(t, s.api.base), s.key, "3131")
	walk.Dir = dir
	walk.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+caFile(t, dir))
	sameLines(t, judged(t, walk), `
create: 1 https://hooks.example.com/1
create: 2 https://hooks.example.com/2
create: 3 https://hooks.example.com/3
list: 1 2 3
list desc: 3 2 1
list page: 3 page 2 of 2, 2 of 3
get: 2 https://hooks.example.com/2 null
get unknown: NotFoundError 404 Webhook `+"`99`"+` not found
unknown account: NotFoundError 404 Account `+"`nobody`"+` not found
bad token: AuthenticationError 401 Authentication failed
bad sort: ClientError 400 Validation failed sort
http url: ClientError 400 Validation failed url
no url: ClientError 400 Validation failed url
delete again: NotFoundError 404 Webhook `+"`2`"+` not found
list: 1 3
whoami: null null`)
}

// sameLines compares what a judge printed, line by line.
func sameLines(t testing.TB, got, want string) {
	t.Helper()
	a, b := strings.Split(strings.TrimSpace(got), "\n"), strings.Split(strings.TrimSpace(want), "\n")
	for i := range max(len(a), len(b)) {
		var said, wanted string
		if i < len(a) {
			said = strings.TrimSpace(a[i])
		}
		if i < len(b) {
			wanted = b[i]
		}
		if said != wanted {
			t.Errorf("line %d: got %q, want %q", i+1, said, wanted)
		}
	}
}

// nodeJS is the path of Node, installed from the distribution where that may be done.
func nodeJS(t testing.TB) string {
	t.Helper()
	needs(t, "nodejs npm", "node", "npm")
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// tlsFront is a TLS proxy before a server, with a certificate of the trusted authority.
func tlsFront(t testing.TB, base string) string {
	t.Helper()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := trusted()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	front := &http.Server{
		Handler: &httputil.ReverseProxy{
			Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
			Transport: transport,
		},
		ErrorLog:  log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{ca.leaf(t, "127.0.0.1")}, NextProtos: []string{"http/1.1"}},
	}
	ended := make(chan struct{})
	go func() { _ = front.ServeTLS(l, "", ""); close(ended) }()
	t.Cleanup(func() {
		_ = front.Close()
		transport.CloseIdleConnections()
		<-ended
	})
	return "https://" + l.Addr().String()
}
