package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/engine"
)

const testKey = "0123456789abcdef0123456789abcdef"

// scripted is a Service that keeps what it was asked and answers by rote: these tests are about what the face hands over.
// What an engine does with it is tested in real_test.go. Methods it lacks panic on the nil Service.
type scripted struct {
	Service
	asked      []string
	published  []engine.PublishInput
	results    func(in []engine.PublishInput) []engine.PublishResult
	err        error // of everything
	notReady   bool
	head       uint64
	endpoint   engine.EndpointInput
	tenant     engine.TenantInput
	listed     engine.ListInput
	recover    engine.RecoverInput
	principals map[string]engine.Principal
}

func (s *scripted) note(format string, args ...any) {
	s.asked = append(s.asked, fmt.Sprintf(format, args...))
}

func (s *scripted) Authenticate(key string) *engine.Principal {
	if p, ok := s.principals[key]; ok {
		return &p
	}
	if key == testKey {
		return &engine.Principal{ID: engine.AdminKeyID, Scope: engine.ScopeAdmin}
	}
	return nil
}
func (s *scripted) Ready() bool       { return !s.notReady }
func (s *scripted) HeadSeq() uint64   { return s.head }
func (s *scripted) ManualClock() bool { return true }
func (s *scripted) Metrics() engine.Metrics {
	return engine.Metrics{Published: 7, Attempts: map[string]int64{"acknowledged": 3}, Views: map[string]uint64{"history": 41}}
}

func (s *scripted) RestartTransport(context.Context, engine.Actor, string) (engine.TransportStatus, error) {
	return engine.TransportStatus{Name: "https", State: "running"}, s.err
}

func (s *scripted) Transports(context.Context) ([]engine.TransportStatus, error) {
	return []engine.TransportStatus{{Name: "https", State: "running", Restarts: 2}}, s.err
}

func (s *scripted) Publish(_ context.Context, tenant string, in []engine.PublishInput) ([]engine.PublishResult, error) {
	s.note("publish %s %d", tenant, len(in))
	if s.err != nil {
		return nil, s.err
	}
	s.published = nil
	for _, p := range in { // the bytes are the request's: valid until Publish returns
		p.Data, p.Payload = append([]byte(nil), p.Data...), append([]byte(nil), p.Payload...)
		p.Actor, p.Metadata = append([]byte(nil), p.Actor...), append([]byte(nil), p.Metadata...)
		s.published = append(s.published, p)
	}
	if s.results != nil {
		return s.results(in), nil
	}
	out := make([]engine.PublishResult, len(in))
	for i, p := range in {
		if out[i].Err = p.Err; p.Err == nil {
			out[i].Published = &engine.Published{ID: "evt_1", UID: "evu_1", Seq: uint64(i + 1), Matched: []engine.Matched{}}
		}
	}
	return out, nil
}

func (s *scripted) Tenant(_ context.Context, id string) (engine.Tenant, error) {
	s.note("tenant %s", id)
	profile, known := map[string]string{"acme": "osir", "1010": "dnsimple"}[id]
	if !known {
		return engine.Tenant{}, &engine.Error{Code: engine.CodeNotFound, Detail: "no tenant here"}
	}
	return engine.Tenant{ID: id, Profile: profile}, s.err
}

func (s *scripted) CreateTenant(_ context.Context, by engine.Actor, in engine.TenantInput) (engine.Tenant, error) {
	s.note("create tenant by %s", by.Name)
	s.tenant = in
	return engine.Tenant{ID: in.ID}, s.err
}

func (s *scripted) CreateEndpoint(_ context.Context, _ engine.Actor, tenant string, in engine.EndpointInput) (engine.Endpoint, error) {
	s.note("create endpoint of %s", tenant)
	s.endpoint = in
	return engine.Endpoint{ID: "ep_1", URL: in.URL.Value, Number: 1}, s.err
}

func (s *scripted) UpdateEndpoint(_ context.Context, _ engine.Actor, tenant, id string, in engine.EndpointInput) (engine.Endpoint, error) {
	s.note("update endpoint %s of %s", id, tenant)
	s.endpoint = in
	return engine.Endpoint{ID: id}, s.err
}

