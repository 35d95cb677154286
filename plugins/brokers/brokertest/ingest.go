package brokertest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookline/hookline/plugins/brokers/ingest"
)

// Stream is a topic of a server that runs, with a way in and a look at what is left. A broker test makes a new one each time.
type Stream struct {
	Open      ingest.Open
	Broker    string // the connection's settings
	Topic     string
	Produce   func(tb testing.TB, messages []Message) // in order; ID is given where the system has a place for it
	Unsettled func(tb testing.TB) int                 // messages that the broker would give again
}

// event is what the pretended hookline took.
type event struct {
	Type           string `json:"type"`
	IdempotencyKey string `json:"idempotency_key"`
	Data           struct{ N int }
}

// pretended is a hookline that remembers; judge, if not nil, may answer a batch by a status of its own, or one event.
type pretended struct {
	mu    sync.Mutex
	taken []event // each once, in order
	calls int
	judge func(call int, batch []event) (status int, problems map[int]int)
}

func (p *pretended) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ Events []event }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.URL.Path != "/v1/tenants/acme/events:batch" || r.Header.Get("Authorization") != "Bearer key" {
		http.Error(w, fmt.Sprint(err), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var problems map[int]int
	if p.calls++; p.judge != nil {
		status, items := p.judge(p.calls, in.Events)
		if status != 0 {
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"status":%d,"title":"no","detail":"by the test"}`, status)
			return
		}
		problems = items
	}
	results := make([]string, len(in.Events))
	for i, e := range in.Events {
		if s := problems[i]; s != 0 {
			results[i] = fmt.Sprintf(`{"status":%d,"title":"no","detail":"by the test"}`, s)
			continue
		}
		dup := slices.ContainsFunc(p.taken, func(t event) bool { return t.IdempotencyKey == e.IdempotencyKey })
		if !dup {
			p.taken = append(p.taken, e)
		}
		results[i] = fmt.Sprintf(`{"id":"x","duplicate":%t}`, dup)
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"results":[%s]}`, strings.Join(results, ","))
}

func (p *pretended) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.taken)
}

// numbers are the taken events' own, in order.
func (p *pretended) numbers() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []int
	for _, e := range p.taken {
		all = append(all, e.Data.N)
	}
	return all
}

// RunIngest proves the promises of package ingest against a broker, one subtest a promise.
func RunIngest(t *testing.T, stream func(t *testing.T) Stream) {
	t.Run("InOrder", func(t *testing.T) { inOrder(t, stream(t)) })
	t.Run("AckOnlyAfter202", func(t *testing.T) { ackAfter(t, stream(t)) })
	t.Run("AgainAfterACrash", func(t *testing.T) { again(t, stream(t)) })
	t.Run("Poison", func(t *testing.T) { poison(t, stream(t)) })
}

