package brokertest

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/hookline/hookline/plugins/brokers/brokertest/servers"
	"github.com/hookline/hookline/plugins/brokers/ingest"
)

// toReal runs a pump into a real hookline until stop.
func toReal(tb testing.TB, s Stream, h servers.Hookline, park string) (p *ingest.Pump, stop func()) {
	tb.Helper()
	source := ingest.Source{Topic: s.Topic, Tenant: "acme", Park: park}
	if err := source.SetDefaults(); err != nil {
		tb.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(tb.Output(), nil))
	client, err := ingest.NewClient(&ingest.Server{URL: h.URL, Key: h.Key})
	if err != nil {
		tb.Fatal(err)
	}
	parking, err := ingest.OpenPark(park)
	if err != nil {
		tb.Fatal(err)
	}
	sub, err := s.Open(json.RawMessage(s.Broker), source, logger)
	if err != nil {
		tb.Fatal(err)
	}
	p = &ingest.Pump{Source: source, Subscriber: sub, Client: client, Park: parking, Logger: logger}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	return p, func() {
		cancel()
		<-done
		client.Close()
		_ = sub.Close()
		_ = parking.Close()
	}
}

// RunReal carries messages into a real hookline: each is one event, and all are acknowledged.
func RunReal(t *testing.T, s Stream) {
	const n = 3000
	h := servers.StartHookline(t, "acme")
	s.Produce(t, numbered(0, n))
	p, stop := toReal(t, s, h, filepath.Join(t.TempDir(), "parked"))
	defer stop()
	until(t, "all taken and acknowledged", func() bool { return p.Stats().Accepted >= n && s.Unsettled(t) == 0 })
	if st := p.Stats(); st.Accepted != n || st.Duplicates != 0 || st.Parked != 0 {
		t.Errorf("%+v", st)
	}
}

// BenchIngest measures events a second from a topic that is full into a real hookline, durable there. Run it with a count:
// -benchtime 100000x.
func BenchIngest(b *testing.B, s Stream) {
	h := servers.StartHookline(b, "acme")
	s.Produce(b, numbered(0, b.N))
	b.ResetTimer()
	p, stop := toReal(b, s, h, filepath.Join(b.TempDir(), "parked"))
	defer stop()
	for p.Stats().Accepted < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
