package api

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/eventlog/memlog"
	"github.com/hookline/hookline/eventlog/projection"
	"github.com/hookline/hookline/eventlog/seal"
	"github.com/hookline/hookline/transports"
	"github.com/hookline/hookline/transports/https"
)

// *engine.Engine is what serves in the end.
var _ Service = (*engine.Engine)(nil)

// carrier is a transport that answers every attempt with a status, at once.
type carrier struct{ status atomic.Int32 }

func (c *carrier) Submit(_ context.Context, _ *transports.Request, done func(transports.Result, error)) {
	r := transports.Result{Outcome: transports.Rejected, Status: int(c.status.Load())}
	if r.Status == 200 {
		r.Outcome = transports.Acknowledged
	}
	go done(r, nil)
}

// realFace is a face on a real engine, which runs on a log in memory and under the manual clock.
func realFace(t testing.TB) (*face, *carrier) {
	t.Helper()
	ctx := context.Background()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	log := memlog.New(memlog.Options{Now: start.UnixMilli})
	keyring := seal.NewMemory()
	store, err := projection.Open(ctx, projection.Options{Dir: filepath.Join(t.TempDir(), "views"), Version: engine.ViewsVersion, Log: log})
	check(err)
	views, err := engine.NewViews(projection.FollowerOptions{Log: log, Store: store})
	check(err)
	net := &carrier{}
	net.status.Store(200)
	e, err := engine.Open(ctx, engine.Config{
		Log: log, Keyring: keyring, Views: views, Owner: "test", Profiles: profile.Builtin(),
		Transports: map[string]engine.Transport{"https": {Submitter: net, Check: https.NewPolicy(nil, false).CheckTarget}},
		AdminKey:   testKey, ManualClock: true, ClockStart: start,
	})
	check(err)
	t.Cleanup(func() {
		check(e.Close())
		check(store.Close())
		check(log.Close())
		check(keyring.Close())
	})
	s, err := New(Config{Version: "test"})
	check(err)
	s.Use(e)
	return &face{t: t, Server: s}, net
}

// must asks, demands a status and decodes the answer.
func (f *face) must(status int, method, target, body string, headers ...string) map[string]any {
	f.t.Helper()
	w := f.ask(method, target, body, headers...)
	if w.Code != status {
		f.t.Fatalf("%s %s: %d, want %d: %s", method, target, w.Code, status, w.Body)
	}
	if status == 204 {
		if w.Body.Len() > 0 {
			f.t.Fatalf("%s %s: 204 with a body", method, target)
		}
		return nil
	}
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		f.t.Fatalf("%s %s: %v: %s", method, target, err, w.Body)
	}
	if status >= 400 && strings.HasPrefix(target, "/v1") {
		problemIn(f.t, w.Body.String())
	}
	return out
}

// str reads a string at a path of names and indexes.
func str(t testing.TB, v any, path ...any) string {
	t.Helper()
	for _, p := range path {
		switch p := p.(type) {
		case string:
			v = v.(map[string]any)[p]
		case int:
			v = v.([]any)[p]
		}
	}
	return fmt.Sprint(v)
}
