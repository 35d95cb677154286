package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin/runner"
	"golang.org/x/sys/unix"
)

// run is one process of a plugin, as go-plugin wants to see it.
//
// Its group is killed with it, and only while its pid cannot belong to somebody else: a watcher waits for the exit without
// reaping, kills what is left of the group, and only then may Wait reap.
type run struct {
	image   *image
	args    []string
	env     []string
	cmd     *exec.Cmd
	stdout  io.ReadCloser
	stderr  io.ReadCloser
	pid     int
	exited  chan struct{} // closed when the process has ended
	limited bool          // by limit
	memory  int64         // bytes; 0: no limit
	tap     io.Writer     // sees what the process writes to its standard output; nil: nobody

	mu     sync.Mutex
	reaped bool
}

var _ runner.Runner = (*run)(nil)

// newRun makes a process to be started with exactly the environment given.
func newRun(im *image, args, env []string) *run {
	return &run{image: im, args: args, env: env, exited: make(chan struct{})}
}

func (r *run) prepare() (err error) {
	r.cmd = &exec.Cmd{
		Path: r.image.path,
		Args: append([]string{r.image.name}, r.args...),
		Env:  r.env,
		Dir:  "/",
		SysProcAttr: &syscall.SysProcAttr{
			Setpgid:   true,
			Pdeathsig: syscall.SIGKILL, // bound to the starting thread, see supervise
		},
	}
	if r.stdout, err = r.cmd.StdoutPipe(); err != nil {
		return err
	}
	if r.stderr, err = r.cmd.StderrPipe(); err != nil {
		_ = r.stdout.Close()
	}
	return err
}

// Start checks the copy once more and executes it.
func (r *run) Start(context.Context) error {
	if err := r.image.check(); err != nil {
		return err
	}
	// A descriptor that this process itself inherited open (from a shell, a service manager) would go on to the plugin.
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("host: keeping descriptors from the plugin: %w", err)
	}
	for tries := 0; ; tries++ {
		if err := r.prepare(); err != nil {
			return err
		}
		err := r.cmd.Start()
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.ETXTBSY) || tries == 20 {
			return err
		}
		time.Sleep(5 * time.Millisecond) // a fork elsewhere in this process holds the fresh file open until its exec
	}
	r.mu.Lock()
	r.pid = r.cmd.Process.Pid
	r.mu.Unlock()
	go r.watch()
	if r.limited {
		if err := limit(r.pid, r.memory); err != nil && !errors.Is(err, unix.ESRCH) {
			r.signalGroup(syscall.SIGKILL)
			return err
		}
	}
	return nil
}

// watch waits for the exit without reaping, then kills the rest of the group.
func (r *run) watch() {
	defer close(r.exited)
	for {
		err := unix.Waitid(unix.P_PID, r.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	r.signalGroup(syscall.SIGKILL)
}

func (r *run) signalGroup(sig syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pid != 0 && !r.reaped {
		_ = syscall.Kill(-r.pid, sig)
	}
}

// Wait reaps; go-plugin calls it once both pipes have ended.
func (r *run) Wait(context.Context) error {
	<-r.exited
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reaped = true
	return r.cmd.Wait()
}

// Kill ends the process and its group at once. It may be called at any time.
func (r *run) Kill(context.Context) error {
	r.signalGroup(syscall.SIGKILL)
	return nil
}

func (r *run) Stdout() io.ReadCloser {
	if r.tap == nil {
		return r.stdout
	}
	return tapped{io.TeeReader(r.stdout, r.tap), r.stdout}
}

type tapped struct {
	io.Reader
	io.Closer
}

func (r *run) Stderr() io.ReadCloser { return r.stderr }
func (r *run) Name() string          { return r.image.name }

// ID is empty while there is no process.
func (r *run) ID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pid == 0 {
		return ""
	}
	return strconv.Itoa(r.pid)
}

func (r *run) Diagnose(context.Context) string {
	return "it does not speak the plugin handshake: is it a hookline transport plugin for this machine?"
}

func (r *run) PluginToHost(network, addr string) (string, string, error) { return network, addr, nil }
func (r *run) HostToPlugin(network, addr string) (string, string, error) { return network, addr, nil }
