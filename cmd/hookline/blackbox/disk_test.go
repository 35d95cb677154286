package blackbox

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"
)

// Below low water publishes and management are refused with 507, nothing is stored; endpoints
// can be read, and lists tell what the views have, which pause first (promise 1; LESSONS: a full disk hangs commits for ever).
func TestDiskLow(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	ep := n.endpoint(t, k, nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	n.awaitStatus(t, id, "succeeded", "", 1, soon) // the view has it
	r.stop(t)

	var fs syscall.Statfs_t
	if err := syscall.Statfs(t.TempDir(), &fs); err != nil {
		t.Fatal(err)
	}
	free := fs.Bavail * uint64(fs.Bsize) >> 20
	r.start(t, fmt.Sprintf("HOOKLINE_LOW_WATER=%dMiB", min(2*free, 1<<20-1)))
	var before, after logStatus
	poll(t, soon, func() string { // the first look at the disk comes a moment after the start
		if got := r.api.do(t, "POST", n.path("/events"), sample("domain.registered", 2).json()); got.status != http.StatusInsufficientStorage {
			return row("publish on a full disk", got.status, "want 507")
		}
		return ""
	})
	r.api.get(t, "/v1/log/status", &before)
	for range 3 {
		r.api.call(t, http.StatusInsufficientStorage, "POST", n.path("/events"), sample("domain.registered", 3).json())
		r.api.call(t, http.StatusInsufficientStorage, "POST", n.path("/endpoints"), fields{"url": k.url})
	}
	r.api.get(t, "/v1/log/status", &after)
	equal(t, "head after refused publishes", after.HeadSeq, before.HeadSeq)
	equal(t, "endpoint while the disk is low", n.getEndpoint(t, ep.ID).Status, "enabled")
	for _, list := range []string{"/events", "/deliveries", "/attempts"} {
		var page struct{ Data []fields }
		r.api.get(t, n.path(list), &page)
		equal(t, list+" while the disk is low", len(page.Data), 1)
	}
	r.stop(t)
	r.start(t)
	had := k.count()
	n.publish(t, sample("domain.registered", 4))
	k.await(t, had+1, soon)
}