func (s *scripted) Endpoint(_ context.Context, tenant, id string) (engine.Endpoint, error) {
	s.note("endpoint %s of %s", id, tenant)
	return engine.Endpoint{ID: id}, s.err
}

func (s *scripted) EndpointStats(_ context.Context, tenant, id string, in engine.StatsInput) (engine.Stats, error) {
	s.note("stats of %s %s %v", tenant, id, in.Step)
	return engine.Stats{}, s.err
}

func (s *scripted) Stats(_ context.Context, in engine.StatsInput) (engine.SystemStats, error) {
	s.note("stats %v", in.Step)
	return engine.SystemStats{}, s.err
}

func (s *scripted) Attempt(_ context.Context, tenant, id string) (engine.Attempt, error) {
	s.note("attempt %s %s", tenant, id)
	return engine.Attempt{ID: id}, s.err
}

func (s *scripted) EnableEndpoint(_ context.Context, _ engine.Actor, tenant, id string) (engine.Endpoint, error) {
	s.note("enable %s of %s", id, tenant)
	return engine.Endpoint{ID: id}, s.err
}

func (s *scripted) Deliveries(_ context.Context, tenant string, in engine.ListInput) (engine.Page[engine.Delivery], error) {
	s.note("deliveries of %s", tenant)
	s.listed = in
	return engine.Page[engine.Delivery]{}, s.err
}

func (s *scripted) Attempts(_ context.Context, tenant string, in engine.ListInput) (engine.Page[engine.Attempt], error) {
	s.note("attempts of %s", tenant)
	s.listed = in
	return engine.Page[engine.Attempt]{}, s.err
}

func (s *scripted) Recover(_ context.Context, _ engine.Actor, tenant, endpoint string, in engine.RecoverInput) (engine.RecoverAccepted, error) {
	s.note("recover %s %s", tenant, endpoint)
	s.recover = in
	return engine.RecoverAccepted{}, s.err
}

func (s *scripted) Recoveries(_ context.Context, tenant string, _ engine.ListInput) (engine.Page[engine.Recovery], error) {
	s.note("recoveries %s", tenant)
	return engine.Page[engine.Recovery]{}, s.err
}

func (s *scripted) Recovery(_ context.Context, tenant, id string) (engine.Recovery, error) {
	s.note("recovery %s %s", tenant, id)
	return engine.Recovery{}, s.err
}

func (s *scripted) CancelRecovery(_ context.Context, _ engine.Actor, tenant, id string) (engine.Recovery, error) {
	s.note("cancel recovery %s %s", tenant, id)
	return engine.Recovery{}, s.err
}

func (s *scripted) AdvanceClock(_ context.Context, by time.Duration) (engine.Time, error) {
	s.note("advance %v", by)
	return 1000, s.err
}

var errInside = errors.New("secret detail of the store")

// face is a Server on a Service, and a client of it.
type face struct {
	t testing.TB
	*Server
	engine *scripted
}

func newFace(t testing.TB) *face {
	t.Helper()
	s, err := New(Config{Version: "test", Pages: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })})
	if err != nil {
		t.Fatal(err)
	}
	st := &scripted{head: 42}
	s.Use(st)
	return &face{t: t, Server: s, engine: st}
}

// ask makes one request with the key; headers are "Name: value", and may take the key away.
func (f *face) ask(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	var content io.Reader = http.NoBody
	if body != "" {
		content = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, content)
	r.Header.Set("Authorization", "Bearer "+testKey)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if r.Header.Set(name, value); value == "" {
			r.Header.Del(name)
		}
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

func (s *scripted) Why(_ context.Context, tenant, event, endpoint string) (engine.Why, error) {
	s.note("why %s %s %s", tenant, event, endpoint)
	return engine.Why{}, s.err
}

func (s *scripted) SimulateFilter(_ context.Context, in engine.SimulateInput) (engine.FilterSimulated, error) {
	s.note("simulate %s %s", in.Tenant, in.Filter)
	return engine.FilterSimulated{Valid: true}, s.err
}

func (s *scripted) CheckFilter(_ context.Context, in engine.FilterInput) (engine.FilterChecked, error) {
	s.note("check %s", in.Filter)
	return engine.FilterChecked{Valid: true}, s.err
}
