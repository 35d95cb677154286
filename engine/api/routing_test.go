package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookline/hookline/engine"
)

// unread fails the test when anybody looks at the body.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was looked at")
	return 0, io.EOF
}

// 401 before the body is looked at, on every operation and on what is none.
func TestKeyFirst(t *testing.T) {
	f := newFace(t)
	targets := []string{"POST /nowhere", "GET /v1", "POST /v1/tenants/acme", "POST /v1/tenants/acme/endpoints/ep_1:nothing"}
	for _, op := range operations() {
		target := op.method + " " + strings.NewReplacer("{", "", "}", "").Replace(op.path)
		if !op.open {
			targets = append(targets, target)
			continue
		}
		method, path, _ := strings.Cut(target, " ")
		if w := f.ask(method, path, "", "Authorization: "); w.Code != 200 && op.method == http.MethodGet || w.Code == 401 {
			t.Errorf("%s without a key: %d", target, w.Code)
		}
	}
	for _, target := range targets {
		method, path, _ := strings.Cut(target, " ")
		for _, auth := range []string{"", "Bearer", "Bearer ", "Bearer " + testKey[1:], "Basic " + testKey, testKey} {
			r := httptest.NewRequest(method, path+"?unknown=1", unread{t})
			r.Header.Set("Authorization", auth)
			w := httptest.NewRecorder()
			f.ServeHTTP(w, r)
			if w.Code != 401 || w.Header().Get("WWW-Authenticate") != "Bearer" {
				t.Fatalf("%s with %q: %d", target, auth, w.Code)
			}
			if strings.HasPrefix(path, "/v2/") {
				if got := strings.TrimSpace(w.Body.String()); got != `{"message":"Authentication failed"}` {
					t.Fatalf("%s: %s", target, got)
				}
				continue
			}
			problemIn(t, w.Body.String())
		}
	}
	if len(f.engine.asked) > 0 {
		t.Fatalf("the engine was asked: %v", f.engine.asked)
	}
}

func TestRouting(t *testing.T) {
	f := newFace(t)
	for _, c := range []struct {
		target string
		status int
		asked  string
		allow  string
	}{
		{"GET /v1/tenants/acme", 200, "tenant acme", ""},
		{"HEAD /v1/tenants/acme", 200, "tenant acme", ""},
		{"GET /v1/tenants/a%2Fb", 404, "tenant a/b", ""},
		{"GET /v1/tenants/acme/endpoints/ep_1", 200, "endpoint ep_1 of acme", ""},
		{"POST /v1/tenants/acme/endpoints/ep_1:enable", 200, "enable ep_1 of acme", ""},
		{"POST /v1/tenants/acme/endpoints/ep_1%3Aenable", 200, "enable ep_1 of acme", ""},
		{"POST /v1/tenants/acme/endpoints/a:b:enable", 200, "enable a:b of acme", ""},
		{"GET /v1/tenants/acme/endpoints/ep_1:enable", 405, "", "POST"},
		{"POST /v1/tenants/acme/endpoints/ep_1:enabel", 404, "", ""},
		{"POST /v1/tenants/acme/endpoints/ep_1:", 404, "", ""},
		{"POST /v1/tenants/acme/subscriptions/sub_1:enable", 404, "", ""},
		{"POST /v1/tenants/acme/endpoints/ep_1", 405, "", "DELETE, GET, PATCH"},
		{"PUT /v1/tenants/acme", 405, "", "DELETE, GET, PATCH"},
		{"GET /v1/tenants/acme/events:batch", 405, "", "POST"},
		{"DELETE /healthz", 405, "", "GET"},
		{"BREW /v1/tenants", 405, "", "GET, POST"},
		{"GET /v1/tenants/", 404, "", ""},
		{"GET /v1//tenants", 404, "", ""},
		{"GET /v1/tenants/../profiles", 404, "", ""},
		{"GET /nowhere", 404, "", ""},
		{"GET /v1/stats?step=5m", 200, "stats 5m0s", ""},
		{"GET /v1/tenants/acme/endpoints/ep_1/stats?step=1h", 200, "stats of acme ep_1 1h0m0s", ""},
		{"GET /v1/tenants/acme/attempts/att_1", 200, "attempt acme att_1", ""},
		{"POST /v1/tenants/acme/endpoints/ep_1:recover", 202, "recover acme ep_1", ""},
		{"GET /v1/tenants/acme/recoveries", 200, "recoveries acme", ""},
		{"GET /v1/tenants/acme/recoveries/rec_1", 200, "recovery acme rec_1", ""},
		{"POST /v1/tenants/acme/recoveries/rec_1:cancel", 200, "cancel recovery acme rec_1", ""},
		{"GET /v1/filters:check", 405, "", "POST"},
		{"GET /v1/filters:simulate", 405, "", "POST"},
	} {
		f.engine.asked = nil
		method, path, _ := strings.Cut(c.target, " ")
		w := f.ask(method, path, "")
		if w.Code != c.status || strings.Join(f.engine.asked, ";") != c.asked || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s: %d, asked %v, allow %q: %s", c.target, w.Code, f.engine.asked, w.Header().Get("Allow"), w.Body)
			continue
		}
		if w.Code >= 400 {
			problemIn(t, w.Body.String())
		}
		if w.Header().Get("X-Log-Seq") != "42" {
			t.Errorf("%s: X-Log-Seq %q", c.target, w.Header().Get("X-Log-Seq"))
		}
	}
}

