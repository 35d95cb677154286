package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/eventlog/pebblelog"
	"github.com/hookline/hookline/eventlog/projection"
	"github.com/hookline/hookline/eventlog/seal"
)

// BenchmarkSimulate is a back-test over 100 000 events of a log on disk: read, unsealed, decoded and evaluated. One op is
// one simulation.
func BenchmarkSimulate(b *testing.B) {
	for _, size := range []int{200, 1000} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			e := simulated100k(b, size)
			for _, c := range []struct{ name, filter string }{{"equal", `data.zone.name == "z7.example"`}, {"prefix-and-number", `data.zone.name startsWith "z" and data.ttl < 60`}} {
				b.Run(c.name, func(b *testing.B) {
					for b.Loop() {
						got := must(e.SimulateFilter(b.Context(), SimulateInput{Tenant: "acc", Filter: c.filter, HasFilter: true, Last: MaxSimulated}))(b)
						if got.Events != MaxSimulated || got.Failed+got.Erased != 0 || got.Matched == 0 {
							b.Fatalf("%+v", got)
						}
					}
					b.ReportMetric(float64(MaxSimulated*b.N)/b.Elapsed().Seconds(), "events/s")
				})
			}
		})
	}
}

// simulated100k is an engine on disk whose tenant has published so many events, each delivered once.
func simulated100k(b *testing.B, size int) *Engine {
	dir, ctx := b.TempDir(), context.Background()
	log := must(pebblelog.Open(pebblelog.Options{Dir: filepath.Join(dir, "log")}))(b)
	b.Cleanup(func() { log.Close() })
	master := must(seal.GenerateMaster(filepath.Join(dir, "master.key")))(b)
	keyring := must(seal.Open(filepath.Join(dir, "keyring"), master))(b)
	b.Cleanup(func() { keyring.Close() })
	store := must(projection.Open(ctx, projection.Options{Dir: filepath.Join(dir, "views"), Version: ViewsVersion, Log: log}))(b)
	b.Cleanup(func() { store.Close() })
	views := must(NewViews(projection.FollowerOptions{Log: log, Store: store}))(b)
	e := must(Open(ctx, Config{Log: log, Keyring: keyring, Views: views, Dir: dir, Owner: "bench",
		Profiles: profile.Builtin(), Transports: map[string]Transport{"https": {Submitter: &instant{}}}}))(b)
	b.Cleanup(func() { e.Close() })
	osir := "osir"
	must(e.CreateTenant(ctx, Actor{}, TenantInput{ID: "acc", Profile: &osir}))(b)
	must(e.CreateEndpoint(ctx, Actor{}, "acc", EndpointInput{URL: Some("https://r.example/"), Concurrency: Some(64)}))(b)
	pad := strings.Repeat("x", max(0, size-60))
	for n := 0; n < MaxSimulated; n += MaxBatchEvents {
		in := make([]PublishInput, MaxBatchEvents)
		for i := range in {
			in[i] = PublishInput{Type: "zone_record.created", Data: json.RawMessage(fmt.Sprintf(`{"zone":{"name":"z%d.example"},"ttl":%d,"note":"%s"}`, (n+i)%1000, (n+i)%300, pad))}
		}
		for _, r := range must(e.Publish(ctx, "acc", in))(b) {
			if r.Err != nil {
				b.Fatal(r.Err)
			}
		}
	}
	for e.Metrics().Pending > 0 || e.Metrics().InFlight > 0 {
		if err := e.seeAll(ctx, 0); err != nil {
			b.Fatal(err)
		}
		must(e.LogStatus(ctx))(b)
	}
	return e
}

// BenchmarkPublishBesideSimulations is what simulations take from delivery: one op is one event published, attempted and
// recorded by 64 publishers, while by turns of 250 ms nothing and a back-test of 100 000 events run, over and over. Taking
// turns, both have the same machine.
func BenchmarkPublishBesideSimulations(b *testing.B) {
	e := simulated100k(b, 1000)
	data := json.RawMessage(`{"note":"` + strings.Repeat("x", 1000) + `"}`)
	ctx, cancel := context.WithCancel(b.Context())
	var turn, published [2]atomic.Int64 // [1] beside a simulation; turn in ns
	var beside atomic.Int32
	var running sync.WaitGroup
	running.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			began := time.Now()
			turnCtx, end := context.WithTimeout(ctx, 250*time.Millisecond)
			beside.Store(int32(n % 2))
			for n%2 == 1 && turnCtx.Err() == nil {
				_, _ = e.SimulateFilter(turnCtx, SimulateInput{Tenant: "acc", Filter: `data.zone.name == "z7.example"`, HasFilter: true, Last: MaxSimulated})
			}
			<-turnCtx.Done()
			end()
			turn[n%2].Add(int64(time.Since(began)))
		}
	})
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r := must(e.Publish(ctx, "acc", []PublishInput{{Type: "domain.registered", Data: data}}))(b); r[0].Err != nil {
				b.Error(r[0].Err)
			}
			published[beside.Load()].Add(1)
		}
	})
	b.StopTimer()
	cancel()
	running.Wait()
	rate := func(n *atomic.Int64, i int) float64 { return float64(n.Load()) / (float64(turn[i].Load())/1e9 + 1e-9) }
	b.ReportMetric(rate(&published[0], 0), "alone/s")
	b.ReportMetric(rate(&published[1], 1), "beside/s")
}
