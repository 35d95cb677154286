package blackbox

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// streamSeqs reads /v1/stream after the given seq until it has seen the seq upTo, and returns the ids in order.
func (s *server) streamSeqs(t testing.TB, after, upTo uint64) []uint64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), late)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.api.base+"/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Last-Event-ID", strconv.FormatUint(after, 10))
	resp, err := s.api.hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if ct := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || !strings.HasPrefix(ct, "text/event-stream") {
		t.Fatalf("stream: %d %s", resp.StatusCode, ct)
	}
	var seqs []uint64
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "id:")
		if !ok {
			continue
		}
		seq, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
		if err != nil {
			t.Fatalf("stream: id %q is no seq", text)
		}
		if seqs = append(seqs, seq); seq >= upTo {
			return seqs
		}
	}
	t.Fatalf("stream after %d ended at %v before %d: %v", after, seqs, upTo, lines.Err())
	return nil
}

// /v1/stream: records in the order of the log, resumable by seq without a gap, over a restart too, and live.
func TestStream(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	n.endpoint(t, k, nil)
	for i := range 10 {
		n.publish(t, sample("a.b", i))
	}
	k.await(t, 10, soon)
	head := func() uint64 {
		var st logStatus
		r.api.get(t, "/v1/log/status", &st)
		return st.HeadSeq
	}
	to := head()
	all := r.streamSeqs(t, 0, to)
	for i := 1; i < len(all); i++ {
		if all[i] <= all[i-1] {
			t.Fatalf("seq %d after %d", all[i], all[i-1])
		}
	}
	middle := len(all) / 2
	rest := r.streamSeqs(t, all[middle], to)
	equal(t, "resumed in the middle", fmt.Sprint(rest), fmt.Sprint(all[middle+1:]))
	r.kill9(t)
	r.start(t)
	after := r.streamSeqs(t, all[middle], to)
	equal(t, "resumed after a restart", fmt.Sprint(after[:len(rest)]), fmt.Sprint(rest))

	from, live := head(), make(chan error, 1)
	go func() { // published while the stream below waits for it
		_, err := r.api.send("POST", n.path("/events"), sample("a.b", 99).json())
		live <- err
	}()
	if got := r.streamSeqs(t, from, from+1); got[0] <= from {
		t.Errorf("live stream: seq %d after %d", got[0], from)
	}
	select {
	case err := <-live:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(soon):
		t.Fatal("the publish did not end")
	}
}
