package blackbox

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// clockStart is where every manual clock begins, so that logs of two runs compare.
const clockStart = "2026-01-01T00:00:00Z"

// serveOptions says how a server is started. The zero value: real clock, loopback targets allowed, test authority trusted.
type serveOptions struct {
	manual  bool     // --clock manual, from clockStart
	guarded bool     // no --allow-cidr: loopback is refused as a target
	listen  string   // where; "" = another free address at every start
	keyless bool     // no admin key given: the server makes one
	args    []string // more arguments
	env     []string // more environment, NAME=value
}

// server is the product as a process. Its methods are for the test's own goroutine.
type server struct {
	opts    serveOptions
	dir     string // working directory of the process; marks its descendants
	data    string
	logPath string
	key     string
	api     *client // of the running process; replaced at every start
	addr    string

	cmd      *exec.Cmd
	exited   chan struct{} // closed once the process has ended
	expected bool          // an end now is the test's own doing
}

// startServer starts the product on a fresh data directory and waits until it is ready. It is ended with the test.
func startServer(t testing.TB, opts serveOptions) *server {
	t.Helper()
	s := newServer(t, opts)
	s.start(t)
	return s
}

// newServer prepares a server without starting it.
func newServer(t testing.TB, opts serveOptions) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{
		opts: opts, dir: dir, data: filepath.Join(dir, "data"), logPath: filepath.Join(dir, "process.log"),
		key: "blackbox-" + strings.Repeat("k", 40), expected: true,
	}
	t.Cleanup(func() { s.reap(t) })
	return s
}

// start runs the process on the server's data directory and waits for /readyz.
func (s *server) start(t testing.TB, env ...string) {
	t.Helper()
	for try := 1; ; try++ {
		s.launch(t, env...)
		err := s.awaitReady(late)
		if err == nil {
			return
		}
		// The port was free a moment ago; somebody else on this machine may have taken it since.
		if try < 3 && strings.Contains(s.logTail(), "address already in use") {
			continue
		}
		t.Fatalf("start: %v\n%s", err, s.logTail())
	}
}

// launch starts the process and does not wait for anything.
func (s *server) launch(t testing.TB, env ...string) {
	t.Helper()
	s.addr = freeAddress(t)
	if s.opts.listen != "" {
		s.addr = s.opts.listen
	}
	args := []string{"serve", "--data", s.data, "--listen", s.addr, "--trust-ca", caFile(t, s.dir)}
	if !s.opts.guarded {
		args = append(args, "--allow-cidr", "127.0.0.0/8")
	}
	environment := bareEnv()
	if !s.opts.keyless {
		environment = append(environment, "HOOKLINE_ADMIN_KEY="+s.key)
	}
	if s.opts.manual {
		args = append(args, "--clock", "manual")
		environment = append(environment, "HOOKLINE_CLOCK_START="+clockStart)
	}
	args = append(args, s.opts.args...)
	s.run(t, args, append(append(environment, s.opts.env...), env...))
}

// run starts the process with exactly these arguments and environment; s.addr is where it will be looked for.
func (s *server) run(t testing.TB, args, env []string) {
	t.Helper()
	// The process writes to a file, not to a pipe: an orphan holding a pipe would make Wait hang.
	log, err := os.OpenFile(s.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(binary(t), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = s.dir, log, log, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	s.cmd, s.exited, s.expected = cmd, exited, false
	if s.api != nil {
		s.api.close()
	}
	s.api = newClient("http://"+s.addr, s.key)
}

// awaitReady polls /readyz until it is 200, the process ends, or within has passed.
func (s *server) awaitReady(within time.Duration) error {
	deadline := time.Now().Add(within)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		seen := "no answer"
		if r, err := s.api.send(http.MethodGet, "/readyz", nil); err == nil {
			if r.status == http.StatusOK {
				return nil
			}
			seen = fmt.Sprintf("%d", r.status)
		}
		select {
		case <-s.exited:
			s.expected = true
			return fmt.Errorf("the process ended with %s", s.cmd.ProcessState)
		case <-tick.C:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("/readyz within %v: want 200, last seen %s", within, seen)
		}
	}
}

// awaitExit waits for the end of the process and returns its exit code; -1 after a signal.
func (s *server) awaitExit(t testing.TB, within time.Duration) int {
	t.Helper()
	select {
	case <-s.exited:
		s.expected = true
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		t.Fatalf("the process did not end within %v\n%s", within, s.logTail())
		return 0
	}
}

// signal sends sig to the server process alone, never to its children.
func (s *server) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	s.expected = true
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}

// stop is a clean stop: SIGTERM, and exit code 0.
func (s *server) stop(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGTERM)
	if code := s.awaitExit(t, 70*time.Second); code != 0 {
		t.Fatalf("exit code after SIGTERM: got %d, want 0\n%s", code, s.logTail())
	}
}

// kill9 ends the process without a warning.
func (s *server) kill9(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGKILL)
	s.awaitExit(t, soon)
}

// reap ends whatever is left of the server and reports a death that nobody asked for.
func (s *server) reap(t testing.TB) {
	if s.cmd != nil {
		select {
		case <-s.exited:
			if !s.expected {
				t.Errorf("the server ended by itself: %s\n%s", s.cmd.ProcessState, s.logTail())
			}
		default:
		}
		left := append(descendants(s.cmd.Process.Pid), processesIn(s.dir)...)
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		for _, p := range left {
			p.kill()
		}
		<-s.exited
	}
	if s.api != nil {
		s.api.close()
	}
	if t.Failed() {
		t.Logf("process log:\n%s", s.logTail())
	}
}

// processLog is everything the process has written so far, over all its starts.
func (s *server) processLog() string {
	text, err := os.ReadFile(s.logPath)
	if err != nil {
		return "(no process log: " + err.Error() + ")"
	}
	return string(text)
}

func (s *server) logTail() string {
	lines := strings.Split(strings.TrimRight(s.processLog(), "\n"), "\n")
	return "  | " + strings.Join(lines[max(0, len(lines)-15):], "\n  | ")
}

// bareEnv is the environment of every process we start: nothing of the developer's configuration leaks in.
func bareEnv() []string {
	env := []string{}
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// freeAddress is a loopback address that nobody listens on at this moment.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
