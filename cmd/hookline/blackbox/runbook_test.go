package blackbox

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// runbook is eventlog/RUNBOOK.md: its blocks are run as they stand there.
type runbook struct {
	dir    string
	blocks map[string]string
	env    []string
	ran    map[string]bool
}

var runbookBlock = regexp.MustCompile("(?s)```sh ([a-z-]+)\n(.*?)```")

func newRunbook(t testing.TB, env ...string) *runbook {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "eventlog", "RUNBOOK.md"))
	if err != nil {
		t.Fatal(err)
	}
	b := &runbook{dir: t.TempDir(), blocks: map[string]string{}, env: env, ran: map[string]bool{}}
	for _, m := range runbookBlock.FindAllStringSubmatch(string(text), -1) {
		b.blocks[m[1]] = m[2]
	}
	if len(b.blocks) == 0 {
		t.Fatal("the runbook has no blocks")
	}
	if err := os.Symlink(binary(t), filepath.Join(b.dir, "hookline")); err != nil {
		t.Fatal(err)
	}
	return b
}

// run runs a block, which must succeed, and returns what it says.
func (b *runbook) run(t testing.TB, name string, env ...string) string {
	t.Helper()
	script, ok := b.blocks[name]
	if !ok {
		t.Fatalf("the runbook has no block %q", name)
	}
	cmd := exec.Command("sh", "-eu", "-c", script)
	cmd.Dir = b.dir
	cmd.Env = append(append(append([]string{}, b.env...), env...), "PATH="+b.dir+":"+os.Getenv("PATH"), "HOME="+b.dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the runbook's %s: %v\n%s", name, err, out)
	}
	return string(out)
}

func (s *server) remoteEnv() []string {
	return []string{"HOOKLINE_SERVER=http://" + s.addr, "HOOKLINE_ADMIN_KEY=" + s.key}
}