func TestQueries(t *testing.T) {
	f := newFace(t)
	for _, c := range []struct {
		query   string
		status  int
		at, say string
	}{
		{"", 200, "", ""},
		{"limit=1", 200, "", ""},
		{"limit=250&status=pending&endpoint_id=ep_1&event_id=evu_1&event_type=a.b&from=2026-01-31T08:00:00Z&to=2026-01-31T09:00:00%2B00:00&cursor=x", 200, "", ""},
		{"from=2026-01-31T08:00:00+01:00", 200, "", ""},
		{"limit=251", 422, "limit", "1 to 250"},
		{"limit=0", 422, "limit", "1 to 250"},
		{"limit=-1", 422, "limit", "1 to 250"},
		{"limit=", 422, "limit", "1 to 250"},
		{"limit=many", 422, "limit", "1 to 250"},
		{"limit=1&limit=2", 422, "limit", "once"},
		{"Limit=1", 422, "Limit", "did you mean limit"},
		{"statsu=pending", 422, "statsu", "did you mean status"},
		{"status=open", 422, "status", "pending, succeeded"},
		{"status=", 422, "status", "none of"},
		{"outcome=gone", 422, "outcome", "known are"},
		{"as_of=0", 422, "as_of", "seq of 1 or more"},
		{"as_of=-1", 422, "as_of", "RFC 3339"},
		{"as_of=yesterday", 422, "as_of", "RFC 3339"},
		{"step=1h", 422, "step", "unknown query parameter"},
		{"from=yesterday", 422, "from", "RFC 3339"},
		{"from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "from", "after"},
		{"cursor=", 200, "", ""},
		{"event_id=", 422, "event_id", "1 to"},
		{"endpoint_id=" + strings.Repeat("x", 2000), 422, "endpoint_id", "1 to"},
		{"a=%zz", 400, "query", "cannot be read"},
		{"a=1;b=2", 400, "query", "cannot be read"},
	} {
		w := f.ask("GET", "/v1/tenants/acme/deliveries?"+c.query, "")
		if w.Code != c.status {
			t.Errorf("%s: %d %s", c.query, w.Code, w.Body)
			continue
		}
		if w.Code == 200 {
			if got := w.Body.String(); got != `{"data":[],"next_cursor":null}`+"\n" {
				t.Errorf("%s: %s", c.query, got)
			}
			continue
		}
		if p := problemIn(t, w.Body.String()); p.Errors[0].Location != c.at || !strings.Contains(p.Errors[0].Message, c.say) {
			t.Errorf("%s: %s", c.query, w.Body)
		}
	}
	f.ask("GET", "/v1/tenants/acme/attempts?outcome=timed_out&order=asc&limit=7&delivery_id=dlv_1", "", "X-Min-Seq: 41")
	if want := (engine.ListInput{Outcome: "timed_out", Ascending: true, Limit: 7, DeliveryID: "dlv_1", MinSeq: 41}); f.engine.listed != want {
		t.Errorf("got %+v, want %+v", f.engine.listed, want)
	}
	if w := f.ask("GET", "/v1/tenants/acme?limit=1", ""); w.Code != 422 {
		t.Errorf("a parameter where there is none: %d", w.Code)
	}
	if w := f.ask("GET", "/v1/tenants/acme", "", "X-Min-Seq: soon"); w.Code != 422 {
		t.Errorf("X-Min-Seq: %d", w.Code)
	}
	if w := f.ask("POST", "/v1/tenants", `{"profile":"osir"}`, "Content-Encoding: gzip"); w.Code != 422 {
		t.Errorf("Content-Encoding: %d", w.Code)
	}
}

// X-Min-Seq waits at most 2 s, then 503.
func TestMinSeqTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFace(t)
		began := time.Now()
		w := f.ask("GET", "/v1/tenants/acme", "", "X-Min-Seq: 43")
		if w.Code != 503 || time.Since(began) != minSeqWait || len(f.engine.asked) > 0 {
			t.Fatalf("%d after %v: %s", w.Code, time.Since(began), w.Body)
		}
	})
}

