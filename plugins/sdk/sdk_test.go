package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/hookline/hookline/plugins/proto"
	"github.com/hookline/hookline/transports"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-by-hand" {
		os.Exit(Complain(Serve(Plugin{Name: "x", New: newFake(nil).make})))
	}
	goleak.VerifyTestMain(m)
}

// fake acknowledges; what else it does is up to the test.
type fake struct {
	deliver func(ctx context.Context, req *transports.Request) (transports.Result, error)
	closed  atomic.Int32
	made    atomic.Int32
}

func newFake(d func(context.Context, *transports.Request) (transports.Result, error)) *fake {
	return &fake{deliver: d}
}

func (f *fake) make(settings json.RawMessage) (transports.Transport, error) {
	if strings.Contains(string(settings), "bad") {
		return nil, errors.New("bad settings")
	}
	f.made.Add(1)
	return f, nil
}

func (f *fake) Deliver(ctx context.Context, req *transports.Request) (transports.Result, error) {
	if f.deliver != nil {
		return f.deliver(ctx, req)
	}
	return transports.Result{Outcome: transports.Acknowledged, Status: 200, Body: req.Body}, nil
}

func (f *fake) Close() error { f.closed.Add(1); return nil }

// serve runs a plugin behind real gRPC in this process.
func serve(t *testing.T, p Plugin) proto.TransportClient {
	t.Helper()
	server := grpc.NewServer(ServerOptions()...)
	ending, err := Register(server, p)
	if err != nil {
		t.Fatal(err)
	}
	l := bufconn.Listen(1 << 20)
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(l) })
	conn, err := grpc.NewClient("passthrough:plugin", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(proto.NewCodec())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
		wg.Wait()
		ending.Close()
	})
	return proto.NewTransportClient(conn)
}

func configured(t *testing.T, p Plugin) proto.TransportClient {
	t.Helper()
	c := serve(t, p)
	if _, err := c.Configure(t.Context(), &proto.Settings{}); err != nil {
		t.Fatal(err)
	}
	return c
}

// open starts a stream and returns it with the window that came first.
func open(t *testing.T, c proto.TransportClient) (grpc.ClientStream, uint32) {
	t.Helper()
	s, err := c.Deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var first proto.Results
	if err := s.RecvMsg(&first); err != nil {
		t.Fatal(err)
	}
	return s, first.Window
}

func send(t *testing.T, s grpc.ClientStream, m *proto.Attempts) {
	t.Helper()
	if err := s.SendMsg(m); err != nil {
		t.Fatal(err)
	}
}

func attempts(n int) *proto.Attempts {
	m := &proto.Attempts{}
	for i := range n {
		m.Items = append(m.Items, proto.Sending{ID: uint64(i), Req: &transports.Request{Target: "t", Body: []byte{byte(i)}, Timeout: time.Minute}})
	}
	return m
}

// collect reads results until n are there.
func collect(t *testing.T, s grpc.ClientStream, n int) map[uint64]proto.Ended {
	t.Helper()
	got := make(map[uint64]proto.Ended)
	for len(got) < n {
		var r proto.Results
		if err := s.RecvMsg(&r); err != nil {
			t.Fatal(err)
		}
		for _, e := range r.Items {
			if _, twice := got[e.ID]; twice {
				t.Errorf("id %d has two results", e.ID)
			}
			got[e.ID] = e
		}
	}
	return got
}

func TestDescribe(t *testing.T) {
	c := serve(t, Plugin{Name: "fake", Version: "7", ConfigSchema: []byte(`{"type":"object"}`), New: newFake(nil).make})
	d, err := c.Describe(t.Context(), &proto.DescribeRequest{})
	if err != nil || d.Name != "fake" || d.Version != "7" || string(d.ConfigSchema) != `{"type":"object"}` {
		t.Errorf("%v, %v", d, err)
	}
}

