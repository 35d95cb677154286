package plugintest_test

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cpuTime is the processor time used so far by this process and by those given. On a shared machine it is
// the steadier measure.
func cpuTime(tb testing.TB, pids ...int) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	d := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	for _, pid := range pids {
		b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			tb.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		f := strings.Fields(rest)
		for _, ticks := range f[11:13] { // utime, stime
			n, err := strconv.Atoi(ticks)
			if err != nil {
				tb.Fatal(err)
			}
			d += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return d
}
