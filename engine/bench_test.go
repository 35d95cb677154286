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
	"github.com/hookline/hookline/transports"
)

// instant acknowledges at once: what is left is the engine and its log.
type instant struct{ n atomic.Int64 }

func (i *instant) Submit(_ context.Context, _ *transports.Request, done func(transports.Result, error)) {
	i.n.Add(1)
	done(transports.Result{Outcome: transports.Acknowledged, Status: 200, Headers: []transports.Header{{Name: "content-length", Value: "2"}}, Body: []byte("OK")}, nil)
}

// BenchmarkPublishToRecorded is the engine on disk, without a network: one op is one event published, routed, attempted
// once and recorded, by 64 publishers.
func BenchmarkPublishToRecorded(b *testing.B) {
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) { benchPublish(b, size) })
	}
}

func benchPublish(b *testing.B, size int) {
	dir, ctx := b.TempDir(), context.Background()
	log := must(pebblelog.Open(pebblelog.Options{Dir: filepath.Join(dir, "log")}))(b)
	defer log.Close()
	master := must(seal.GenerateMaster(filepath.Join(dir, "master.key")))(b)
	keyring := must(seal.Open(filepath.Join(dir, "keyring"), master))(b)
	defer keyring.Close()
	store := must(projection.Open(ctx, projection.Options{Dir: filepath.Join(dir, "views"), Version: ViewsVersion, Log: log}))(b)
	defer store.Close()
	views := must(NewViews(projection.FollowerOptions{Log: log, Store: store}))(b)
	net := &instant{}
	e := must(Open(ctx, Config{Log: log, Keyring: keyring, Views: views, Dir: dir, Owner: "bench",
		Profiles: profile.Builtin(), Transports: map[string]Transport{"https": {Submitter: net}}}))(b)
	defer e.Close()
	osir := "osir"
	must(e.CreateTenant(ctx, Actor{}, TenantInput{ID: "acc", Profile: &osir}))(b)
	must(e.CreateEndpoint(ctx, Actor{}, "acc", EndpointInput{URL: Some("https://r.example/"), Concurrency: Some(64)}))(b)
	data := json.RawMessage(`{"note":"` + strings.Repeat("x", 1000) + `"}`)
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			in := make([]PublishInput, size)
			for next.Add(int64(size)) <= int64(b.N+size-1) {
				for i := range in {
					in[i] = PublishInput{Type: "domain.registered", Data: data}
				}
				if _, err := e.Publish(ctx, "acc", in); err != nil {
					b.Error(err)
					return
				}
			}
		}()
	}
	wg.Wait()
	for e.Metrics().Deliveries["succeeded"] < e.Metrics().Published {
		time.Sleep(time.Millisecond)
	}
	b.ReportMetric(float64(e.Metrics().Published)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(e.Metrics().Records)/float64(e.Metrics().Batches), "records/batch")
}
