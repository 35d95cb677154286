package blackbox

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// backupStatus is one item of GET /v1/backups.
type backupStatus struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	HeadSeq uint64 `json:"head_seq"`
	Chain   string `json:"chain"`
	Bytes   int64  `json:"bytes"`
	Error   string `json:"error"`
}

// backedUpRig runs under the manual clock with a place for backups.
func backedUpRig(t testing.TB) (r *rig, place string) {
	t.Helper()
	place = filepath.Join(t.TempDir(), "backups")
	return &rig{rcv: newReceiver(t), server: startServer(t, serveOptions{manual: true, args: []string{"--backup-dir", place}})}, place
}

// backUp makes an online backup and waits for it.
func (s *server) backUp(t testing.TB) backupStatus {
	t.Helper()
	had := len(list[backupStatus](t, s.api, "/v1/backups"))
	s.api.post(t, http.StatusAccepted, "/v1/backups", nil, nil)
	var made backupStatus
	poll(t, late, func() string {
		all := list[backupStatus](t, s.api, "/v1/backups")
		if len(all) <= had || all[0].Status != "done" {
			return fmt.Sprintf("backups %+v", all)
		}
		made = all[0]
		return ""
	})
	return made
}

// restored prepares a server on a restored copy of what s backed up, with its master key. It is not started.
func restored(t testing.TB, s *server, place string, args ...string) *server {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(s.data, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	return restoredWith(t, s, key, place, args...)
}

func restoredWith(t testing.TB, s *server, masterKey []byte, place string, args ...string) *server {
	t.Helper()
	opts := s.opts
	opts.args = nil
	back := newServer(t, opts)
	back.logOK(t, append([]string{"restore", "--from", place}, args...)...)
	if err := os.WriteFile(filepath.Join(back.data, "master.key"), masterKey, 0o600); err != nil {
		t.Fatal(err)
	}
	return back
}

// statusOf is /v1/log/status with what tells a held node.
func (s *server) statusOf(t testing.TB) (st struct {
	logStatus
	Held bool `json:"held"`
}) {
	t.Helper()
	s.api.get(t, "/v1/log/status", &st)
	return st
}

// Backup and restore: made while it runs, restored on another path with the original deleted, the node has the same state
// and is held: it reads, stores and sends nothing, over a restart too, until it is released; then all goes out.
func TestRestoredNodeIsHeld(t *testing.T) {
	t.Parallel()
	r, place := backedUpRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(500))
	ep := n.endpoint(t, k, fields{"secret": "whsec_test_secret"})
	waiting := n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	k.exactly(t, 1)
	was := r.statusOf(t)
	r.backUp(t)
	n.publish(t, sample("domain.registered", 2))
	r.settle(t)
	had := len(k.exactly(t, 2))
	r.kill9(t)
	key, err := os.ReadFile(filepath.Join(r.data, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(r.data); err != nil {
		t.Fatal(err)
	}

	k.answers(always(200))
	back := &rig{server: restoredWith(t, r.server, key, place), rcv: r.rcv}
	back.start(t)
	is := back.statusOf(t)
	equal(t, "held", is.Held, true)
	equal(t, "state_digest", is.StateDigest, was.StateDigest)
	n = &tenant{s: back.server, id: "acme"}
	equal(t, "status of the delivery", n.delivery(t, waiting).Status, "pending")
	equal(t, "secret", n.secret(t, ep.ID), "whsec_test_secret")
	fresh := n.publish(t, sample("domain.registered", 3)).only(t)
	back.api.call(t, http.StatusConflict, "POST", n.path("/endpoints/", ep.ID, ":test"), fields{"event_type": "invoice.paid"})
	back.api.call(t, http.StatusConflict, "POST", "/v1/dev/clock:advance", fields{"by": "48h"})
	if !strings.Contains(string(back.api.get(t, "/metrics", nil).body), "hookline_held 1") {
		t.Error("/metrics does not say that the node is held")
	}
	back.kill9(t)
	back.start(t)
	equal(t, "held after a restart", back.statusOf(t).Held, true)
	stays(t, 300*time.Millisecond, func() string {
		if sent := k.count() - had; sent != 0 {
			return fmt.Sprintf("%d unsolicited requests", sent)
		}
		return ""
	})

	cli := runCLI(t, back.dir, "", []string{"HOOKLINE_SERVER=http://" + back.addr, "HOOKLINE_ADMIN_KEY=" + back.key}, "log", "release", "-o", "json")
	equal(t, "exit code of log release", cli.code, 0)
	equal(t, "held after the release", back.statusOf(t).Held, false)
	back.restarted()
	back.advance(t, 48*time.Hour)
	n.hasStatus(t, waiting, "succeeded", "", 2)
	n.hasStatus(t, fresh, "succeeded", "", 1)
	k.exactly(t, had+2)
	if fresh == waiting || n.publish(t, sample("domain.registered", 4)).only(t) == fresh {
		t.Error("an id repeats")
	}
	back.settle(t)
	back.stop(t)
	back.start(t)
	equal(t, "held after a restart of the released", back.statusOf(t).Held, false)
	back.stop(t)
	back.logOK(t, "verify")
	back.logOK(t, "rebuild", "--check")
}

// Point in time: --as-of a seq gives the state that was there then, by digest; past the end and before the beginning it
// is refused, and what is refused leaves nothing that opens.
func TestRestoreAsOf(t *testing.T) {
	t.Parallel()
	r, place := backedUpRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	n.endpoint(t, k, nil)
	type point struct {
		seq    uint64
		digest string
	}
	var points []point
	for i := range 4 {
		n.publish(t, sample("domain.registered", i))
		r.settle(t)
		st := r.statusOf(t)
		points = append(points, point{st.HeadSeq, st.StateDigest})
	}
	r.stop(t)
	runOK := r.logOK(t, "backup", "--to", place)
	if !strings.Contains(runOK.out, "head seq") {
		t.Errorf("log backup says %q", runOK.text())
	}
	for _, p := range points {
		back := restored(t, r.server, place, "--as-of", strconv.FormatUint(p.seq, 10))
		st := back.stat(t)
		equal(t, "head_seq", st.HeadSeq, p.seq)
		equal(t, "state_digest", st.StateDigest, p.digest)
		back.logOK(t, "verify")
	}
	for _, at := range []string{"100000", "2099-01-01T00:00:00Z", "1971-01-01T00:00:00Z"} {
		back := newServer(t, r.opts)
		got := back.log(t, "restore", "--from", place, "--as-of", at)
		equal(t, "exit code of --as-of "+at, got.code, 1)
		if st := back.log(t, "stat"); st.code == 0 {
			t.Errorf("after a refused restore log stat says %s", st.text())
		}
	}
	back := restored(t, r.server, place)
	if got := back.log(t, "restore", "--from", place); got.code != 1 || !strings.Contains(got.errOut, "not empty") {
		t.Errorf("into what is there: exit %d, %s", got.code, got.errOut)
	}
}

// kill -9 at any moment of a restore leaves a directory that no command and no server takes for a data directory; of a
// backup, a place that lists and restores what it had before.
func TestKilledBackupAndRestore(t *testing.T) {
	t.Parallel()
	r, place := backedUpRig(t)
	n := r.tenant(t, "acme", "osir")
	for i := range 200 {
		e := sample("a.b", i)
		e.data = sized(8 * kib)
		n.publish(t, e)
	}
	r.stop(t)
	want := r.stat(t)
	r.logOK(t, "backup", "--to", place)
	killed := 0
	for wait := 2 * time.Millisecond; wait < 200*time.Millisecond; wait = wait * 3 / 2 {
		if kill9After(t, wait, r.dir, "log", "backup", "--to", place, "--data", r.data) {
			killed++
		}
		if got := runCLI(t, r.dir, "", nil, "log", "restore", "--list", "--from", place); got.code != 0 {
			t.Fatalf("after a kill at %v: %s", wait, got.text())
		}
		back := newServer(t, r.opts)
		if kill9After(t, wait, r.dir, "log", "restore", "--from", place, "--data", back.data) {
			killed++
			if _, err := os.Stat(filepath.Join(back.data, "restoring")); err == nil {
				for _, args := range [][]string{{"stat"}, {"verify"}, {"restore", "--from", place}} {
					if got := back.log(t, args...); got.code != 1 || !strings.Contains(got.errOut, "half a restore") {
						t.Errorf("after a kill at %v: log %s exits %d, %s", wait, args[0], got.code, got.errOut)
					}
				}
			}
		}
	}
	if killed < 4 {
		t.Errorf("only %d runs were killed", killed)
	}
	r.logOK(t, "backup", "--to", place, "--keep", "1")
	back := restored(t, r.server, place)
	equal(t, "chain", back.stat(t).Chain, want.Chain)
	r.start(t)
	r.stop(t)
	if _, err := os.Stat(filepath.Join(r.data, "backup-staging.part")); err == nil {
		t.Error("what a killed backup left in the data directory stays")
	}
}

// kill9After starts the binary, kills it after a while and says whether that came before its end.
func kill9After(t testing.TB, wait time.Duration, dir string, args ...string) bool {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Dir, cmd.Env = dir, bareEnv()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(wait, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	return !cmd.ProcessState.Exited()
}

// One backup at a time, and none without a place for it: said by a conflict. Offline commands name the way online.
func TestBackupRefused(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	r.api.call(t, http.StatusConflict, "POST", "/v1/backups", nil)
	r.api.call(t, http.StatusConflict, "GET", "/v1/backups", nil)
	got := r.log(t, "backup", "--to", filepath.Join(r.dir, "b"))
	if got.code != 1 || !strings.Contains(got.errOut, "hookline backups create") {
		t.Errorf("log backup beside a server: exit %d, %s", got.code, got.errOut)
	}
	got = runCLI(t, r.dir, "", []string{"HOOKLINE_SERVER=http://" + r.addr, "HOOKLINE_ADMIN_KEY=" + r.key}, "backups", "create")
	if got.code != 1 || !strings.Contains(got.errOut, "--backup-dir") {
		t.Errorf("backups create: exit %d, %s", got.code, got.errOut)
	}
}

// Restores, again and again (HOOKLINE_TORTURE says how many): each node has the digest that the original had, and none
// sends anything before it is released.
func TestManyRestores(t *testing.T) {
	t.Parallel()
	restores := 3
	if n, err := strconv.Atoi(os.Getenv("HOOKLINE_TORTURE")); err == nil && n > restores {
		restores = n
	}
	r, place := backedUpRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(500))
	n.endpoint(t, k, nil)
	for i := range restores {
		n.publish(t, sample("domain.registered", i))
		r.settle(t)
		had, was := k.count(), r.statusOf(t)
		made := r.backUp(t)
		equal(t, "chain of the backup", made.Chain, was.Chain)
		back := restored(t, r.server, place, "--backup", made.ID)
		back.start(t)
		is := back.statusOf(t)
		equal(t, "held and digest", row(is.Held, is.StateDigest), row(true, was.StateDigest))
		back.stop(t)
		k.exactly(t, had)
	}
}

// kill -9 of the server while it makes a backup: there is none of it, what it left in the data directory is removed by the
// next start, and the next backup is whole.
func TestKilledWhileBackingUp(t *testing.T) {
	t.Parallel()
	place := filepath.Join(t.TempDir(), "backups")
	r := &rig{rcv: newReceiver(t), server: startServer(t, serveOptions{manual: true, args: []string{"--backup-dir", place, "--backup-rate", "1MiB"}})}
	n := r.tenant(t, "acme", "osir")
	for i := range 150 {
		e := sample("a.b", i)
		e.data = sized(16 * kib)
		n.publish(t, e)
	}
	r.api.post(t, http.StatusAccepted, "/v1/backups", nil, nil)
	r.api.call(t, http.StatusConflict, "POST", "/v1/backups", nil)
	poll(t, late, func() string {
		if all := list[backupStatus](t, r.api, "/v1/backups"); len(all) != 1 || all[0].Status != "running" || all[0].Bytes == 0 {
			return fmt.Sprintf("backups %+v", all)
		}
		return ""
	})
	r.kill9(t)
	if _, err := os.Stat(filepath.Join(r.data, "backup-staging")); err != nil {
		t.Errorf("it was not killed in the middle: %v", err)
	}
	r.opts.args = []string{"--backup-dir", place}
	r.start(t)
	if _, err := os.Stat(filepath.Join(r.data, "backup-staging")); err == nil {
		t.Error("what the killed backup left stays")
	}
	equal(t, "backups", len(list[backupStatus](t, r.api, "/v1/backups")), 0)
	was := r.statusOf(t)
	r.backUp(t)
	r.stop(t)
	equal(t, "state_digest", restored(t, r.server, place).stat(t).StateDigest, was.StateDigest)
}
