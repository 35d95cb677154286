package blackbox

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// result is what one run of the command line came to.
type result struct {
	code        int
	out, errOut string
}

func (r result) text() string { return r.out + r.errOut }

// runCLI runs the binary once, in dir, with stdin and more environment; it fails the test only when the run hangs.
func runCLI(t testing.TB, dir, stdin string, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t), args...)
	var out, errOut bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(stdin), &out, &errOut
	cmd.Env = append(bareEnv(), env...)
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("hookline %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errOut.String())
	}
	return result{code: cmd.ProcessState.ExitCode(), out: out.String(), errOut: errOut.String()}
}

// log runs one of the offline log commands on the server's data directory.
func (s *server) log(t testing.TB, args ...string) result {
	t.Helper()
	return runCLI(t, s.dir, "", nil, append(append([]string{"log"}, args...), "--data", s.data)...)
}

// logOK is log with exit code 0 demanded.
func (s *server) logOK(t testing.TB, args ...string) result {
	t.Helper()
	r := s.log(t, args...)
	if r.code != 0 {
		t.Fatalf("hookline log %s: exit %d, want 0\n%s", strings.Join(args, " "), r.code, r.text())
	}
	return r
}

// logStatus is the answer of /v1/log/status and of `log stat -o json`.
type logStatus struct {
	HeadSeq     uint64   `json:"head_seq"`
	FirstSeq    uint64   `json:"first_seq"`
	Chain       string   `json:"chain"`
	StateDigest string   `json:"state_digest"`
	DigestSeq   uint64   `json:"digest_seq"`
	Derived     []string `json:"derived"` // offline only
}

// stat is `log stat -o json`, offline.
func (s *server) stat(t testing.TB) logStatus {
	t.Helper()
	r := s.logOK(t, "stat", "-o", "json")
	var st logStatus
	if err := json.Unmarshal([]byte(r.out), &st); err != nil {
		t.Fatalf("log stat -o json: %v\n%s", err, r.out)
	}
	if st.HeadSeq == 0 || st.Chain == "" || st.StateDigest == "" {
		t.Fatalf("log stat -o json: want head_seq, chain and state_digest, got %s", r.out)
	}
	return st
}

// startShell runs a shell script in dir and returns once it has printed its first line. The test waits for the shell.
func startShell(t testing.TB, dir, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return cmd
}