// Every kind of error has its status; what is inside stays inside.
func TestErrorsBecomeProblems(t *testing.T) {
	f := newFace(t)
	for _, c := range []struct {
		err    error
		status int
	}{
		{engine.Malformed("", "x"), 400},
		{&engine.Error{Code: engine.CodeNotFound, Detail: "x"}, 404},
		{fmt.Errorf("wrapped: %w", &engine.Error{Code: engine.CodeConflict, Detail: "x"}), 409},
		{&engine.Error{Code: engine.CodeTooLarge, Detail: "x"}, 413},
		{engine.Invalid("url", "x"), 422},
		{&engine.Error{Code: engine.CodeRateLimited, Detail: "x"}, 429},
		{&engine.Error{Code: engine.CodeUnavailable, Detail: "x"}, 503},
		{&engine.Error{Code: engine.CodeDiskLow, Detail: "x"}, 507},
		{&engine.Error{Code: 99, Detail: "x"}, 500},
		{context.Canceled, 503},
		{errInside, 500},
	} {
		f.engine.err = c.err
		w := f.ask("GET", "/v1/tenants/acme", "")
		p := problemIn(t, w.Body.String())
		if w.Code != c.status || p.Status != c.status || p.Title != http.StatusText(c.status) {
			t.Errorf("%v: %d %s", c.err, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "secret detail") {
			t.Errorf("%v leaks: %s", c.err, w.Body)
		}
		if slices.Contains([]int{400, 413, 422}, c.status) && len(p.Errors) == 0 {
			t.Errorf("%v: no errors[]", c.err)
		}
	}
}

// Before Use nothing is served but what needs no engine; /readyz is 503 until recovery is done.
func TestStarting(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	f := &face{t: t, Server: s, engine: &scripted{notReady: true}}
	status := func() string {
		var got []string
		for _, path := range []string{"/healthz", "/readyz", "/openapi.json", "/", "/v1/tenants/acme", "/metrics", "/nowhere"} {
			got = append(got, fmt.Sprint(f.ask("GET", path, "").Code))
		}
		return strings.Join(got, " ")
	}
	if got := status(); got != "200 503 200 200 503 503 503" {
		t.Fatal("before Use:", got)
	}
	s.Use(f.engine)
	if got := status(); got != "200 503 200 200 200 200 404" {
		t.Fatal("recovering:", got)
	}
	f.engine.notReady = false
	if got := status(); got != "200 200 200 200 200 200 404" {
		t.Fatal("ready:", got)
	}
}

func TestStartPage(t *testing.T) {
	f := newFace(t)
	f.pages = nil
	w := f.ask("GET", "/", "", "Authorization: ")
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || !strings.Contains(w.Body.String(), `href="/openapi.json"`) ||
		!strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatal(w.Header(), w.Body)
	}
}

func TestAdvance(t *testing.T) {
	f := newFace(t)
	for body, status := range map[string]int{`{"by":"5m"}`: 200, `{"by":"299000ms"}`: 200, `{"by":"0"}`: 200, `{"by":"-1s"}`: 422, `{"by":"soon"}`: 422, `{"by":5}`: 422, `{}`: 422, ``: 400} {
		w := f.ask("POST", "/v1/dev/clock:advance", body)
		if w.Code != status {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
		var got struct{ Now time.Time }
		if status == 200 && (json.Unmarshal(w.Body.Bytes(), &got) != nil || got.Now.Unix() != 1) {
			t.Errorf("%s: %s", body, w.Body)
		}
	}
}
