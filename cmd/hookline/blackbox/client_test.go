package blackbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// client speaks the HTTP API. Safe for concurrent use; call fails the test, so it belongs to the test's own goroutine,
// send may be used from any.
type client struct {
	base, key string
	transport *http.Transport
	hc        *http.Client
}

func newClient(base, key string) *client {
	tr := &http.Transport{MaxIdleConnsPerHost: 64}
	return &client{base: base, key: key, transport: tr, hc: &http.Client{Transport: tr}}
}

func (c *client) close() { c.transport.CloseIdleConnections() }

// as is the same API with another key; an empty one sends no Authorization header at all.
func (c *client) as(key string) *client {
	other := *c
	other.key = key
	return &other
}

// reply is one answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
	asked  string // method and path, for failures
}

// send makes one request. body: nil, string or []byte as they are, anything else as JSON. headers are "name: value".
func (c *client) send(method, path string, body any, headers ...string) (*reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var content io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(b)
	case []byte:
		content = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, err
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	if content != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := c.hc.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return &reply{status: resp.StatusCode, header: resp.Header, body: text, asked: method + " " + path}, nil
}

// do is send for calls whose status the test judges itself.
func (c *client) do(t testing.TB, method, path string, body any, headers ...string) *reply {
	t.Helper()
	r, err := c.send(method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

// call makes one request and demands its status; a refusal must also be a proper problem.
func (c *client) call(t testing.TB, want int, method, path string, body any, headers ...string) *reply {
	t.Helper()
	r := c.do(t, method, path, body, headers...)
	if r.status != want {
		t.Fatalf("%s: status %d, want %d: %s", r.asked, r.status, want, clip(r.body))
	}
	if want >= 400 && strings.HasPrefix(path, "/v1") {
		r.problem(t)
	}
	if want == http.StatusNoContent && len(r.body) > 0 {
		t.Fatalf("%s: 204 with a body: %s", r.asked, clip(r.body))
	}
	return r
}

func (c *client) get(t testing.TB, path string, into any) *reply {
	t.Helper()
	r := c.call(t, http.StatusOK, http.MethodGet, path, nil)
	if into != nil {
		r.into(t, into)
	}
	return r
}

func (c *client) post(t testing.TB, want int, path string, body, into any, headers ...string) *reply {
	t.Helper()
	r := c.call(t, want, http.MethodPost, path, body, headers...)
	if into != nil {
		r.into(t, into)
	}
	return r
}

func (c *client) patch(t testing.TB, want int, path string, body, into any) *reply {
	t.Helper()
	r := c.call(t, want, http.MethodPatch, path, body, "Content-Type: application/merge-patch+json")
	if into != nil {
		r.into(t, into)
	}
	return r
}

func (c *client) delete(t testing.TB, want int, path string) *reply {
	t.Helper()
	return c.call(t, want, http.MethodDelete, path, nil)
}

func (r *reply) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("%s: %v: %s", r.asked, err, clip(r.body))
	}
}

// page is one answer of a list.
type page[T any] struct {
	Data []T     `json:"data"`
	Next *string `json:"next_cursor"`
}

// list reads all pages of a list, 250 items each. query alternates names and values.
func list[T any](t testing.TB, c *client, path string, query ...string) []T {
	t.Helper()
	q := url.Values{"limit": {"250"}}
	for i := 0; i+1 < len(query); i += 2 {
		q.Add(query[i], query[i+1])
	}
	var all []T
	for range 10_000 {
		var p page[T]
		r := c.get(t, path+"?"+q.Encode(), &p)
		if p.Data == nil {
			t.Fatalf("%s: want data[], even when it is empty: %s", r.asked, clip(r.body))
		}
		all = append(all, p.Data...)
		if p.Next == nil || *p.Next == "" {
			return all
		}
		q.Set("cursor", *p.Next)
	}
	t.Fatalf("GET %s: more than 10 000 pages", path)
	return nil
}

func clip(b []byte) string {
	if len(b) > 400 {
		return fmt.Sprintf("%s... (%d bytes)", b[:400], len(b))
	}
	return string(b)
}
