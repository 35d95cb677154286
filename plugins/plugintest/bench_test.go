package plugintest_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
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
func submitAll(b *testing.B, s transports.Submitter, req *transports.Request, pids ...int) {
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
	before := cpuTime(b, pids...)
	b.ResetTimer()
	run(b.N)
	b.StopTimer()
	if failed.Load() > 0 {
		b.Fatalf("%d attempts failed", failed.Load())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "attempts/s")
	b.ReportMetric(float64((cpuTime(b, pids...)-before).Microseconds())/float64(b.N), "cpu-us/attempt")
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
	submitAll(b, h, req, h.Health().PID)
}

func BenchmarkEmpty1KiB(b *testing.B) {
	h := plugintest.Start(b, plugintest.Config("empty", nil))
	submitAll(b, h, request("https://receiver.example/in"), h.Health().PID)
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

// BenchmarkHTTPS compares the same transport in process and through a plugin, to the same receiver, which has a process of
// its own in both cases, on the same cores. CPU time is that of all of them.
func BenchmarkHTTPS(b *testing.B) {
	url, ca, receiver := receiverProcess(b)
	o := https.Options{AllowCIDR: transporttest.Loopback(), TrustPEM: ca, MaxIdlePerHost: 1024}
	b.Run("inprocess", func(b *testing.B) {
		tr, err := https.New(o)
		if err != nil {
			b.Fatal(err)
		}
		defer tr.Close()
		submitAll(b, submitter{newPooled(b, 256), tr}, request(url), receiver)
	})
	b.Run("plugin", func(b *testing.B) {
		settings, err := json.Marshal(o)
		if err != nil {
			b.Fatal(err)
		}
		h := plugintest.Start(b, plugintest.Config("https", settings))
		submitAll(b, h, request(url), receiver, h.Health().PID)
	})
}

const receiverArgument = "-hookline-test-receiver"

// beReceiver is the other process of BenchmarkHTTPS: it tells where it listens and its CA, and ends with its input.
func beReceiver() {
	if len(os.Args) < 2 || os.Args[1] != receiverArgument {
		return
	}
	testing.Init()
	testing.Benchmark(func(b *testing.B) {
		ca := transporttest.NewCA(b)
		r := transporttest.NewReceiver(b, ca, transporttest.OK())
		if err := json.NewEncoder(os.Stdout).Encode([]string{r.URL, string(ca.PEM)}); err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	})
}

func receiverProcess(b *testing.B) (url string, ca []byte, pid int) {
	cmd := exec.Command("/proc/self/exe", receiverArgument)
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	var said []string
	if err := json.NewDecoder(out).Decode(&said); err != nil {
		b.Fatal(err)
	}
	return said[0], []byte(said[1]), cmd.Process.Pid
}
