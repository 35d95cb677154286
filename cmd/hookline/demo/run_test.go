package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hookline/hookline/cmd/hookline/demo/authority"
)

// pretended is the API as far as the demo calls it. It delivers payloads to the newest endpoint at once, after mangle.
type pretended struct {
	t      *testing.T
	http   *http.Client
	mangle func([]byte) []byte

	mu        sync.Mutex
	tenants   map[string]int // times created
	endpoints map[string][]*pretendedEndpoint
	down      int             // answers 503 to so many publishes
	keys      map[string]bool // idempotency keys accepted
	repeats   int
	types     map[string]int
	published func(n int) // called with the number of events so far
}

type pretendedEndpoint struct {
	ID          string   `json:"id"`
	URL         string   `json:"url"`
	Description string   `json:"description"`
	Status      string   `json:"status"`
	Secret      string   `json:"secret"`
	EventTypes  []string `json:"event_types"`
	Filter      string   `json:"filter"`
}

func pretend(t *testing.T) (*pretended, string) {
	p := &pretended{t: t, tenants: map[string]int{}, endpoints: map[string][]*pretendedEndpoint{}, keys: map[string]bool{}, types: map[string]int{},
		mangle: func(b []byte) []byte { return b }, published: func(int) {}}
	m := http.NewServeMux()
	m.HandleFunc("POST /v1/tenants", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ ID string }
		json.NewDecoder(r.Body).Decode(&in)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.tenants[in.ID]++; p.tenants[in.ID] > 1 {
			w.WriteHeader(http.StatusConflict)
		}
	})
	m.HandleFunc("/v1/tenants/{tenant}/endpoints", p.endpointsOf)
	m.HandleFunc("/v1/tenants/{tenant}/endpoints/{endpoint}", p.endpoint)
	m.HandleFunc("GET /v1/tenants/{tenant}/endpoints/{endpoint}/secret", p.endpoint)
	m.HandleFunc("POST /v1/tenants/{tenant}/events", p.publish)
	m.HandleFunc("POST /v1/tenants/{tenant}/events:batch", p.publish)
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	return p, s.URL
}

func (p *pretended) endpointsOf(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	tenant := r.PathValue("tenant")
	if r.Method == http.MethodPost {
		e := &pretendedEndpoint{ID: fmt.Sprintf("ep_%d", len(p.endpoints[tenant])), Status: "enabled"}
		json.NewDecoder(r.Body).Decode(e)
		p.endpoints[tenant] = append(p.endpoints[tenant], e)
		json.NewEncoder(w).Encode(e)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"data": p.endpoints[tenant]})
}

