package blackbox

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// Promise 9: the plugin is killed under load, again and again. The engine goes on, what was interrupted is made again and
// not counted, everything is delivered at its first counted attempt. Not parallel: it needs the machine.
func TestPluginKilledUnderLoad(t *testing.T) {
	r := realRig(t)
	n, k := r.tenant(t, "acme", "osir"), newTaker(r.rcv, "r", 0)
	n.endpoint(t, k.sink, nil)
	l := startLoad(n, 2, 5*time.Millisecond)
	var kills []time.Time
	for range 3 {
		runFor(700 * time.Millisecond)
		plugins := r.children()
		if len(plugins) == 0 {
			t.Fatal("the server has no child process: the HTTPS transport runs as a plugin by default")
		}
		kills = append(kills, time.Now())
		for _, p := range plugins {
			p.kill()
		}
		poll(t, late, func() string { // the host has started it again
			if now := r.children(); len(now) < len(plugins) || slices.ContainsFunc(plugins, process.alive) {
				return row(len(now), "plugin processes, want", len(plugins))
			}
			return ""
		})
	}
	ledger := l.end(t)
	awaitAll(t, []*taker{k}, ledger)
	poll(t, late, func() string {
		if p := n.deliveries(t, "status", "pending"); len(p) > 0 {
			return row(len(p), "deliveries are still pending; one:", p[0])
		}
		return ""
	})
	for _, d := range n.deliveries(t) {
		if d.Status != "succeeded" || d.AttemptsMade != 1 {
			t.Errorf("delivery of %s: %s after %d attempts, want succeeded after 1", d.EventID, d.Status, d.AttemptsMade)
		}
	}
	for _, a := range n.attempts(t) {
		if a.Number != 1 || a.Outcome != "acknowledged" {
			t.Errorf("attempt of %s: number %d, %s %s: an interrupted attempt was counted", a.EventID, a.Number, a.Outcome, a.ErrorKind)
		}
	}
	if _, unexcused := k.extra(kills, time.Second); len(unexcused) > 0 {
		t.Errorf("taken twice although the plugin was not killed: %v", unexcused)
	}
	plugins := r.children()
	r.stop(t)
	r.noOrphans(t, plugins)
}

// A plugin, or the server, that stands still for up to 2 s is not dead: the same process goes on, nothing is sent twice.
func TestPauseIsNoDeath(t *testing.T) {
	r := realRig(t)
	n, k := r.tenant(t, "acme", "osir"), newTaker(r.rcv, "r", 0)
	ep := n.endpoint(t, k.sink, nil)
	l := startLoad(n, 2, 5*time.Millisecond)
	runFor(500 * time.Millisecond)
	plugins := r.children()
	still := func(pids ...int) {
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
		}
		runFor(1900 * time.Millisecond)
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
		}
		runFor(500 * time.Millisecond)
	}
	for _, p := range plugins {
		still(p.pid)
	}
	still(r.cmd.Process.Pid)
	ledger := l.end(t)
	awaitAll(t, []*taker{k}, ledger)
	if now := r.children(); len(now) != len(plugins) || !sameProcesses(now, plugins) {
		t.Errorf("plugin processes before %v, after %v", plugins, now)
	}
	if count, _ := k.extra(nil, 0); count > 0 {
		t.Errorf("%d events were taken twice", count)
	}
	e := n.getEndpoint(t, ep.ID)
	equal(t, "endpoint", row(e.Status, e.ConsecutiveFailures), row("enabled", 0))
}

func sameProcesses(a, b []process) bool {
	key := func(p process) string { return row(p.pid, p.started) }
	var x, y []string
	for _, p := range a {
		x = append(x, key(p))
	}
	for _, p := range b {
		y = append(y, key(p))
	}
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}
