package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hookline/hookline/engine"
)

// instant is an engine that takes everything at once: what is measured is this face.
type instant struct {
	Service
	admin  engine.Principal
	result []engine.PublishResult
}

func newInstant() *instant {
	return &instant{admin: engine.Principal{ID: engine.AdminKeyID, Scope: engine.ScopeAdmin}, result: []engine.PublishResult{{Published: &engine.Published{
		ID: "evt_1crxfnzfwb341xxnhg9fa4vrar", UID: "evu_00000000000000020003yn6jnm", Seq: 123456,
		Matched: []engine.Matched{{EndpointID: "ep_0000000000000001g003yn6jnm", DeliveryID: "dlv_00000000000000020003yn6jnm",
			SubscriptionID: "sub_0000000000000001g003yn6jnm", SubscriptionIDs: []string{"sub_0000000000000001g003yn6jnm"}}},
	}}}}
}

func (i *instant) HeadSeq() uint64 { return 123456 }
func (i *instant) Authenticate(key string) *engine.Principal {
	if key != testKey {
		return nil
	}
	return &i.admin
}

func (i *instant) Publish(context.Context, string, []engine.PublishInput) ([]engine.PublishResult, error) {
	return i.result, nil
}

func publishText() string {
	return `{"type":"domain.registered","data":{"domain":"example.com","registrant":"someone@example.com","note":"` + strings.Repeat("0123456789", 90) + `"}}`
}

// discard is a ResponseWriter that keeps nothing.
type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkPublishHandler is one publish of 1 KiB through the handler alone.
func BenchmarkPublishHandler(b *testing.B) {
	s, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	s.Use(newInstant())
	text := publishText()
	body := strings.NewReader(text)
	r, err := http.NewRequest("POST", "/v1/tenants/acme/events", io.NopCloser(body))
	if err != nil {
		b.Fatal(err)
	}
	r.ContentLength = int64(len(text))
	r.Header.Set("Authorization", "Bearer "+testKey)
	w := &discard{h: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(text)
		clear(w.h)
		s.ServeHTTP(w, r)
	}
}

// BenchmarkPublishHTTP is the same over loopback: 64 connections kept alive, a client that does as little as it can.
func BenchmarkPublishHTTP(b *testing.B) {
	s, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	s.Use(newInstant())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	web := s.Front("")
	done := make(chan error, 1)
	go func() { done <- web.Serve(l) }()
	text := publishText()
	request := fmt.Appendf(nil, "POST /v1/tenants/acme/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", testKey, len(text), text)
	const connections = 64
	var left atomic.Int64
	left.Store(int64(b.N))
	finished := make(chan error, connections)
	b.ReportAllocs()
	b.ResetTimer()
	used := cpuTime(b)
	for range connections {
		go func() { finished <- publishUntil(l.Addr().String(), request, &left) }()
	}
	for range connections {
		if err := <-finished; err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
	b.ReportMetric(float64((cpuTime(b)-used).Nanoseconds())/float64(b.N), "cpu-ns/op") // of server and client, on however busy a machine
	web.Close()
	<-done
}

// cpuTime is what this process has used so far.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// publishUntil sends a request after the other on one connection until none is left.
func publishUntil(addr string, request []byte, left *atomic.Int64) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for left.Add(-1) >= 0 {
		if _, err := c.Write(request); err != nil {
			return err
		}
		status, err := in.ReadSlice('\n')
		if err != nil || !strings.Contains(string(status), " 202 ") {
			return fmt.Errorf("%q: %v", status, err)
		}
		length := 0
		for {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return err
			}
			if len(line) <= 2 {
				break
			}
			if strings.HasPrefix(string(line), "Content-Length: ") {
				fmt.Sscanf(string(line), "Content-Length: %d", &length)
			}
		}
		if _, err := in.Discard(length); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkBatch is 1000 events of 1 KiB through the handler alone.
func BenchmarkBatch(b *testing.B) {
	s, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	one := newInstant()
	for range 999 {
		one.result = append(one.result, one.result[0])
	}
	s.Use(one)
	text := `{"events":[` + strings.TrimSuffix(strings.Repeat(publishText()+",", 1000), ",") + `]}`
	body := strings.NewReader(text)
	r, err := http.NewRequest("POST", "/v1/tenants/acme/events:batch", io.NopCloser(body))
	if err != nil {
		b.Fatal(err)
	}
	r.ContentLength = int64(len(text))
	r.Header.Set("Authorization", "Bearer "+testKey)
	w := &discard{h: http.Header{}}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(text)
		clear(w.h)
		s.ServeHTTP(w, r)
	}
}
