package demo

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookline/hookline/cmd/hookline/demo/authority"
)

// The vector of O-11.
const (
	vectorSecret    = "whsec_test_secret"
	vectorBody      = `{"id":"evt_1234567890","type":"domain.registered","created":1640000000,"data":{"domain":"example.com","registrant":"user@email.com","expiration":"2025-01-01"}}`
	vectorSignature = "c9cb0e50f8087a3e628449816a6e5e5c88a46826f565408f90f56b01c82bbbc2"
)

func TestOSIRReceiverFollowsTheDocument(t *testing.T) {
	sign := func(body string) string {
		mac := hmac.New(sha256.New, []byte(vectorSecret))
		io.WriteString(mac, body)
		return hex.EncodeToString(mac.Sum(nil))
	}
	extra := strings.Replace(vectorBody, `{`, `{"more":1,`, 1)
	for name, tc := range map[string]struct {
		body string
		sigs []string
		want string // "" = accepted
	}{
		"the vector (P2)":    {vectorBody, []string{vectorSignature}, ""},
		"upper case (O-9)":   {vectorBody, []string{strings.ToUpper(vectorSignature)}, "does not fit"},
		"prefixed (O-9)":     {vectorBody, []string{"sha256=" + vectorSignature}, "does not fit"},
		"cut":                {vectorBody, []string{vectorSignature[:60]}, "does not fit"},
		"none":               {vectorBody, nil, "does not fit"},
		"two values":         {vectorBody, []string{vectorSignature, vectorSignature}, "does not fit"},
		"another body":       {vectorBody + " ", []string{vectorSignature}, "does not fit"},
		"another field, O-6": {extra, []string{sign(extra)}, "unknown field"},
		"no JSON":            {"x", []string{sign("x")}, "body"},
		"no data":            {`{"id":"evt_1","type":"a.b","created":1}`, []string{sign(`{"id":"evt_1","type":"a.b","created":1}`)}, "missing"},
	} {
		err := checkOSIR(http.Header{"X-Osir-Signature": tc.sigs}, []byte(tc.body), vectorSecret)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

const envelopeBody = `{"name":"zone.create","api_version":"v2","request_identifier":"0b9e5d3a-6f7c-4c0e-9d2f-1a2b3c4d5e6f","data":{"zone":{"id":1}},` +
	`"account":{"id":1010,"identifier":"acorn","display":"Acorn"},"actor":{"id":"system","entity":"system","pretty":""}}`

func TestDNSimpleReceiverParsesTheEnvelope(t *testing.T) {
	change := func(old, new string) string { return strings.Replace(envelopeBody, old, new, 1) }
	for name, tc := range map[string]struct{ body, want string }{
		"as documented (D-3)":   {envelopeBody, ""},
		"a seventh field":       {change(`{"name"`, `{"x":1,"name"`), "unknown field"},
		"api_version v1 (D-4)":  {change(`"v2"`, `"v1"`), "want a name and v2"},
		"no UUID (D-6)":         {change("0b9e5d3a", "zb9e5d3a"), "want a UUID"},
		"account id text (D-8)": {change("1010", `"1010"`), "body"},
		"actor id number (D-8)": {change(`"id":"system"`, `"id":7`), "body"},
		"no account":            {change(`{"id":1010,"identifier":"acorn","display":"Acorn"}`, "null"), "missing"},
		"data no object (D-7)":  {change(`{"zone":{"id":1}}`, `[]`), "missing"},
		"two values":            {envelopeBody + "{}", "more than one"},
	} {
		err := checkDNSimple(http.Header{}, []byte(tc.body))
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	if err := checkDNSimple(http.Header{"X-Osir-Signature": {"x"}}, []byte(envelopeBody)); err == nil {
		t.Error("a signature header is accepted (D-15)")
	}
}

func TestFateIsAFunctionOfItsArguments(t *testing.T) {
	temper := temper{fail: 100, slow: 50, hangUp: 50}
	count := map[fate]int{}
	for n := range uint64(20_000) {
		f, wait := fateOf(7, "a/b", n, temper)
		g, again := fateOf(7, "a/b", n, temper)
		if f != g || wait != again || (wait > 0) != (f == slow) || wait > 2e9 {
			t.Fatalf("request %d: %v %v, then %v %v", n, f, wait, g, again)
		}
		count[f]++
	}
	for f, want := range map[fate]int{failing: 2000, slow: 1000, hangingUp: 1000, fine: 16_000} {
		if got := count[f]; got < want*85/100 || got > want*115/100 {
			t.Errorf("fate %d: %d of 20 000, want about %d", f, got, want)
		}
	}
	for _, c := range customers() {
		for _, h := range c.hooks {
			if sum := h.temper.fail + h.temper.hangUp; sum > 150 { // D-13: 15 in a row stay out of reach
				t.Errorf("%s/%s fails %d of 1 000 requests", c.tenant, h.name, sum)
			}
		}
	}
}

// One customer whose hooks always meet the same fate.
func oneCustomer(t *testing.T) (*receiver, *http.Client) {
	ca, err := authority.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &customer{tenant: "t", profile: "osir", hooks: []hook{
		{name: "good"}, {name: "bad", temper: temper{fail: 1000}}, {name: "rude", temper: temper{hangUp: 1000}},
	}}
	r := &receiver{secrets: map[string]string{"good": vectorSecret}, refused: func(string, error) {}}
	if _, err := startReceiver(ca, c, 0, r); err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
	return r, &http.Client{Transport: tr}
}

func TestReceiverAnswersByItsTemper(t *testing.T) {
	r, c := oneCustomer(t)
	post := func(path, sig string) int {
		req, err := http.NewRequest("POST", r.base+path, bytes.NewReader([]byte(vectorBody)))
		if err != nil {
			t.Fatal(err)
		}
		req.GetBody = nil
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Osir-Signature", sig)
		resp, err := c.Do(req)
		if err != nil {
			return 0
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	for _, tc := range []struct {
		path, sig string
		want      int
	}{{"/good", vectorSignature, 200}, {"/good", "x", 401}, {"/bad", vectorSignature, 500}, {"/rude", vectorSignature, 0}, {"/none", vectorSignature, 404}} {
		if got := post(tc.path, tc.sig); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.path, got, tc.want)
		}
	}
	d := &Demo{receivers: []*receiver{r}}
	if got, want := d.Counts(), (Counts{Requests: 5, Accepted: 1, Refused: 1, OnPurpose: 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestRestartKeepsPortsSecretsAndTrust(t *testing.T) {
	dir := t.TempDir()
	pem, err := CA(dir)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(pem)
	if err != nil {
		t.Fatal(err)
	}
	look := func() (urls []string, secrets map[string]string) {
		d, err := Open(Options{Dir: dir, Out: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for _, r := range d.receivers {
			urls = append(urls, r.base)
		}
		return urls, d.kept.Secrets
	}
	urls, secrets := look()
	again, same := look()
	if strings.Join(urls, " ") != strings.Join(again, " ") {
		t.Errorf("receivers at %v, then at %v", urls, again)
	}
	for key, s := range secrets {
		if same[key] != s || !strings.HasPrefix(s, "whsec_") {
			t.Errorf("%s: secret %q, then %q", key, s, same[key])
		}
	}
	if after, _ := os.ReadFile(pem); !bytes.Equal(before, after) {
		t.Error("the authority changed: a server that trusts the old one refuses the receivers")
	}
	if st, err := os.Stat(filepath.Join(dir, keptFile)); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, want mode 0600: it holds secrets", keptFile, err)
	}
	// A port that somebody else has taken meanwhile is given up.
	if ln, err := net.Listen("tcp", strings.TrimPrefix(urls[0], "https://")); err == nil { // else: somebody has, as wanted
		defer ln.Close()
	}
	if moved, _ := look(); moved[0] == urls[0] || moved[1] != urls[1] {
		t.Errorf("receivers at %v with the first port taken, before at %v", moved, urls)
	}
}

func TestDamagedKeptFileSaysTheFix(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, keptFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir, Out: io.Discard}); err == nil || !strings.Contains(err.Error(), "delete it") {
		t.Fatalf("%v", err)
	}
}
