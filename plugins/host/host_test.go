package host_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/plugins/proto"
	"github.com/hookline/hookline/transports"
)

func start(t *testing.T, change func(*host.Config)) *host.Host {
	t.Helper()
	c := plugintest.Config("probe", nil)
	if change != nil {
		change(&c)
	}
	return plugintest.Start(t, c)
}

func report(t *testing.T, h *host.Host, what string) string {
	t.Helper()
	res, err := h.Deliver(t.Context(), request("report "+what))
	if err != nil {
		t.Fatalf("report %s: %v", what, err)
	}
	return string(res.Body)
}

// until waits for what the processes do by themselves; it fails the test after 10 s.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// gone says that a process has ended; a zombie has.
func gone(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(rest, "Z") || strings.HasPrefix(rest, "X")
}

func TestStart(t *testing.T) {
	began := time.Now()
	h := start(t, func(c *host.Config) { c.Settings = []byte(`{"a":1}`) })
	if got := report(t, h, "settings"); got != `{"a":1}` {
		t.Errorf("settings %q", got)
	}
	t.Logf("start to first reply: %s", time.Since(began))
	d := h.Describe()
	if d.Name != "probe" || d.Version != "1.2.3" || string(d.ConfigSchema) != `{"type":"object"}` {
		t.Errorf("description %+v", d)
	}
	if got := h.Health(); got.State != host.Running || got.PID == 0 || got.Restarts != 0 || len(got.Checksum) != 64 || got.Version != "1.2.3" || got.Window != 4096 {
		t.Errorf("health %+v", got)
	}
	body := bytes.Repeat([]byte{0, 255, 'x'}, 20_000)
	req := request("echo")
	req.Body = body
	if res, err := h.Deliver(t.Context(), req); err != nil || !bytes.Equal(res.Body, body) {
		t.Errorf("%d bytes came back, %v", len(res.Body), err)
	}
}

// Section 9: no inherited environment, no descriptors, no terminal.
func TestNothingInherited(t *testing.T) {
	t.Setenv("HOOKLINE_ADMIN_KEY", "secret")
	leak, err := syscall.Open("/proc/self/status", syscall.O_RDONLY, 0) // without close-on-exec
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(leak)
	h := start(t, nil)
	for name := range strings.FieldsSeq(report(t, h, "environment")) {
		if name != proto.CookieKey && !strings.HasPrefix(name, "PLUGIN_") {
			t.Errorf("the plugin sees %s", name)
		}
	}
	for line := range strings.Lines(report(t, h, "descriptors")) {
		if line = strings.TrimSpace(line); strings.Contains(line, "/proc/") && !strings.HasSuffix(line, "/fd") {
			t.Errorf("the plugin holds %s", line)
		}
	}
	if first := strings.SplitN(report(t, h, "descriptors"), "\n", 2)[0]; first != "/dev/null" {
		t.Errorf("standard input is %s", first)
	}
}

// What the plugin does wrong is an error of ours, for that attempt only (promise 9).
func TestFaults(t *testing.T) {
	h := start(t, nil)
	pid := h.Health().PID
	for target, say := range map[string]string{"panic": "panicked: on request", "fault": "out of paper"} {
		_, err := h.Deliver(t.Context(), request(target))
		if !errors.Is(err, transports.ErrInterrupted) || !errors.Is(err, proto.ErrFault) || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: %v", target, err)
		}
	}
	if _, err := h.Deliver(t.Context(), request("echo")); err != nil || h.Health().PID != pid || h.Health().Restarts != 0 {
		t.Errorf("afterwards: %v, %+v", err, h.Health())
	}
}

func TestRefusesWhatTheWireCannotCarry(t *testing.T) {
	h := start(t, nil)
	for name, change := range map[string]func(*transports.Request){
		"no timeout": func(r *transports.Request) { r.Timeout = 0 }, "huge body": func(r *transports.Request) { r.Body = make([]byte, proto.MaxBody+1) },
		"target": func(r *transports.Request) { r.Target = "\xff" }, "header": func(r *transports.Request) { r.Headers = []transports.Header{{Name: "\xff"}} },
		"huge header": func(r *transports.Request) {
			r.Headers = []transports.Header{{Name: "a", Value: strings.Repeat("x", 1<<20)}}
		},
	} {
		req := request("echo")
		change(req)
		if res, err := h.Deliver(context.Background(), req); err == nil {
			t.Errorf("%s: %s", name, res.Outcome)
		}
	}
	req := request("echo")
	req.Body = make([]byte, proto.MaxBody)
	if res, err := h.Deliver(t.Context(), req); err != nil || len(res.Body) != transports.MaxResponseBody || !res.Truncated {
		t.Errorf("largest body: %v, %d bytes back", err, len(res.Body))
	}
}

