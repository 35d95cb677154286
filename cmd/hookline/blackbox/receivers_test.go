package blackbox

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// judgedRequest is a request that a receiver got, for a library that receivers use to judge.
type judgedRequest struct {
	By        string            `json:"by"`
	Secret    string            `json:"secret"`
	PublicKey string            `json:"public_key"`
	Headers   map[string]string `json:"headers"`
	Body      string            `json:"body"`
	good      bool              // what the judge must say
	what      string
}

// judgedTwins makes what a judge must accept, and twins that it must refuse: another body, another secret.
func judgedTwins(by, secret, public string, r request) []judgedRequest {
	headers := map[string]string{}
	for name := range r.header {
		headers[strings.ToLower(name)] = r.header.Get(name)
	}
	good := judgedRequest{By: by, Secret: secret, PublicKey: public, Headers: headers, Body: string(r.body), good: true, what: headers["x-case"]}
	all := []judgedRequest{good}
	if secret == "" {
		return all
	}
	tampered := good
	tampered.Body, tampered.good, tampered.what = strings.Replace(good.Body, "{", "{ ", 1), false, "another body"
	all = append(all, tampered)
	if public == "" {
		other := good
		other.Secret, other.good, other.what = "whsec_bm90IHRoaXMgb25lLCBhbm90aGVyIG9uZQ==", false, "another secret"
		all = append(all, other)
	}
	return all
}

// verdicts lets a judge's process say what it thinks of each.
func verdicts(t *testing.T, judge *exec.Cmd, items []judgedRequest) {
	t.Helper()
	in, err := json.Marshal(items)
	if err != nil {
		t.Fatal(err)
	}
	judge.Stdin = strings.NewReader(string(in))
	lines := strings.Split(judged(t, judge), "\n")
	if len(lines) != len(items) {
		t.Fatalf("%d verdicts on %d requests: %s", len(lines), len(items), lines)
	}
	for i, item := range items {
		if ok := lines[i] == item.By+" ok"; ok != item.good {
			t.Errorf("%s: want it accepted: %v (%s)\n%s\n%v", lines[i], item.good, item.what, item.Body, item.Headers)
		}
	}
}

// side is a profile of the provider's own that signs in four ways at once, one under svix's header names.
const side = `signature:
  - {scheme: hmac, header: x-osir-signature}
  - {scheme: hmac, header: x-hub-signature-256, prefix: "sha256="}
  - {scheme: standard_webhooks}
  - {scheme: standard_webhooks, header_prefix: svix-}
`

// What the product sends is verified by code of others: the rule of OSIR's document in Node's crypto, Octokit and
// go-github (P2), the Standard Webhooks libraries for Go and Node, Svix, Stripe, the CloudEvents SDKs, and DNSimple's
// ParseEvent (P19): every type of every catalogue, and both secrets during an overlap. Each judge refuses a tampered twin.
func TestForeignReceivers(t *testing.T) {
	t.Parallel()
	node := nodeJS(t)
	s := newServer(t, serveOptions{manual: true, args: []string{"--profiles", "own"}})
	own := filepath.Join(s.dir, "own")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, signature := range map[string]string{"side": side, "asymmetric": "signature: {scheme: standard_webhooks, version: v1a}\n"} {
		if r := runCLI(t, own, "", nil, "profiles", "init", name); r.code != 0 {
			t.Fatal(r.text())
		}
		file := filepath.Join(own, name+".yaml")
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(content), "signature:\n  - scheme: standard_webhooks\n", signature, 1)
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.start(t)
	r := &rig{rcv: newReceiver(t), server: s}
	var inNode, inGo []judgedRequest
	for _, c := range []struct {
		profile, node, golang string
		overlaps              bool
	}{
		{"osir", "osir octokitOSIR", "go-github-osir", false},
		{"github", "octokit", "go-github", false},
		{"standard", "standardwebhooks svix", "standardwebhooks-go", true},
		{"stripe", "stripe", "", true},
		{"cloudevents", "cloudevents standardwebhooks", "cloudevents-go standardwebhooks-go", true},
		{"dnsimple", "", "dnsimple-go", false},
		{"side", "osir standardwebhooks svix", "standardwebhooks-go go-github-osir", true},
		{"asymmetric", "v1a", "", true},
	} {
		n := s.tenant(t, map[bool]string{true: "4040", false: c.profile}[c.profile == "dnsimple"], c.profile)
		k := r.rcv.sink(c.profile, always(200))
		ep := n.endpoint(t, k, nil)
		type key struct {
			Secret string
			Public *string `json:"public_key"`
		}
		var secrets []key
		remember := func() {
			t.Helper()
			var got key
			s.api.get(t, n.path("/endpoints/", ep.ID, "/secret"), &got)
			secrets = append(secrets, got)
		}
		remember()
		judge := func(req request, secret key) {
			public := ""
			if secret.Public != nil {
				public = *secret.Public
			}
			add := func(list *[]judgedRequest, by string) {
				signs := !strings.HasPrefix(by, "dnsimple") && !strings.HasPrefix(by, "cloudevents")
				given := secret.Secret
				if !signs {
					given = ""
				}
				*list = append(*list, judgedTwins(by, given, public, req)...)
			}
			for _, by := range strings.Fields(c.node) {
				add(&inNode, by)
			}
			for _, by := range strings.Fields(c.golang) {
				add(&inGo, by)
			}
		}
		var shown struct {
			Types []struct {
				Name    string
				Example json.RawMessage
			} `json:"event_types"`
		}
		s.api.get(t, "/v1/profiles/"+c.profile, &shown)
		for _, e := range shown.Types {
			n.publish(t, event{typ: e.Name, data: string(e.Example)})
		}
		r.settle(t)
		for _, req := range k.exactly(t, len(shown.Types)) {
			judge(req, secrets[0])
		}
		s.api.call(t, http.StatusOK, http.MethodPost, n.path("/endpoints/", ep.ID, ":rotate-secret"), fields{})
		remember()
		n.publish(t, event{typ: shown.Types[0].Name, data: string(shown.Types[0].Example)})
		r.settle(t)
		last := k.exactly(t, len(shown.Types)+1)[len(shown.Types)]
		judge(last, secrets[1])
		if c.overlaps && c.profile != "side" { // the receiver that has the old secret still
			judge(last, secrets[0])
		}
	}
	verdicts(t, receiversGo(t), inGo)
	verdicts(t, receiversNode(t, node), inNode)
	if want := 100; len(inGo) < want || len(inNode) < want/2 {
		t.Errorf("only %d and %d requests were judged", len(inGo), len(inNode))
	}
}

// receiversGo runs the Go judges: a module of its own below testdata, so that ours depends on no receiver's library.
func receiversGo(t *testing.T) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "go", "run", ".")
	cmd.Dir = filepath.FromSlash("testdata/receivers")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	return cmd
}

// receiversNode runs the Node judges, installed by their lock file into a directory of the test's own.
func receiversNode(t *testing.T, node string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.FromSlash("testdata/receivers-npm"))); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
	install.Dir = dir
	judged(t, install)
	cmd := exec.CommandContext(t.Context(), node, "judge.mjs")
	cmd.Dir = dir
	return cmd
}
