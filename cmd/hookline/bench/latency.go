package bench

import (
	"slices"
	"time"
)

// latency sums up stamps that have both ends; nil when none has.
func latency(stamps []stamp) *Latency {
	var ms []float64
	for i := range stamps {
		sent, received := stamps[i].sent.Load(), stamps[i].received.Load()
		if sent != 0 && received != 0 {
			ms = append(ms, float64(received-sent)/float64(time.Millisecond))
		}
	}
	if len(ms) == 0 {
		return nil
	}
	slices.Sort(ms)
	return &Latency{P50: quantile(ms, 0.50), P90: quantile(ms, 0.90), P99: quantile(ms, 0.99), Max: ms[len(ms)-1]}
}

// quantile is the smallest value that at least the share q of the sorted values does not exceed (nearest rank).
func quantile(sorted []float64, q float64) float64 {
	rank := int(q * float64(len(sorted)))
	if float64(rank) < q*float64(len(sorted)) {
		rank++
	}
	return sorted[max(rank, 1)-1]
}
