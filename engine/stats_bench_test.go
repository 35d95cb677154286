package engine

import (
	"encoding/json"
	"testing"
)

// BenchmarkStats sums up an endpoint with 20 000 attempts within the span; ns/attempt is what one of them costs.
func BenchmarkStats(b *testing.B) {
	const attempts = 20_000
	r := newRig(b, nil)
	r.tenant("acme", "osir")
	ep := r.endpoint("acme", EndpointInput{})
	batch := make([]PublishInput, 1000)
	for i := range batch {
		batch[i] = PublishInput{Type: "domain.renewed", Data: json.RawMessage(`{"domain":"own.example"}`)}
	}
	for range attempts / len(batch) {
		must(r.Publish(b.Context(), "acme", batch))(b)
		r.advance(1)
	}
	for b.Loop() {
		s := must(r.EndpointStats(b.Context(), "acme", ep.ID, StatsInput{Step: 30 * 60e9}))(b)
		if s.Attempts.Acknowledged != attempts {
			b.Fatal(s.Attempts)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/attempts, "ns/attempt")
}
