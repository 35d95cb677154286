package brokertest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/transports"
)

// Bench measures deliveries of 1 KiB through the plugin's process, at most 256 under way.
func Bench(b *testing.B, broker Broker) {
	h := plugintest.Start(b, plugintest.Config(broker.Plugin.Name, json.RawMessage(broker.Settings)))
	body := make([]byte, 1024)
	for i := range body {
		body[i] = 'a' + byte(i%26)
	}
	var failed atomic.Int64
	var wg sync.WaitGroup
	places := make(chan struct{}, 256)
	var first atomic.Value
	run := func(from, n int) {
		for i := range n {
			places <- struct{}{}
			wg.Add(1)
			h.Submit(context.Background(), request(broker.Target, fmt.Sprint(b.Name(), b.N, "-", from+i), body), func(r transports.Result, err error) {
				if err != nil || r.Outcome != transports.Acknowledged {
					failed.Add(1)
					first.CompareAndSwap(nil, fmt.Sprint(r.Outcome, " ", r.Error, " ", err))
				}
				<-places
				wg.Done()
			})
		}
		wg.Wait()
	}
	run(-1024, 1024)
	b.ResetTimer()
	run(0, b.N)
	b.StopTimer()
	if failed.Load() > 0 {
		b.Fatalf("%d attempts failed, the first: %v", failed.Load(), first.Load())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}
