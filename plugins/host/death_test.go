package host_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/transports"
)

func kill(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
}

// A plugin that dies interrupts what was under way at once, and is there again for what comes next.
func TestDeath(t *testing.T) {
	h := start(t, nil)
	pid := h.Health().PID
	ended := make(chan error, 10)
	for range cap(ended) {
		h.Submit(t.Context(), request("wait 1m"), func(_ transports.Result, err error) { ended <- err })
	}
	until(t, "ten attempts under way", func() bool { return h.Health().InFlight == cap(ended) })
	began := time.Now()
	kill(t, pid, syscall.SIGKILL)
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, transports.ErrInterrupted) {
			t.Errorf("under way: %v", err)
		}
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("interrupted after %s", d)
	}
	if _, err := h.Deliver(t.Context(), request("echo")); err != nil { // waits for the restart
		t.Errorf("next: %v", err)
	}
	got := h.Health()
	if got.Restarts != 1 || got.PID == pid || got.LastError == "" || got.CrashLoop {
		t.Errorf("health %+v", got)
	}
}

// Three deaths without a healthy minute are a crash loop; attempts meanwhile wait at most 2 s; the wait doubles.
func TestCrashLoop(t *testing.T) {
	h := start(t, nil)
	for n := range 4 {
		until(t, "running", func() bool { return h.Health().State == host.Running })
		if _, err := h.Deliver(t.Context(), request("exit")); !errors.Is(err, transports.ErrInterrupted) {
			t.Fatalf("exit: %v", err)
		}
		until(t, "the death to be noted", func() bool { return h.Health().Restarts > n })
		if got := h.Health(); got.CrashLoop != (n+1 >= 3) {
			t.Errorf("after %d deaths: %+v", n+1, got)
		}
	}
}