func (p *pretended) endpoint(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, _, _ := strings.Cut(r.PathValue("endpoint"), ":")
	for _, e := range p.endpoints[r.PathValue("tenant")] {
		if e.ID == id {
			if r.Method == http.MethodPatch {
				json.NewDecoder(r.Body).Decode(e)
			}
			json.NewEncoder(w).Encode(e)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}

func (p *pretended) publish(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down > 0 {
		p.down--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	type one struct {
		Type           string          `json:"type"`
		Payload        json.RawMessage `json:"payload"`
		IdempotencyKey string          `json:"idempotency_key"`
	}
	var in struct {
		one
		Events []one `json:"events"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		p.t.Errorf("publish: %v", err)
	}
	if in.Events == nil {
		in.Events = []one{in.one}
	}
	for _, e := range in.Events {
		if p.keys[e.IdempotencyKey] || e.IdempotencyKey == "" {
			p.repeats++
		}
		p.keys[e.IdempotencyKey] = true
		p.types[e.Type]++
		p.published(len(p.keys))
		if e.Payload != nil {
			ends := p.endpoints[r.PathValue("tenant")]
			url, body := ends[len(ends)-1].URL, p.mangle(e.Payload)
			if body == nil {
				continue
			}
			resp, err := p.http.Post(url, "application/json", bytes.NewReader(body))
			if err != nil {
				p.t.Error(err)
				continue
			}
			resp.Body.Close()
		}
	}
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"results":[]}`)
}

// The demo makes its tenants and endpoints once, whatever the number of starts, publishes events of both providers under
// keys of their own, and bears a server that is away for a while.
func TestRunSetsUpOnceAndPublishes(t *testing.T) {
	p, url := pretend(t)
	dir := t.TempDir()
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		p.mu.Lock()
		p.down = 2
		before := len(p.keys)
		p.published = func(n int) {
			if n >= before+150 {
				cancel()
			}
		}
		p.mu.Unlock()
		var out bytes.Buffer
		if err := Run(ctx, Options{Dir: dir, Server: url, Key: "k", Rate: 1000, Seed: 3, Out: &out}); err != nil {
			t.Fatalf("%v\n%s", err, &out)
		}
		if !strings.Contains(out.String(), "receivers: 0 requests") {
			t.Errorf("no summary: %s", &out)
		}
		cancel()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range customers() {
		if n := len(p.endpoints[c.tenant]); n != len(c.hooks) {
			t.Errorf("%s: %d endpoints after two starts, want %d", c.tenant, n, len(c.hooks))
		}
		for i, e := range p.endpoints[c.tenant] {
			if h := c.hooks[i]; e.Description != h.name || e.Filter != h.filter || len(e.EventTypes) != len(h.eventTypes) || !strings.HasPrefix(e.URL, "https://127.0.0.1:") {
				t.Errorf("%s: %+v", c.tenant, e)
			}
		}
	}
	if p.repeats > 0 || p.types["zone_record.create"] == 0 || p.types["server.started"] == 0 {
		t.Errorf("%d repeats, types %v", p.repeats, p.types)
	}
}

// A rotated secret is learned at the next start, and an endpoint follows its receiver to another port.
func TestStartAdoptsWhatChanged(t *testing.T) {
	p, url := pretend(t)
	dir := t.TempDir()
	start := func() *Demo {
		d, err := Open(Options{Dir: dir, Server: url, Key: "k", Out: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		ctx, cancel := context.WithCancel(t.Context())
		p.mu.Lock()
		p.published = func(int) { cancel() }
		p.mu.Unlock()
		if err := d.Run(ctx); err != nil {
			t.Fatal(err)
		}
		return d
	}
	start().Close()
	p.mu.Lock()
	e := p.endpoints["demo-kestrel"][0]
	right := e.URL
	e.Secret, e.URL = "rotated secret", "https://127.0.0.1:1/everything"
	p.mu.Unlock()
	d := start()
	for _, r := range d.receivers {
		if r.customer.tenant == "demo-kestrel" && (r.secrets["everything"] != "rotated secret" || d.kept.Secrets["demo-kestrel/everything"] != "rotated secret") {
			t.Errorf("secret %q", r.secrets["everything"])
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.URL != right {
		t.Errorf("URL %s, want the receiver's %s", e.URL, right)
	}
}

func TestRunRefusesOptions(t *testing.T) {
	for want, o := range map[string]Options{
		"Dir: empty":            {},
		"Rate: 2000":            {Dir: t.TempDir(), Rate: 2000},
		"Server and Key: want ": {Dir: t.TempDir()},
	} {
		o.Out = io.Discard
		if err := Run(t.Context(), o); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// P19 by our own example: pretty-printed, with an escape and a number that a decoder would change.
func TestRealHoldsByteForByte(t *testing.T) {
	samples, dir := t.TempDir(), t.TempDir()
	body := "{\n  \"name\": \"domain.renew\", \"api_version\": \"v2\",\n\t\"request_identifier\": \"0b9e5d3a-6f7c-4c0e-9d2f-1a2b3c4d5e6f\", \"data\": {\"x\": 1.0e2, \"y\": \"\\u00e9\\/\"}, \"account\": null, \"actor\": null}"
	for _, name := range []string{"a.json", "b.json"} {
		if err := os.WriteFile(filepath.Join(samples, name), []byte("\n"+body+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ca, err := authority.Open(filepath.Join(dir, "ca"))
	if err != nil {
		t.Fatal(err)
	}
	p, url := pretend(t)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}}
	defer tr.CloseIdleConnections()
	p.http = &http.Client{Transport: tr}
	run := func() (string, error) {
		var out bytes.Buffer
		err := Real(t.Context(), RealOptions{Dir: dir, Server: url, Key: "k", SamplesDir: samples, Wait: 300e6, Out: &out})
		return out.String(), err
	}
	for range 2 { // again on the same server: the endpoint is found, the payloads are new events
		if out, err := run(); err != nil || !strings.Contains(out, "2 of 2 real payloads arrived byte for byte") {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if n := len(p.endpoints[realTenant]); n != 1 {
		t.Errorf("%d endpoints", n)
	}
	for name, mangle := range map[string]func([]byte) []byte{
		"different from byte": func(b []byte) []byte { return bytes.Replace(b, []byte("1.0e2"), []byte("100.0"), 1) },
		"did not arrive":      func([]byte) []byte { return nil },
	} {
		p.mangle = mangle
		if out, err := run(); !errors.Is(err, ErrReal) || !strings.Contains(err.Error(), name) || !strings.Contains(out, "0 of 2") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	if err := Real(t.Context(), RealOptions{Dir: dir, SamplesDir: t.TempDir()}); !errors.Is(err, ErrOptions) {
		t.Errorf("%v", err)
	}
}
