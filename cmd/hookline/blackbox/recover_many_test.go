package blackbox

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// LESSONS, replay: exactly 100 000 deliveries recover as 100 000, as fast as the same events are delivered when they are
// published, in memory that does not grow with their number.
func TestRecoverHundredThousand(t *testing.T) {
	slow(t)
	r := realRig(t)
	n := r.tenant(t, "acme", "osir")
	k := newTaker(r.rcv, "r", 0)
	ep := n.endpoint(t, k.sink, fields{"concurrency": 64})
	const count, part = 100_000, 20_000
	publish := func(what string, count int) {
		t.Helper()
		for from := 0; from < count; from += 1000 {
			var lines strings.Builder
			for i := from; i < from+1000; i++ {
				fmt.Fprintf(&lines, `{"type":"domain.registered","id":"evt_%s%d","data":{"domain":"n%d.example"}}`+"\n", what, i, i)
			}
			n.batch(t, lines.String(), "application/x-ndjson", 1000)
		}
	}
	took := func(want int) time.Duration {
		t.Helper()
		began := time.Now()
		poll(t, 5*time.Minute, func() string {
			if got := k.taken(); got < want {
				return row("taken", got, "want", want)
			}
			return ""
		})
		return time.Since(began)
	}
	began := time.Now()
	publish("first", part)
	took(part)
	spine := part / time.Since(began).Seconds()

	n.act(t, ep.ID, "disable")
	publish("second", count)
	poll(t, 5*time.Minute, func() string {
		if left := len(n.deliveries(t, "status", "pending")); left > 0 {
			return row(left, "are pending")
		}
		return ""
	})
	n.act(t, ep.ID, "enable")
	before := rssMiB(t, r.cmd.Process.Pid)
	began = time.Now()
	id, matched := n.recover(t, ep.ID, fields{})
	counted := time.Since(began)
	equal(t, "matched", matched, count)
	most, began := 0, time.Now()
	poll(t, 10*time.Minute, func() string {
		most = max(most, rssMiB(t, r.cmd.Process.Pid))
		if got := k.taken(); got < part+count {
			return row("taken", got)
		}
		return ""
	})
	rate := count / time.Since(began).Seconds()
	poll(t, soon, func() string {
		if x := n.recovery(t, id); x.State != "done" || x.Created != count {
			return row(x)
		}
		return ""
	})
	if twice, unexcused := k.extra(nil, 0); twice > 0 {
		t.Errorf("%d were delivered twice: %v", twice, unexcused[:min(5, len(unexcused))])
	}
	t.Logf("published and delivered %.0f/s; recovered %.0f/s, counted in %v; resident %d MiB before, %d MiB at most", spine, rate, counted, before, most)
	if most > before+200 {
		t.Errorf("resident memory went from %d to %d MiB", before, most)
	}
}

// rssMiB is a process's resident memory.
func rssMiB(t testing.TB, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize() >> 20
}
