package https_test

import (
	"context"
	"net/netip"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookline/hookline/transports"
	"github.com/hookline/hookline/transports/https"
	"github.com/hookline/hookline/transports/transporttest"
)

// BenchmarkDeliver is the whole attempt over TLS on loopback, the receiver's work included: 1 KiB bodies, the number of
// callers as given, so ns/op is CPU of both sides divided by the cores.
func BenchmarkDeliver(b *testing.B) {
	ca := transporttest.NewCA(b)
	r := transporttest.NewReceiver(b, ca, transporttest.OK())
	tr, err := https.New(https.Options{AllowCIDR: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, TrustPEM: ca.PEM})
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close()
	for _, callers := range []int{1, 64, 256} {
		b.Run(strconv.Itoa(callers), func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(max(1, callers/2))
			var failed atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				req := exampleRequest(r.URL, make([]byte, 1024))
				for pb.Next() {
					res, err := tr.Deliver(context.Background(), req)
					if err != nil || res.Outcome != transports.Acknowledged {
						failed.Add(1)
					}
				}
			})
			if failed.Load() > 0 {
				b.Fatalf("%d attempts failed", failed.Load())
			}
		})
	}
}

func exampleRequest(target string, body []byte) *transports.Request {
	return &transports.Request{
		Target: target, Body: body, Timeout: 30 * time.Second,
		Headers: []transports.Header{
			{Name: "content-type", Value: "application/json"},
			{Name: "user-agent", Value: "hookline/1"},
			{Name: "x-osir-signature", Value: "c9cb0e50f8087a3e628449816a6e5e5c88a46826f565408f90f56b01c82bbbc2"},
		},
	}
}
