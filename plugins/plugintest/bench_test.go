package plugintest_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/transports"
	"github.com/hookline/hookline/transports/https"
	"github.com/hookline/hookline/transports/transporttest"
)

// submitAll brings b.N attempts through a Submitter, at most 256 under way, after enough to have every connection made.
func submitAll(b *testing.B, s transports.Submitter, pid int, req *transports.Request) {
	var failed atomic.Int64
	var wg sync.WaitGroup
	places := make(chan struct{}, 256)
	run := func(n int) {
		for range n {
			places <- struct{}{}
			wg.Add(1)
			s.Submit(context.Background(), req, func(r transports.Result, err error) {
				if err != nil || r.Outcome != transports.Acknowledged {
					failed.Add(1)
				}
				<-places
				wg.Done()
			})
		}
		wg.Wait()
	}
	run(4 * cap(places))
	b.ReportAllocs()
	before := cpuTime(b, pid)
	b.ResetTimer()
	run(b.N)
	b.StopTimer()
	if failed.Load() > 0 {
		b.Fatalf("%d attempts failed", failed.Load())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "attempts/s")
	b.ReportMetric(float64((cpuTime(b, pid)-before).Microseconds())/float64(b.N), "cpu-us/attempt")
}

func request(target string) *transports.Request {
	return &transports.Request{
		Target: target, Body: make([]byte, 1024), Timeout: 30 * time.Second, EventID: "evt_0123456789abcdefghjkmnpqrs",
		Headers: []transports.Header{
			{Name: "content-type", Value: "application/json"},
			{Name: "user-agent", Value: "hookline/1"},
			{Name: "x-osir-signature", Value: "c9cb0e50f8087a3e628449816a6e5e5c88a46826f565408f90f56b01c82bbbc2"},
		},
	}
}

func BenchmarkEmpty(b *testing.B) {
	h := plugintest.Start(b, plugintest.Config("empty", nil))
	req := request("https://receiver.example/in")
	req.Body = nil
	submitAll(b, h, h.Health().PID, req)
}

func BenchmarkEmpty1KiB(b *testing.B) {
	h := plugintest.Start(b, plugintest.Config("empty", nil))
	submitAll(b, h, h.Health().PID, request("https://receiver.example/in"))
}

// pooled makes a Submitter of a Transport in process, as a dispatcher would: a fixed set of goroutines.
type pooled struct{ work chan func() }

func newPooled(b *testing.B, n int) *pooled {
	p := &pooled{work: make(chan func(), n)}
	for range n {
		go func() {
			for f := range p.work {
				f()
			}
		}()
	}
	b.Cleanup(func() { close(p.work) })
	return p
}

type submitter struct {
	*pooled
	transports.Transport
}

func (s submitter) Submit(ctx context.Context, req *transports.Request, done func(transports.Result, error)) {
	s.work <- func() { done(s.Deliver(ctx, req)) }
}

// BenchmarkHTTPS compares the same transport in process and through a plugin, to the same receiver on the same cores.
func BenchmarkHTTPS(b *testing.B) {
	ca := transporttest.NewCA(b)
	r := transporttest.NewReceiver(b, ca, transporttest.OK())
	o := https.Options{AllowCIDR: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, TrustPEM: ca.PEM, MaxIdlePerHost: 1024}
	b.Run("inprocess", func(b *testing.B) {
		tr, err := https.New(o)
		if err != nil {
			b.Fatal(err)
		}
		defer tr.Close()
		submitAll(b, submitter{newPooled(b, 256), tr}, 0, request(r.URL))
	})
	b.Run("plugin", func(b *testing.B) {
		settings, err := json.Marshal(o)
		if err != nil {
			b.Fatal(err)
		}
		h := plugintest.Start(b, plugintest.Config("https", settings))
		submitAll(b, h, h.Health().PID, request(r.URL))
	})
}