// While there is no plugin an attempt waits up to 2 s and is then interrupted.
func TestDown(t *testing.T) {
	closed := filepath.Join(t.TempDir(), "closed")
	h := start(t, func(c *host.Config) { c.Settings = []byte(`{"unless":"` + closed + `"}`) })
	if err := os.WriteFile(closed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	kill(t, h.Health().PID, syscall.SIGKILL)
	until(t, "a failed restart", func() bool { return strings.Contains(h.Health().LastError, "settings: closed") })
	began := time.Now()
	_, err := h.Deliver(t.Context(), request("echo"))
	if d := time.Since(began); !errors.Is(err, transports.ErrInterrupted) || d < 1900*time.Millisecond || d > 5*time.Second {
		t.Errorf("%v after %s", err, d)
	}
	if got := h.Health(); got.State != host.Restarting || got.PID != 0 {
		t.Errorf("%+v", got)
	}
	if err := os.Remove(closed); err != nil {
		t.Fatal(err)
	}
	until(t, "running again", func() bool { return h.Health().State == host.Running })
}

// API "Running": a pause of the plugin of 2 s is not a death; attempts submitted meanwhile are made afterwards.
func TestPause(t *testing.T) {
	h := start(t, nil)
	pid := h.Health().PID
	kill(t, pid, syscall.SIGSTOP)
	ended := make(chan error, 1)
	h.Submit(t.Context(), request("echo"), func(_ transports.Result, err error) { ended <- err })
	time.Sleep(2 * time.Second) // the pause itself, not a synchronisation
	kill(t, pid, syscall.SIGCONT)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := h.Health(); got.PID != pid || got.Restarts != 0 {
		t.Errorf("%+v", got)
	}
}

// A plugin that answers no health call for HangAfter is killed and started anew.
func TestHang(t *testing.T) {
	h := start(t, func(c *host.Config) { c.HealthEvery, c.HangAfter = 50*time.Millisecond, 500*time.Millisecond })
	pid := h.Health().PID
	kill(t, pid, syscall.SIGSTOP)
	until(t, "a new process", func() bool { got := h.Health(); return got.State == host.Running && got.PID != pid })
	if got := h.Health(); !strings.Contains(got.LastError, "no sign of health") || !gone(pid) {
		t.Errorf("%+v, gone %t", got, gone(pid))
	}
	if _, err := h.Deliver(t.Context(), request("echo")); err != nil {
		t.Error(err)
	}
}

// However often the plugin is killed under load: every attempt ends exactly once, as its own result or interrupted.
func TestEveryAttemptEndsOnce(t *testing.T) {
	h := start(t, nil)
	const total = 20_000
	var ends [total]atomic.Int32
	var done sync.WaitGroup
	var interrupted atomic.Int64
	places := make(chan struct{}, 500)
	for i := range total {
		if i%6000 == 3000 {
			until(t, "running", func() bool { return h.Health().State == host.Running })
			kill(t, h.Health().PID, syscall.SIGKILL)
		}
		places <- struct{}{}
		done.Add(1)
		req := request("echo")
		req.Body = []byte(strconv.Itoa(i))
		h.Submit(context.Background(), req, func(r transports.Result, err error) {
			defer done.Done()
			if n := ends[i].Add(1); n != 1 {
				t.Errorf("attempt %d ended %d times", i, n)
			}
			switch {
			case errors.Is(err, transports.ErrInterrupted):
				interrupted.Add(1)
			case err != nil || string(r.Body) != strconv.Itoa(i):
				t.Errorf("attempt %d: body %q, %v", i, r.Body, err)
			}
			<-places
		})
	}
	done.Wait()
	for i := range ends {
		if ends[i].Load() != 1 {
			t.Fatalf("attempt %d ended %d times", i, ends[i].Load())
		}
	}
	t.Logf("%d of %d interrupted, %d restarts", interrupted.Load(), total, h.Health().Restarts)
	if n := interrupted.Load(); n > 3*int64(cap(places)) {
		t.Errorf("%d interrupted by three deaths with at most %d under way", n, cap(places))
	}
}

const hostArgument = "-hookline-test-host"

// beHost is the other process of the tests below: a host that says its plugin's pid, then delivers until it is ended and
// says what became of it.
func beHost() {
	if len(os.Args) < 2 || os.Args[1] != hostArgument {
		return
	}
	h, err := host.Start(context.Background(), plugintest.Config("probe", nil))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(h.Health().PID)
	in := bufio.NewScanner(os.Stdin)
	var failed, made int
	stop := make(chan struct{})
	go func() { in.Scan(); close(stop) }()
	for {
		select {
		case <-stop:
			fmt.Println(failed, h.Health().Restarts, made > 0)
			_ = h.Close(context.Background())
			os.Exit(0)
		default:
			made++
			if _, err := h.Deliver(context.Background(), request("wait 1ms")); err != nil {
				failed++
			}
		}
	}
}

// other starts beHost in a process of its own and returns its plugin's pid.
func other(t *testing.T) (cmd *exec.Cmd, in interface{ Write([]byte) (int, error) }, out *bufio.Scanner, plugin int) {
	t.Helper()
	cmd = exec.Command("/proc/self/exe", hostArgument)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	out = bufio.NewScanner(stdout)
	if !out.Scan() {
		t.Fatal("the other host says nothing")
	}
	if plugin, err = strconv.Atoi(out.Text()); err != nil {
		t.Fatal(out.Text())
	}
	return cmd, stdin, out, plugin
}

// No orphans: kill -9 of the host takes the plugin along within 2 s (LESSONS, go-plugin#10).
func TestHostKilled(t *testing.T) {
	cmd, _, _, plugin := other(t)
	if gone(plugin) {
		t.Fatal("no plugin to begin with")
	}
	began := time.Now()
	kill(t, cmd.Process.Pid, syscall.SIGKILL)
	until(t, "the plugin to be gone", func() bool { return gone(plugin) })
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("gone after %s", d)
	}
}

// A stopped plugin dies with its host too.
func TestHostKilledPluginStopped(t *testing.T) {
	cmd, _, _, plugin := other(t)
	kill(t, plugin, syscall.SIGSTOP)
	kill(t, cmd.Process.Pid, syscall.SIGKILL)
	until(t, "the plugin to be gone", func() bool { return gone(plugin) })
}

// A pause of the host is not a death either, and costs no attempt.
func TestHostPaused(t *testing.T) {
	cmd, in, out, plugin := other(t)
	kill(t, cmd.Process.Pid, syscall.SIGSTOP)
	time.Sleep(2 * time.Second) // the pause itself
	kill(t, cmd.Process.Pid, syscall.SIGCONT)
	if _, err := in.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if !out.Scan() || out.Text() != "0 0 true" {
		t.Errorf("failed, restarts, made any: %q, want 0 0 true", out.Text())
	}
	until(t, "the plugin to be gone after the end", func() bool { return gone(plugin) })
}