// The window is the plugin's: never more than that many attempts without a result, and all are made.
func TestWindow(t *testing.T) {
	c := plugintest.Config("narrow", nil)
	h := plugintest.Start(t, c)
	var wg sync.WaitGroup
	for range 100 {
		wg.Add(1)
		h.Submit(t.Context(), request("wait 2ms"), func(r transports.Result, err error) {
			if err != nil || r.Outcome != transports.Acknowledged {
				t.Errorf("%s, %v", r.Outcome, err)
			}
			wg.Done()
		})
	}
	wg.Wait()
	if got := report(t, h, "most"); got != "4" && got != "3" && got != "2" {
		t.Errorf("%s attempts at once, window is 4", got)
	}
}

// What waits to be sent is bounded.
func TestQueueIsBounded(t *testing.T) {
	c := plugintest.Config("narrow", nil)
	c.MaxInFlight = 8
	h := plugintest.Start(t, c)
	ended := make(chan error, 50)
	for range 50 {
		h.Submit(t.Context(), request("wait 300ms"), func(_ transports.Result, err error) { ended <- err })
	}
	var refused int
	for range 50 {
		if err := <-ended; errors.Is(err, transports.ErrInterrupted) {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	if refused < 50-4-8-4 || refused > 50-8 {
		t.Errorf("%d of 50 refused", refused)
	}
}

// An attempt whose result never comes is given up after timeout and grace; a plugin all of whose places are lost is
// started anew.
func TestGivenUp(t *testing.T) {
	c := plugintest.Config("narrow", nil)
	c.Grace = 200 * time.Millisecond
	h := plugintest.Start(t, c)
	pid := h.Health().PID
	stuck := request("stuck")
	stuck.Timeout = 100 * time.Millisecond
	began := time.Now()
	_, err := h.Deliver(t.Context(), stuck)
	if !errors.Is(err, transports.ErrInterrupted) || !strings.Contains(err.Error(), "no result within 100ms") {
		t.Errorf("%v", err)
	}
	if d := time.Since(began); d < 300*time.Millisecond || d > 5*time.Second {
		t.Errorf("given up after %s", d)
	}
	if _, err := h.Deliver(t.Context(), request("echo")); err != nil || h.Health().PID != pid {
		t.Errorf("one lost place: %v, pid %d then %d", err, pid, h.Health().PID)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { _, _ = h.Deliver(t.Context(), stuck) })
	}
	wg.Wait()
	until(t, "a new process", func() bool { got := h.Health(); return got.State == host.Running && got.PID != pid })
	if _, err := h.Deliver(t.Context(), request("echo")); err != nil {
		t.Error(err)
	}
}

// Nobody waits any more: the plugin is told, and the place becomes free.
func TestCancel(t *testing.T) {
	h := start(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := h.Deliver(ctx, request("wait 1m"))
		ended <- err
	}()
	until(t, "the attempt to arrive", func() bool { return report(t, h, "most") != "1" })
	cancel()
	if err := <-ended; !errors.Is(err, transports.ErrInterrupted) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	until(t, "the plugin to hear of it", func() bool { return report(t, h, "canceled") == "1" })
	until(t, "the place to be free", func() bool { return h.Health().InFlight == 0 })
}

// Close waits for what is under way, and interrupts it when the limit is over.
func TestClose(t *testing.T) {
	h, err := host.Start(t.Context(), plugintest.Config("probe", nil))
	if err != nil {
		t.Fatal(err)
	}
	pid := h.Health().PID
	ended := make(chan error, 2)
	h.Submit(t.Context(), request("wait 300ms"), func(_ transports.Result, err error) { ended <- err })
	if err := h.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("under way: %v", err)
	}
	if !gone(pid) || h.Health().State != host.Closed {
		t.Errorf("process gone %t, %+v", gone(pid), h.Health())
	}
	if _, err := h.Deliver(t.Context(), request("echo")); !errors.Is(err, transports.ErrInterrupted) {
		t.Errorf("after close: %v", err)
	}
	if err := h.Close(t.Context()); err != nil {
		t.Errorf("second close: %v", err)
	}

	if h, err = host.Start(t.Context(), plugintest.Config("probe", nil)); err != nil {
		t.Fatal(err)
	}
	pid = h.Health().PID
	for _, target := range []string{"wait 1m", "stuck"} {
		h.Submit(t.Context(), request(target), func(_ transports.Result, err error) { ended <- err })
	}
	limit, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := h.Close(limit); !errors.Is(err, transports.ErrInterrupted) || !strings.Contains(err.Error(), "2 attempts") {
		t.Errorf("close over its limit: %v", err)
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, transports.ErrInterrupted) {
			t.Errorf("interrupted: %v", err)
		}
	}
	if !gone(pid) {
		t.Error("the process lives")
	}
}

// What a plugin prints lands in the host's log, line by line.
func TestLog(t *testing.T) {
	var mu sync.Mutex
	var log bytes.Buffer
	h := start(t, func(c *host.Config) { c.Logger = slog.New(slog.NewTextHandler(locked{&mu, &log}, nil)) })
	if _, err := h.Deliver(t.Context(), request("print hello")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`transport=probe stream=stdout line="to stdout: hello"`, `transport=probe stream=stderr line="to stderr: hello"`, `msg="plugin runs"`} {
		until(t, want, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.Contains(log.String(), want)
		})
	}
}

type locked struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
