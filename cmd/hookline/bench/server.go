package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hookline/hookline/cmd/hookline/demo/client"
)

// adminKey opens the servers of the bench. They listen on loopback, hold nothing, and are gone after a row.
const adminKey = "bench-0123456789abcdef0123456789abcdef"

const (
	readyWithin  = 2 * time.Minute // start-up with a log of millions of records is measured, not cut short
	orphanWithin = 3 * time.Second
	stopWithin   = 45 * time.Second // the profile's timeout of 30 s, 5 s of drain limit, and some
)

// server is one hookline under test.
type server struct {
	bin, dir string
	cmd      *exec.Cmd
	url      string
	api      *client.Client
	log      *tail
	exited   chan struct{}
	exit     error // valid once exited is closed
	Startup  time.Duration
}

// environment keeps what a program needs and drops what would configure the server under test.
func environment(extra ...string) []string {
	env := extra
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOCOVERDIR", "GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// startServer starts a server on a data directory and waits until it is ready.
func startServer(ctx context.Context, o *Options, dir, trust string) (*server, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args := []string{"serve", "--data", dir, "--listen", addr, "--allow-cidr", "127.0.0.0/8", "--trust-ca", trust}
	s := &server{bin: o.Binary, dir: dir, url: "http://" + addr, log: &tail{}, exited: make(chan struct{})}
	s.cmd = exec.Command(o.Binary, append(args, o.ServeArgs...)...)
	s.cmd.Env = environment("HOOKLINE_ADMIN_KEY=" + adminKey)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: server: %w", err)
	}
	go func() {
		s.exit = s.cmd.Wait()
		close(s.exited)
	}()
	s.api = client.New(s.url, adminKey)
	if err := s.ready(ctx, began); err != nil {
		s.kill()
		return nil, err
	}
	s.Startup = time.Since(began)
	return s, nil
}

// ready polls /readyz: every 5 ms, so that a start-up time is told that precisely.
func (s *server) ready(ctx context.Context, began time.Time) error {
	for time.Since(began) < readyWithin {
		select {
		case <-s.exited:
			return s.died()
		default:
		}
		if err := s.api.Do(ctx, http.MethodGet, "/readyz", nil, nil); err == nil {
			return nil
		}
		if !pause(ctx, 5*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
	return fmt.Errorf("bench: server: not ready within %v%s", readyWithin, s.log.said())
}

func (s *server) died() error {
	return fmt.Errorf("bench: the server ended: %w%s", orClean(s.exit), s.log.said())
}

func orClean(err error) error {
	if err == nil {
		return errors.New("exit code 0")
	}
	return err
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// stop asks the server to drain and holds that it ends with exit code 0 and leaves nobody behind.
func (s *server) stop() error {
	defer s.kill()
	procs, err := tree(s.pid())
	if err != nil {
		return errors.Join(err, s.died())
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("bench: server: %w%s", err, s.log.said())
	}
	select {
	case <-s.exited:
	case <-time.After(stopWithin):
		return fmt.Errorf("bench: server: still there %v after SIGTERM%s", stopWithin, s.log.said())
	}
	if s.exit != nil {
		return s.died()
	}
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		for pid, seen := range procs {
			if !alive(pid, seen) {
				delete(procs, pid)
			}
		}
		if len(procs) == 0 {
			return nil
		}
		if time.Since(began) > orphanWithin {
			for pid := range procs {
				syscall.Kill(pid, syscall.SIGKILL)
			}
			return fmt.Errorf("bench: server: ended, and %d of its processes still run %v later", len(procs), orphanWithin)
		}
	}
}

// kill is the last resort, and no harm to a server that has ended. Plugins follow their parent.
func (s *server) kill() {
	s.api.Close()
	select {
	case <-s.exited:
	default:
		syscall.Kill(-s.pid(), syscall.SIGKILL) // its group
		<-s.exited
	}
}

// head is the seq of the newest record.
func (s *server) head(ctx context.Context) (uint64, error) {
	var st struct {
		Head uint64 `json:"head_seq"`
	}
	err := s.api.Do(ctx, http.MethodGet, "/v1/log/status", nil, &st)
	return st.Head, err
}

// offline runs a log command on a data directory that no server holds, and returns what it printed.
func offline(ctx context.Context, bin, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, bin, append(append([]string{"log"}, args...), "--data", dir)...)
	cmd.Env = environment()
	said := &tail{}
	cmd.Stderr = said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("bench: hookline log %s: %w%s", strings.Join(args, " "), err, said.said())
	}
	return out, nil
}

// dropDerived deletes what the log can be folded into again.
func dropDerived(ctx context.Context, bin, dir string) error {
	out, err := offline(ctx, bin, dir, "stat", "-o", "json")
	if err != nil {
		return err
	}
	var st struct {
		Derived []string `json:"derived"`
	}
	if err := json.Unmarshal(out, &st); err != nil {
		return fmt.Errorf("bench: hookline log stat: %w", err)
	}
	if len(st.Derived) == 0 {
		return errors.New("bench: hookline log stat: lists no derived paths")
	}
	for _, path := range st.Derived {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if rel, err := filepath.Rel(dir, path); err != nil || !filepath.IsLocal(rel) || rel == "." {
			return fmt.Errorf("bench: hookline log stat: derived path %q: not inside the data directory", path)
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	return nil
}

func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("bench: %w", err)
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}
