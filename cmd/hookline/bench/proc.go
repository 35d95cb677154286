package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// ticksPerSecond is the unit of CPU times in /proc: USER_HZ, 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// procStat is what a line of /proc/PID/stat says that the bench needs (proc_pid_stat(5)).
type procStat struct {
	parent  int
	zombie  bool          // ended, and not yet waited for
	cpu     time.Duration // own and of children that were waited for
	started string        // in ticks since boot: with the pid it names a process for ever
}

func parseStat(b []byte) (procStat, error) {
	// The name stands in parentheses and may hold anything, parentheses and blanks too: count from its end.
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return procStat{}, errors.New("bench: /proc/PID/stat: no name")
	}
	f := bytes.Fields(b[i+1:]) // f[0] is field 3, the state
	if len(f) < 20 {
		return procStat{}, fmt.Errorf("bench: /proc/PID/stat: %d fields after the name, want 20", len(f))
	}
	s := procStat{zombie: string(f[0]) == "Z", started: string(f[19])}
	var err error
	if s.parent, err = strconv.Atoi(string(f[1])); err != nil {
		return s, fmt.Errorf("bench: /proc/PID/stat: parent: %w", err)
	}
	for _, v := range f[11:15] { // utime stime cutime cstime
		ticks, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil {
			return s, fmt.Errorf("bench: /proc/PID/stat: CPU time: %w", err)
		}
		s.cpu += time.Duration(ticks) * time.Second / ticksPerSecond
	}
	return s, nil
}

// tree lists a process and everything below it, with what each has used.
func tree(root int) (map[int]procStat, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	all := make(map[int]procStat, len(dirs))
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue // gone meanwhile
		}
		if s, err := parseStat(b); err == nil {
			all[pid] = s
		}
	}
	if _, ok := all[root]; !ok {
		return nil, fmt.Errorf("bench: process %d: gone", root)
	}
	out := map[int]procStat{}
	for pid := range all {
		for up, steps := pid, 0; steps < 64; steps++ {
			if up == root {
				out[pid] = all[pid]
				break
			}
			s, ok := all[up]
			if !ok {
				break
			}
			up = s.parent
		}
	}
	return out, nil
}

// alive says whether a process seen before still runs.
func alive(pid int, seen procStat) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	s, err := parseStat(b)
	return err == nil && s.started == seen.started && !s.zombie
}

// cpuTime is what a process and everything below it has used.
func cpuTime(root int) (time.Duration, error) {
	procs, err := tree(root)
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, s := range procs {
		sum += s.cpu
	}
	return sum, nil
}

// memory is what a process and everything below it hold, in bytes. Pss shares out what several processes map (a plugin
// by self-exec shares its text with the server), Peak sums the highest RSS of each.
type memory struct{ Pss, Peak int64 }

func memoryOf(root int) (memory, error) {
	procs, err := tree(root)
	if err != nil {
		return memory{}, err
	}
	var m memory
	for pid := range procs {
		dir := "/proc/" + strconv.Itoa(pid)
		rollup, err1 := os.ReadFile(dir + "/smaps_rollup")
		status, err2 := os.ReadFile(dir + "/status")
		if err := errors.Join(err1, err2); err != nil {
			return memory{}, fmt.Errorf("bench: memory: %w", err)
		}
		pss, ok1 := kilobytes(rollup, "Pss:")
		peak, ok2 := kilobytes(status, "VmHWM:")
		if !ok1 || !ok2 {
			return memory{}, fmt.Errorf("bench: memory of process %d: no Pss or VmHWM", pid)
		}
		m.Pss += pss
		m.Peak += peak
	}
	return m, nil
}

// kilobytes finds a line `NAME   123 kB` and returns bytes.
func kilobytes(b []byte, name string) (int64, bool) {
	for line := range bytes.Lines(b) {
		rest, ok := bytes.CutPrefix(line, []byte(name))
		if !ok {
			continue
		}
		v, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("kB")))), 10, 64)
		return v << 10, err == nil
	}
	return 0, false
}

// diskUsed is what a directory occupies, in bytes, as du counts it.
func diskUsed(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // deleted while we look: the server compacts
			}
			return err
		}
		info, err := d.Info()
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			sum += st.Blocks * 512
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("bench: disk: %w", err)
	}
	return sum, nil
}