// Every attempt gets exactly one result with its own content, and the window is announced first.
func TestDeliver(t *testing.T) {
	f := newFake(nil)
	c := configured(t, Plugin{Name: "fake", New: f.make, MaxInFlight: 300})
	s, window := open(t, c)
	if window != 300 {
		t.Errorf("window %d", window)
	}
	for range 5 {
		send(t, s, attempts(100))
		for id, e := range collect(t, s, 100) {
			if e.Err != nil || len(e.Result.Body) != 1 || e.Result.Body[0] != byte(id) {
				t.Errorf("id %d: body %v, %v", id, e.Result.Body, e.Err)
			}
		}
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := s.RecvMsg(&proto.Results{}); !errors.Is(err, io.EOF) {
		t.Errorf("end: %v", err)
	}
}

// Closing the sending side waits for what is under way: no result is lost.
func TestCloseSendWaits(t *testing.T) {
	release := make(chan struct{})
	f := newFake(func(context.Context, *transports.Request) (transports.Result, error) {
		<-release
		return transports.Result{Outcome: transports.Rejected, Status: 500}, nil
	})
	s, _ := open(t, configured(t, Plugin{Name: "fake", New: f.make}))
	send(t, s, attempts(3))
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	close(release)
	collect(t, s, 3)
	if err := s.RecvMsg(&proto.Results{}); !errors.Is(err, io.EOF) {
		t.Errorf("end: %v", err)
	}
}

// A faulty Deliver, a panic and a missing timeout are that attempt's fault.
func TestFaults(t *testing.T) {
	f := newFake(func(_ context.Context, req *transports.Request) (transports.Result, error) {
		switch req.Body[0] {
		case 0:
			panic("zero")
		case 1:
			return transports.Result{}, errors.New("one")
		}
		return transports.Result{Outcome: transports.Acknowledged}, nil
	})
	s, _ := open(t, configured(t, Plugin{Name: "fake", New: f.make}))
	m := attempts(4)
	m.Items[3].Req.Timeout = 0
	send(t, s, m)
	got := collect(t, s, 4)
	for id, say := range map[uint64]string{0: "panicked: zero", 1: "one", 3: "timeout_ns"} {
		if e := got[id]; !errors.Is(e.Err, proto.ErrFault) || !strings.Contains(e.Err.Error(), say) {
			t.Errorf("id %d: %v", id, e.Err)
		}
	}
	if got[2].Err != nil {
		t.Errorf("id 2: %v", got[2].Err)
	}
}

// Cancel reaches the attempt's ctx and nobody else's; its result still comes. The end of the stream reaches all.
func TestCancel(t *testing.T) {
	causes := make(chan error, 10)
	f := newFake(func(ctx context.Context, _ *transports.Request) (transports.Result, error) {
		<-ctx.Done()
		causes <- ctx.Err()
		return transports.Result{}, ctx.Err()
	})
	c := configured(t, Plugin{Name: "fake", New: f.make})
	ctx, hangUp := context.WithCancel(t.Context())
	s, err := c.Deliver(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RecvMsg(&proto.Results{}); err != nil {
		t.Fatal(err)
	}
	send(t, s, attempts(3))
	send(t, s, &proto.Attempts{Cancel: []uint64{1, 99}}) // heard even before the attempt has begun
	if got := collect(t, s, 1); got[1].Err == nil {
		t.Errorf("%v", got)
	}
	if cause := <-causes; !errors.Is(cause, context.Canceled) {
		t.Errorf("cause %v", cause)
	}
	hangUp()
	for range 2 {
		<-causes
	}
	if _, err := c.Drain(t.Context(), &proto.DrainRequest{}); err != nil {
		t.Errorf("drain: %v", err)
	}
}

// A host that sends more than the window is cut off.
func TestWindowIsKept(t *testing.T) {
	f := newFake(func(ctx context.Context, _ *transports.Request) (transports.Result, error) {
		<-ctx.Done()
		return transports.Result{}, ctx.Err()
	})
	s, window := open(t, configured(t, Plugin{Name: "fake", New: f.make, MaxInFlight: 2}))
	send(t, s, attempts(int(window)+1))
	if err := s.RecvMsg(&proto.Results{}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("%v", err)
	}
}

func TestOrderOfCalls(t *testing.T) {
	c := serve(t, Plugin{Name: "fake", New: newFake(nil).make})
	s, err := c.Deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RecvMsg(&proto.Results{}); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("Deliver before Configure: %v", err)
	}
	if _, err := c.Configure(t.Context(), &proto.Settings{Json: []byte(`"bad"`)}); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "bad settings") {
		t.Errorf("bad settings: %v", err)
	}
}

