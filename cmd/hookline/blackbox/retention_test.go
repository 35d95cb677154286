package blackbox

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// retained is what is said about a body that may be gone.
type retained struct {
	Body        *string `json:"body"`
	BodyRemoved *struct {
		Rule string `json:"rule"`
	} `json:"body_removed"`
}

// Retention by age: bodies go by the engine's clock, reads and resends say by which rule, the log verifies and folds.
func TestBodiesGoByAge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "hookline.yaml")
	if err := os.WriteFile(file, []byte("retention:\n  bodies:\n    age: 30d\n    by_type: {secret.*: {age: 1h}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &rig{rcv: newReceiver(t), server: startServer(t, serveOptions{manual: true, args: []string{"--config", file}})}
	n := r.tenant(t, "acme", "osir")
	k := r.rcv.sink("r", always(200))
	n.endpoint(t, k, nil)
	secret := n.publish(t, event{typ: "secret.made", data: `{"s":1}`})
	plain := n.publish(t, event{typ: "a.b", data: `{"n":1}`})
	r.settle(t)
	read := func(uid string) (e retained) {
		r.api.get(t, n.path("/events/", uid), &e)
		return e
	}
	awaitGone := func(uid string) {
		t.Helper()
		poll(t, late, func() string {
			if e := read(uid); e.BodyRemoved == nil || e.Body != nil {
				return fmt.Sprintf("event %s: %+v", uid, e)
			}
			return ""
		})
	}
	r.advance(t, 2*time.Hour)
	awaitGone(secret.UID)
	equal(t, "rule", read(secret.UID).BodyRemoved.Rule, "bodies of secret.* older than 1h0m0s")
	if read(plain.UID).Body == nil {
		t.Error("a body went before its time")
	}
	refused := r.api.call(t, http.StatusGone, "POST", n.path("/deliveries/", secret.Matched[0].DeliveryID)+":resend", nil).problem(t)
	if !refused.says("older than 1h0m0s") {
		t.Errorf("resend: %+v, want the rule", refused)
	}
	var list struct {
		Data []retained `json:"data"`
	}
	r.api.get(t, n.path("/attempts?event_type=secret.made"), &list)
	if len(list.Data) != 1 || list.Data[0].BodyRemoved == nil {
		t.Errorf("attempts of it: %+v", list)
	}
	n.resend(t, plain.Matched[0].DeliveryID)
	r.advance(t, 31*24*time.Hour)
	awaitGone(plain.UID)
	k.exactly(t, 3)
	r.stop(t)
	var v struct {
		OK      bool `json:"ok"`
		Removed int  `json:"sections_removed"`
	}
	if err := json.Unmarshal([]byte(r.logOK(t, "verify", "-o", "json").out), &v); err != nil || !v.OK || v.Removed != 5 {
		t.Errorf("verify: %+v %v, want 5 removed sections: 2 events, 3 attempts", v, err)
	}
	r.logOK(t, "rebuild", "--check")
}

// Retention by size: whatever is published, the disk that the log takes stays bounded (disk use bounded).
func TestDiskUseIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("publishes 300 MB")
	}
	t.Parallel()
	r := &rig{rcv: newReceiver(t), server: startServer(t, serveOptions{args: []string{"--retention", "{bodies: {size: 32MiB}}"}})}
	n := r.tenant(t, "acme", "standard")
	body := strings.Repeat("x", 200_000)
	const events = 1500
	peak := int64(0)
	for i := range events {
		n.publish(t, event{typ: "a.b", data: `{"x":"` + body + `"}`})
		if i%50 == 0 {
			peak = max(peak, bytesIn(t, filepath.Join(r.data, "log")))
		}
	}
	// Besides the bound there are two memtables, the write-ahead log and what a compaction writes anew.
	poll(t, late, func() string {
		if now := bytesIn(t, filepath.Join(r.data, "log")); now > 128<<20 {
			return fmt.Sprintf("the log takes %d MiB", now>>20)
		}
		return ""
	})
	t.Logf("published %d MiB; the log took at most %d MiB, in the end %d", events*len(body)>>20, peak>>20, bytesIn(t, filepath.Join(r.data, "log"))>>20)
	r.stop(t)
	r.logOK(t, "verify")
}

func bytesIn(t testing.TB, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) { // gone meanwhile
				return nil
			}
			return err
		}
		if info, err := d.Info(); err == nil && !d.IsDir() {
			n += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