// runbookRig has some history, one delivery that waits, and a backup.
func runbookRig(t testing.TB) (r *rig, n *tenant, k *sink, waiting, place, master string) {
	t.Helper()
	r, place = backedUpRig(t)
	n, k = r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(500))
	n.endpoint(t, k, nil)
	waiting = n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	k.exactly(t, 1)
	key, err := os.ReadFile(filepath.Join(r.data, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	master = filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(master, key, 0o600); err != nil {
		t.Fatal(err)
	}
	return r, n, k, waiting, place, master
}

// The runbook's "The disk is lost", step by step: nothing is sent until the release, then what waited is.
func TestRunbookLostDisk(t *testing.T) {
	t.Parallel()
	r, _, k, waiting, place, master := runbookRig(t)
	b := newRunbook(t, "BACKUPS="+place, "MASTER="+master)
	b.run(t, "before", r.remoteEnv()...)
	poll(t, late, func() string {
		if all := list[backupStatus](t, r.api, "/v1/backups"); len(all) == 0 || all[0].Status != "done" {
			return fmt.Sprintf("backups %+v", all)
		}
		return ""
	})
	r.kill9(t)
	if err := os.RemoveAll(r.data); err != nil {
		t.Fatal(err)
	}
	k.answers(always(200))
	opts := r.opts
	opts.args = nil
	back := &rig{server: newServer(t, opts), rcv: r.rcv}
	if out := b.run(t, "lost-disk", "DATA="+back.data); !strings.Contains(out, "held") || !strings.Contains(out, "ok: ") {
		t.Errorf("it says %s", out)
	}
	back.start(t)
	n := &tenant{s: back.server, id: "acme"}
	equal(t, "status", n.delivery(t, waiting).Status, "pending")
	k.exactly(t, 1)
	b.run(t, "lost-disk-release", back.remoteEnv()...)
	back.advance(t, 0)
	back.advance(t, 48*time.Hour)
	n.hasStatus(t, waiting, "succeeded", "", 2)
	k.exactly(t, 2)
}

// The runbook's "The log is corrupt", step by step: a damaged table ends the server with exit code 3; what is intact
// becomes a log that verifies and serves.
func TestRunbookCorruptLog(t *testing.T) {
	t.Parallel()
	r, n, _, _, _, master := runbookRig(t)
	for i := range 150 {
		e := sample("a.b", i)
		e.data = sized(2 * kib)
		n.publish(t, e)
	}
	r.settle(t)
	r.stop(t)
	r.start(t) // which writes what the write-ahead log holds to tables
	r.stop(t)
	st := r.stat(t)
	var table string
	for _, rel := range logFiles(t, r.data, st.Derived) {
		if strings.HasSuffix(rel, ".sst") {
			table = rel
			break
		}
	}
	dir := damaged(t, r.data, table, func(c []byte) []byte {
		c[len(c)/2] ^= 0x10
		return c
	})
	salvaged := filepath.Join(t.TempDir(), "salvaged")
	b := newRunbook(t, "DATA="+dir, "SALVAGED="+salvaged, "MASTER="+master)
	if out := b.run(t, "corrupt"); !strings.Contains(out, "verify: exit 3") {
		t.Fatalf("verify says %s", out)
	}
	if out := b.run(t, "corrupt-salvage"); !strings.Contains(out, "salvage: exit 3") || !strings.Contains(out, "lost: seq") || !strings.Contains(out, "ok: ") {
		t.Errorf("it says %s", out)
	}
	opts := r.opts
	opts.args = nil
	back := newServer(t, opts)
	back.data = salvaged
	back.start(t)
	is := back.statusOf(t)
	if !is.Held || is.HeadSeq == 0 {
		t.Errorf("status %+v", is)
	}
	back.api.call(t, http.StatusOK, "POST", "/v1/log:release", nil)
	equal(t, "held after the release", back.statusOf(t).Held, false)
	back.stop(t)
	back.logOK(t, "verify")
}

// The runbook's "Erase a person, or a customer", step by step, and "The master key may be known to somebody".
func TestRunbookErase(t *testing.T) {
	t.Parallel()
	r, n, k, waiting, place, _ := runbookRig(t)
	r.backUp(t)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	b := newRunbook(t, append(r.remoteEnv(), "TENANT=acme", "DATA="+r.data, "BACKUPS="+elsewhere)...)
	if out := b.run(t, "erase"); !strings.Contains(out, "refreshed") || !strings.Contains(out, "tenant.erased") {
		t.Errorf("it says %s", out)
	}
	n.hasStatus(t, waiting, "canceled", "tenant_deleted", 1)
	r.advance(t, 48*time.Hour)
	k.exactly(t, 1)
	if out := b.run(t, "rotate"); !strings.Contains(out, "refreshed") {
		t.Errorf("it says %s", out)
	}
	r.stop(t)
	b.run(t, "erase-elsewhere")
	r.logOK(t, "verify")
	r.logOK(t, "rebuild", "--check")
	back := restored(t, r.server, place)
	back.start(t)
	back.stop(t)
}

// Export and import: the same log, seq by seq and chain by chain, also through pipes; cut or changed it imports as none.
func TestExportImport(t *testing.T) {
	t.Parallel()
	r, n, k, _, _, master := runbookRig(t)
	k.answers(always(200))
	for i := range 30 {
		n.publish(t, sample("a.b", i))
	}
	r.settle(t)
	r.stop(t)
	st := r.stat(t)
	dir := t.TempDir()
	keyring := filepath.Join(dir, "keyring")
	text := r.logOK(t, "export", "--keyring", keyring).out
	key, err := os.ReadFile(master)
	if err != nil {
		t.Fatal(err)
	}
	opts := r.opts
	opts.args = nil
	back := newServer(t, opts)
	if got := runCLI(t, dir, text, nil, "log", "import", "--from", "-", "--keyring", keyring, "--data", back.data); got.code != 0 {
		t.Fatalf("import: exit %d, %s", got.code, got.text())
	}
	if err := os.WriteFile(filepath.Join(back.data, "master.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	is := back.stat(t)
	equal(t, "head_seq", is.HeadSeq, st.HeadSeq)
	equal(t, "chain", is.Chain, st.Chain)
	equal(t, "state_digest", is.StateDigest, st.StateDigest)
	equal(t, "exported again", back.logOK(t, "export").out, text)
	back.start(t)
	equal(t, "held", back.statusOf(t).Held, true)
	equal(t, "events", len((&tenant{s: back, id: "acme"}).events(t)), 31)
	back.stop(t)
	for what, changed := range map[string]string{"cut": text[:len(text)*2/3], "without its end": text[:strings.LastIndex(text[:len(text)-1], "\n")+1],
		"other facts": strings.Replace(text, `"facts":"A`, `"facts":"B`, 1)} {
		other := newServer(t, r.opts)
		got := runCLI(t, dir, changed, nil, "log", "import", "--from", "-", "--keyring", keyring, "--data", other.data)
		if got.code == 0 || !strings.Contains(got.errOut, "half an import") {
			t.Errorf("%s: exit %d, %s", what, got.code, got.text())
		}
		if got := other.log(t, "stat"); got.code != 1 {
			t.Errorf("%s: log stat of what it left exits %d", what, got.code)
		}
	}
}
