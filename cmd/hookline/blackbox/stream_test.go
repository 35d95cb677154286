package blackbox

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

type streamed struct {
	Seq    uint64
	Type   string
	Tenant string
	Data   map[string]any
	id     string
}

// listen reads a stream until want messages with data have come. It returns them and the last id.
func (c *client) listen(t testing.TB, query, lastID string, want int) (got []streamed, last string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", c.base+"/v1/stream"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := c.hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("stream: %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	id := ""
	for len(got) < want && lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			id = text
		}
		if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var s streamed
			if err := json.Unmarshal([]byte(text), &s); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			s.id = id
			got = append(got, s)
		}
	}
	if len(got) < want {
		t.Fatalf("the stream ended after %d of %d messages: %v", len(got), want, lines.Err())
	}
	return got, id
}

// /v1/stream gives out every record once and in order, also to a client that comes back in the middle and after a
// restart; a bound key sees its tenant only, and what is sealed is not shown.
func TestStream(t *testing.T) {
	t.Parallel()
	r, n, _, ep := osirRig(t, always(200), nil)
	_, customer := r.issue(t, fields{"name": "own", "scope": "tenant", "tenant": n.id})
	r.api.post(t, 201, "/v1/tenants", fields{"id": "stranger", "profile": "osir"}, nil)
	id := n.publish(t, event{typ: "domain.registered", data: `{"domain":"secret.example"}`}).only(t)
	r.settle(t)
	n.awaitStatus(t, id, "succeeded", "", 1, 5*time.Second)
	head := r.headSeq(t)

	all, _ := r.api.listen(t, "?after=0", "", int(head))
	for i, s := range all {
		if s.Seq != uint64(i+1) || s.id != fmt.Sprint(s.Seq) {
			t.Fatalf("message %d is seq %d, id %s", i, s.Seq, s.id)
		}
	}
	finished := all[len(all)-1]
	if finished.Type != "attempt.finished" || finished.Data["delivery_id"] != id || finished.Data["endpoint_id"] != ep.ID || finished.Data["outcome"] != "acknowledged" {
		t.Errorf("the last record: %+v", finished)
	}
	if text := fmt.Sprint(all); strings.Contains(text, "secret.example") || strings.Contains(text, "https://127") {
		t.Error("something sealed is shown")
	}
	half, _ := r.api.listen(t, "?after=0", "", int(head)/2)
	rest, _ := r.api.listen(t, "", half[len(half)-1].id, int(head)-len(half))
	if rest[0].Seq != half[len(half)-1].Seq+1 || rest[len(rest)-1].Seq != head {
		t.Errorf("resumed from %s: %d to %d", half[len(half)-1].id, rest[0].Seq, rest[len(rest)-1].Seq)
	}
	own, _ := customer.listen(t, "?after=0", "", 4)
	for _, s := range own {
		if s.Tenant != n.id {
			t.Errorf("a bound key sees %+v", s)
		}
	}
	only, _ := r.api.listen(t, "?after=0&type=event.published", "", 1)
	if only[0].Type != "event.published" {
		t.Errorf("by type: %+v", only[0])
	}

	live := make(chan []streamed, 1)
	go func() {
		got, _ := r.api.listen(t, "?type=tenant.created", fmt.Sprint(head), 1)
		live <- got
	}()
	r.api.post(t, 201, "/v1/tenants", fields{"id": "later", "profile": "osir"}, nil)
	if got := <-live; got[0].Tenant != "later" {
		t.Errorf("live: %+v", got)
	}

	// A server that stops does not wait for listeners, and they go on at the next one.
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		req, _ := http.NewRequest("GET", r.api.base+"/v1/stream", nil)
		req.Header.Set("Authorization", "Bearer "+r.api.key)
		if resp, err := r.api.hc.Do(req); err == nil {
			for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			}
			resp.Body.Close()
		}
	}()
	began := time.Now()
	r.stop(t)
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the stop waited %v for a listener", took)
	}
	<-listening
	r.start(t)
	again, _ := r.api.listen(t, "", fmt.Sprint(head), 1)
	if again[0].Seq != head+1 {
		t.Errorf("after the restart: seq %d, want %d", again[0].Seq, head+1)
	}
	for _, bad := range []string{"?after=x", "?after=99999999", "?type=nothing.known", "?limit=3"} {
		r.api.call(t, 422, "GET", "/v1/stream"+bad, nil)
	}
	customer = r.api.as(customer.key)
	customer.call(t, 404, "GET", "/v1/stream?tenant=stranger", nil)
}

func (s *server) headSeq(t testing.TB) uint64 {
	t.Helper()
	var st struct {
		Head uint64 `json:"head_seq"`
	}
	s.api.get(t, "/v1/log/status", &st)
	return st.Head
}

// `log follow` prints records live and goes on where it was when the server comes back.
func TestLogFollow(t *testing.T) {
	t.Parallel()
	r := &rig{server: startServer(t, serveOptions{manual: true, listen: freeAddress(t)})}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t), "log", "follow", "--server", r.api.base, "--type", "tenant.created", "--after", "0")
	cmd.Env = append(os.Environ(), "HOOKLINE_ADMIN_KEY="+r.key)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	lines := bufio.NewScanner(out)
	for _, id := range []string{"first", "second"} {
		r.api.post(t, 201, "/v1/tenants", fields{"id": id, "profile": "osir"}, nil)
		var s streamed
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &s) != nil || s.Tenant != id {
			t.Fatalf("got %q, want the record of tenant %s", lines.Text(), id)
		}
		r.stop(t)
		r.start(t)
	}
}
