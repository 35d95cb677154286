package engine

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
	"github.com/hookline/hookline/eventlog/projection"
	"github.com/hookline/hookline/eventlog/seal"
	"github.com/hookline/hookline/transports"
)

// script is a transport of tests: it answers what it is told and notes what it was given.
type script struct {
	mu     sync.Mutex
	seen   []transports.Request
	answer func(n int, req *transports.Request) (transports.Result, error)
}

func status(code int) transports.Result {
	r := transports.Result{Outcome: transports.Rejected, Status: code}
	if code == 200 {
		r.Outcome = transports.Acknowledged
	}
	return r
}

func (s *script) Submit(ctx context.Context, req *transports.Request, done func(transports.Result, error)) {
	s.mu.Lock()
	s.seen = append(s.seen, *req)
	n := len(s.seen)
	answer := s.answer
	s.mu.Unlock()
	go func() {
		if answer == nil {
			done(status(200), nil)
			return
		}
		done(answer(n, req))
	}()
}

func (s *script) answers(f func(n int, req *transports.Request) (transports.Result, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

func (s *script) requests() []transports.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]transports.Request(nil), s.seen...)
}

// rig is an engine on a log in memory, with a manual clock, that can be stopped and started again.
type rig struct {
	*Engine
	t       testing.TB
	log     *memlog.Log
	keyring *seal.Keyring
	dir     string
	net     *script
	store   *projection.Store
	cfg     func(*Config)
}

var rigStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newRig(t testing.TB, cfg func(*Config)) *rig {
	r := &rig{t: t, log: memlog.New(memlog.Options{Now: func() int64 { return rigStart.UnixMilli() }}), keyring: seal.NewMemory(),
		dir: t.TempDir(), net: &script{}, cfg: cfg}
	r.start()
	t.Cleanup(func() {
		r.stop()
		r.log.Close()
		r.keyring.Close()
	})
	return r
}

func (r *rig) start() {
	r.t.Helper()
	ctx := context.Background()
	var err error
	r.store, err = projection.Open(ctx, projection.Options{Dir: filepath.Join(r.dir, "views"), Version: ViewsVersion, Log: r.log})
	if err != nil {
		r.t.Fatal(err)
	}
	views, err := NewViews(projection.FollowerOptions{Log: r.log, Store: r.store})
	if err != nil {
		r.t.Fatal(err)
	}
	cfg := Config{Log: r.log, Keyring: r.keyring, Views: views, Dir: r.dir, Owner: "test",
		Profiles: profile.Builtin(), Transports: map[string]Transport{"https": {Submitter: r.net}}, AdminKey: "a key of thirty-two characters...",
		ManualClock: true, ClockStart: rigStart,
		ownWait: func(d time.Duration) time.Duration { return d / 1000 }}
	if r.cfg != nil {
		r.cfg(&cfg)
	}
	if r.Engine, err = Open(ctx, cfg); err != nil {
		r.t.Fatal(err)
	}
}

// stop is a clean stop.
func (r *rig) stop() {
	r.t.Helper()
	if r.Engine == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := r.Drain(ctx); err != nil {
		r.t.Error(err)
	}
	if err := r.Close(); err != nil {
		r.t.Error(err)
	}
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
	r.Engine = nil
}

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (r *rig) tenant(id, profileName string) {
	r.t.Helper()
	in := TenantInput{ID: id, Profile: &profileName}
	if profileName == "dnsimple" {
		attrs := json.RawMessage(`{"id":1010,"identifier":"o@example.com","display":"Example"}`)
		in.Attributes = &attrs
	}
	must(r.CreateTenant(context.Background(), Actor{"test"}, in))(r.t)
}

func (r *rig) endpoint(tenant string, in EndpointInput) Endpoint {
	r.t.Helper()
	if !in.URL.Set {
		in.URL = Some("https://receiver.example/hook")
	}
	return must(r.CreateEndpoint(context.Background(), Actor{"test"}, tenant, in))(r.t)
}

func (r *rig) publish(tenant string, in PublishInput) Published {
	r.t.Helper()
	if in.Data == nil && in.Payload == nil {
		in.Data = json.RawMessage(`{"domain":"example.com"}`)
	}
	res := must(r.Publish(context.Background(), tenant, []PublishInput{in}))(r.t)
	if res[0].Err != nil {
		r.t.Fatal(res[0].Err)
	}
	return *res[0].Published
}

func (r *rig) advance(by time.Duration) {
	r.t.Helper()
	must(r.AdvanceClock(context.Background(), by))(r.t)
}

func (r *rig) delivery(tenant, id string) Delivery {
	r.t.Helper()
	return must(r.Delivery(context.Background(), tenant, id))(r.t)
}

// digests folds the log anew and compares with the live digest (promise 3).
func (r *rig) checkFold() {
	r.t.Helper()
	ctx := context.Background()
	st := must(r.LogStatus(ctx))(r.t)
	folded := must(Rebuild(ctx, r.log, eventlog.Seq(st.DigestSeq), nil))(r.t)
	if got := folded.Digest().String(); got != st.StateDigest {
		r.t.Fatalf("state digest at seq %d: live %s, folded %s", st.DigestSeq, st.StateDigest, got)
	}
}

func (r *rig) removeDerived() {
	for _, d := range []string{"views", "snapshots"} {
		if err := os.RemoveAll(filepath.Join(r.dir, d)); err != nil {
			r.t.Fatal(err)
		}
	}
}
