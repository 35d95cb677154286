package servers

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// EnvSkipped names a file that gets a line for each server that a run went without.
const EnvSkipped = "HOOKLINE_SKIPPED"

// needs returns the path of a program, installing its package first where that is possible; else it skips the test.
func needs(tb testing.TB, program, pkg string) string {
	tb.Helper()
	if path, err := find(program); err == nil {
		return path
	}
	why := "not installed, and this is not root's machine with apt-get"
	if _, err := exec.LookPath("apt-get"); err == nil && os.Getuid() == 0 {
		why = install(pkg)
		if path, err := find(program); err == nil {
			return path
		}
	}
	say := fmt.Sprintf("%s: NOT TESTED: %s is missing (%s): install it, e.g. apt-get install %s", tb.Name(), program, why, pkg)
	if file := os.Getenv(EnvSkipped); file != "" {
		if f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err == nil {
			fmt.Fprintln(f, say)
			f.Close()
		}
	}
	fmt.Fprintln(os.Stderr, say)
	tb.Skip(say)
	return ""
}

func find(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + program) // where Debian puts servers, not in everybody's PATH
}

// install runs apt-get, one process of this machine at a time, and returns why it may have failed.
func install(pkg string) string {
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "hookline-apt.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err.Error()
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err.Error()
	}
	get := "timeout 90 apt-get install -y -qq --no-install-recommends " + pkg
	c := exec.Command("sh", "-c", get+" || { timeout 60 apt-get update -qq && "+get+"; }")
	c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
	if out, err := c.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return "apt-get: " + lines[len(lines)-1]
	}
	return "apt-get brought another"
}

// process starts a program and ends it, with its whole group, with the test. ready is asked until it returns nil.
func process(tb testing.TB, patience time.Duration, c *exec.Cmd, ready func() error) {
	tb.Helper()
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		tb.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	tb.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
		}
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	})
	give := time.After(patience)
	err := errors.New("not asked")
	for {
		select {
		case why := <-ended:
			ended <- why
			tb.Fatalf("%s ended: %v\n%s", c.Path, why, out.String())
		case <-give:
			tb.Fatalf("%s is not ready after %s: %v", c.Path, patience, err)
		case <-time.After(20 * time.Millisecond):
			if err = ready(); err == nil {
				return
			}
		}
	}
}

// freePort is a port that nobody had a moment ago.
func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
