package blackbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process names one process of this machine; the start time guards against a reused pid.
type process struct {
	pid, parent int
	state       string // as in proc(5): R, S, D, T, Z ...
	started     string // clock ticks since boot
}

// processes reads /proc. Those that end while it reads are left out, zombies are included.
func processes() []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var out []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, ok := readProcess(pid); ok {
			out = append(out, p)
		}
	}
	return out
}

func readProcess(pid int) (process, bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	// The second field is the command in parentheses and may hold blanks: fields are counted after the last ')'.
	_, rest, ok := cutLast(string(text), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 {
		return process{}, false
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return process{}, false
	}
	return process{pid: pid, parent: parent, state: fields[0], started: fields[19]}, true
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// alive says whether this very process still runs; a zombie does not.
func (p process) alive() bool {
	now, ok := readProcess(p.pid)
	return ok && now.started == p.started && now.state != "Z" && now.state != "X"
}

func (p process) kill() {
	if p.alive() {
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
	}
}

func (p process) String() string {
	cmd, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
	return fmt.Sprintf("%d [%s]", p.pid, strings.TrimSpace(strings.ReplaceAll(string(cmd), "\x00", " ")))
}

// descendants are the living children of pid, and theirs.
func descendants(pid int) []process {
	all := processes()
	var out []process
	parents := map[int]bool{pid: true}
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if parents[p.parent] && !parents[p.pid] && p.state != "Z" {
				parents[p.pid], grown = true, true
				out = append(out, p)
			}
		}
	}
	return out
}

// processesIn are the processes whose working directory is dir or below: children keep it even when their parent has died.
func processesIn(dir string) []process {
	var out []process
	for _, p := range processes() {
		cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", p.pid))
		if err != nil || p.pid == os.Getpid() {
			continue
		}
		if rel, err := filepath.Rel(dir, cwd); err == nil && !strings.HasPrefix(rel, "..") {
			out = append(out, p)
		}
	}
	return out
}

// children are the server's own child processes: its plugins.
func (s *server) children() []process { return descendants(s.cmd.Process.Pid) }

// noOrphans fails unless every process of before, and every other one of the server's directory, is gone within 3 s.
// To be called after the server has ended.
func (s *server) noOrphans(t testing.TB, before []process) {
	t.Helper()
	poll(t, 3*time.Second, func() string {
		for _, p := range append(before, processesIn(s.dir)...) {
			if p.alive() {
				return "orphan process " + p.String()
			}
		}
		return ""
	})
}

// TestOrphanFinder proves the tool itself: it sees a child, and a grandchild whose parent has died.
func TestOrphanFinder(t *testing.T) {
	t.Parallel()
	s := newServer(t, serveOptions{})
	cmd := startShell(t, s.dir, "sleep 60 & echo started; wait")
	before := descendants(cmd.Process.Pid)
	if len(before) != 1 || !before[0].alive() {
		t.Fatalf("descendants of the shell: got %v, want the one sleep", before)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	found := false
	for _, p := range processesIn(s.dir) {
		found = found || p.pid == before[0].pid
	}
	if !found {
		t.Fatal("the orphan was not found by its working directory")
	}
	before[0].kill()
	s.noOrphans(t, before)
}