// run starts a pump towards the pretended hookline; stop ends it and waits.
func run(t *testing.T, s Stream, p http.Handler, park string) (stop func()) {
	t.Helper()
	server := httptest.NewServer(p)
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	source := ingest.Source{Topic: s.Topic, Tenant: "acme", Park: park}
	if err := source.SetDefaults(); err != nil {
		t.Fatal(err)
	}
	cfg := &ingest.Config{Hookline: ingest.Server{URL: server.URL, Key: "key"}, Broker: json.RawMessage(s.Broker), Sources: []ingest.Source{source}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := ingest.Run(ctx, cfg, s.Open, logger); ctx.Err() == nil {
			t.Errorf("ended by itself: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done; server.Close() })
	t.Cleanup(stop)
	return stop
}

// until looks until it is so.
func until(t testing.TB, what string, so func() bool) {
	t.Helper()
	end := time.Now().Add(40 * time.Second)
	for !so() {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func numbered(from, to int) []Message {
	var all []Message
	for i := from; i < to; i++ {
		all = append(all, Message{ID: fmt.Sprint("m", i), Headers: map[string]string{"event-type": "thing.done"}, Body: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
	return all
}

func demandInOrder(t *testing.T, got []int, n int) {
	t.Helper()
	if len(got) != n {
		t.Fatalf("%d events, want %d", len(got), n)
	}
	for i, v := range got {
		if v != i {
			t.Fatalf("event %d is number %d", i, v)
		}
	}
}

// Everything comes, once, in the broker's order, and is acknowledged.
func inOrder(t *testing.T, s Stream) {
	const n = 5000
	s.Produce(t, numbered(0, n/2))
	p := &pretended{}
	run(t, s, p, filepath.Join(t.TempDir(), "parked"))
	s.Produce(t, numbered(n/2, n))
	until(t, "all taken", func() bool { return p.count() >= n })
	demandInOrder(t, p.numbers(), n)
	until(t, "all acknowledged", func() bool { return s.Unsettled(t) == 0 })
}

// While hookline refuses nothing is acknowledged and nothing is lost, whatever its refusal.
func ackAfter(t *testing.T, s Stream) {
	const n = 300
	refusals := []int{503, 507, 429, 500, 401, 404}
	unsettled := make([]int, 0, len(refusals))
	p := &pretended{judge: func(call int, _ []event) (int, map[int]int) {
		if call > len(refusals) {
			return 0, nil
		}
		unsettled = append(unsettled, s.Unsettled(t))
		return refusals[call-1], nil
	}}
	s.Produce(t, numbered(0, n))
	run(t, s, p, filepath.Join(t.TempDir(), "parked"))
	until(t, "all taken", func() bool { return p.count() >= n })
	demandInOrder(t, p.numbers(), n)
	until(t, "all acknowledged", func() bool { return s.Unsettled(t) == 0 })
	for i, got := range unsettled {
		if got != n {
			t.Errorf("during refusal %d: %d messages unacknowledged, want %d", i, got, n)
		}
	}
}

// A process that ends between hookline's yes and the acknowledgement: the messages come again, with the same keys, in order.
func again(t *testing.T, s Stream) {
	const n = 2000
	s.Produce(t, numbered(0, n))
	first := &pretended{}
	reached := make(chan struct{})
	var once sync.Once
	stop := run(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first.ServeHTTP(httptest.NewRecorder(), r) // taken, and the answer is lost
		once.Do(func() { close(reached) })
		<-r.Context().Done()
	}), filepath.Join(t.TempDir(), "parked"))
	<-reached
	stop()
	had := first.count()
	if had == 0 || s.Unsettled(t) != n {
		t.Fatalf("%d taken, %d unacknowledged, want some and %d", had, s.Unsettled(t), n)
	}
	second := &pretended{taken: first.taken}
	s.Produce(t, numbered(n, n+10))
	run(t, s, second, filepath.Join(t.TempDir(), "parked"))
	until(t, "all taken", func() bool { return second.count() >= n+10 })
	demandInOrder(t, second.numbers(), n+10)
	until(t, "all acknowledged", func() bool { return s.Unsettled(t) == 0 })
}

// What can never be an event is parked with its reason and holds nothing up.
func poison(t *testing.T, s Stream) {
	all := numbered(0, 20)
	all[3].Body = []byte(`{"n":3`)
	all[5].Body = []byte("\xff\xfe")
	all[7].Headers = map[string]string{}
	all[9].Body = []byte(strings.Repeat(" ", 10) + `{"n":9,"x":"` + strings.Repeat("x", 256<<10) + `"}`)
	p := &pretended{judge: func(_ int, batch []event) (int, map[int]int) {
		items := map[int]int{}
		for i, e := range batch {
			switch e.Data.N {
			case 11:
				items[i] = 422
			case 13:
				return 400, nil // the whole batch, for one
			}
		}
		return 0, items
	}}
	s.Produce(t, all)
	park := filepath.Join(t.TempDir(), "parked")
	run(t, s, p, park)
	until(t, "all acknowledged", func() bool { return p.count() >= 14 && s.Unsettled(t) == 0 })
	f, err := os.Open(park)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var reasons []string
	lines := bufio.NewScanner(f)
	for lines.Buffer(nil, 1<<20); lines.Scan(); {
		var l ingest.Parked
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil || l.MessageID == "" || l.Topic != s.Topic || l.Body == "" && l.BodyBase64 == "" {
			t.Errorf("line %.300s: %v", lines.Bytes(), err)
		}
		reasons = append(reasons, l.Reason)
	}
	want := []string{"not JSON", "not UTF-8", "no event type", "at most 262144", "422", "400"}
	if len(reasons) != len(want) {
		t.Fatalf("parked: %q", reasons)
	}
	for i, w := range want {
		if !strings.Contains(reasons[i], w) {
			t.Errorf("reason %d is %q, want %q in it", i, reasons[i], w)
		}
	}
}