// New settings replace the transport; the old one is closed once its last attempt has ended, not before.
func TestReconfigure(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	old := newFake(func(context.Context, *transports.Request) (transports.Result, error) {
		entered <- struct{}{}
		<-release
		return transports.Result{Outcome: transports.Acknowledged, Status: 201}, nil
	})
	next := newFake(nil)
	all := []*fake{old, next}
	c := configured(t, Plugin{Name: "fake", New: func(s json.RawMessage) (transports.Transport, error) {
		f := all[0]
		all = all[1:]
		return f.make(s)
	}})
	s, _ := open(t, c)
	send(t, s, attempts(1))
	<-entered
	if _, err := c.Configure(t.Context(), &proto.Settings{}); err != nil {
		t.Fatal(err)
	}
	m := attempts(2)
	m.Items = m.Items[1:]
	send(t, s, m)
	if got := collect(t, s, 1); got[1].Result.Status != 200 {
		t.Errorf("%+v", got)
	}
	if old.closed.Load() != 0 {
		t.Error("closed under an attempt")
	}
	close(release)
	if got := collect(t, s, 1); got[0].Result.Status != 201 {
		t.Errorf("%+v", got)
	}
	for old.closed.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
}

// Started by hand, a plugin says what it is and ends with 2.
func TestByHand(t *testing.T) {
	out, err := exec.Command("/proc/self/exe", "-by-hand").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "started by hookline, not by hand") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestPluginIsChecked(t *testing.T) {
	for name, p := range map[string]Plugin{
		"no name": {New: newFake(nil).make}, "no New": {Name: "x"}, "bad schema": {Name: "x", New: newFake(nil).make, ConfigSchema: []byte("{")},
		"too many": {Name: "x", New: newFake(nil).make, MaxInFlight: 1 << 20},
	} {
		if err := Serve(p); err == nil || errors.Is(err, ErrStartedByHand) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The attempt's own context keeps what package context promises, for it and for contexts made from it.
func TestAttemptContext(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		c := &attemptCtx{Context: context.WithValue(context.Background(), key{}, "v")}
		var ran atomic.Int32
		stop := c.AfterFunc(func() { ran.Add(1) })
		context.AfterFunc(c, func() { ran.Add(10) })
		unwanted := context.AfterFunc(c, func() { ran.Add(100) })
		child, release := context.WithTimeout(c, time.Hour)
		defer release()
		if !stop() || stop() || !unwanted() || c.Err() != nil || c.Value(key{}) != "v" {
			t.Error("before the end")
		}
		done := c.Done()
		c.cancel()
		c.cancel()
		<-done
		<-c.Done()
		<-child.Done()
		c.AfterFunc(func() { ran.Add(1000) })
		synctest.Wait()
		if !errors.Is(c.Err(), context.Canceled) || !errors.Is(child.Err(), context.Canceled) || ran.Load() != 1010 {
			t.Errorf("after the end: %v, %v, ran %d", c.Err(), child.Err(), ran.Load())
		}
	})
}

// The parent is looked at four times a second; once it has changed, the end is called once.
func TestParentWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var parent, gone atomic.Int32
		parent.Store(42)
		w := watchParent(func() int { return int(parent.Load()) }, parentPeriod, func() { gone.Add(1) })
		time.Sleep(time.Hour)
		if gone.Load() != 0 {
			t.Error("gone without reason")
		}
		parent.Store(1)
		time.Sleep(parentPeriod + time.Millisecond)
		synctest.Wait()
		if gone.Load() != 1 {
			t.Error("the end was not called")
		}
		w.stop()
		w = watchParent(func() int { return 1 }, parentPeriod, func() { gone.Add(1) })
		w.stop()
		time.Sleep(time.Hour)
		if gone.Load() != 1 {
			t.Error("called after stop")
		}
	})
}
