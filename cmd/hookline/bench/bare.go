package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookline/hookline/cmd/hookline/demo/authority"
)

// Connections is how many the bare loop and the publisher keep.
const Connections = 64

func bareOps() map[string]handler { return map[string]handler{"run": op(bareLoop)} }

type bareArgs struct {
	Authority string        `json:"authority"` // its directory
	URLs      []string      `json:"urls"`
	Run       uint32        `json:"run"`
	Size      int           `json:"size"` // of a body, bytes
	Duration  time.Duration `json:"duration"`
}

type bareResult struct {
	Sent    uint64        `json:"sent"`  // in all, warm-up included: the numbers from 0
	Timed   uint64        `json:"timed"` // of these, in Elapsed
	Elapsed time.Duration `json:"elapsed"`
}

func (r bareResult) rate() float64 { return float64(r.Timed) / r.Elapsed.Seconds() }

// bareLoop is the reference. Its connections are made before its time starts: the engine's are too.
func bareLoop(ctx context.Context, a bareArgs) (bareResult, error) {
	ca, err := authority.Open(a.Authority)
	if err != nil {
		return bareResult{}, err
	}
	tr := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS13},
		MaxIdleConnsPerHost: Connections,
		DisableCompression:  true,
	}
	defer tr.CloseIdleConnections()
	l := &loop{a: a, client: &http.Client{Transport: tr}}
	if err := l.all(ctx, func(w *sender) bool { return w.done < w.addresses() }); err != nil {
		return bareResult{}, err
	}
	warm := l.next.Load()
	start := time.Now()
	if err := l.all(ctx, func(*sender) bool { return time.Since(start) < a.Duration }); err != nil {
		return bareResult{}, err
	}
	sent := l.next.Load()
	return bareResult{Sent: sent, Timed: sent - warm, Elapsed: time.Since(start)}, nil
}

type loop struct {
	a      bareArgs
	client *http.Client
	next   atomic.Uint64
}

// all runs 64 senders while more says so, and waits for them.
func (l *loop) all(ctx context.Context, more func(*sender) bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for i := range Connections {
		wg.Go(func() {
			w := &sender{loop: l, index: i, mac: hmac.New(sha256.New, []byte(secret))}
			for more(w) && ctx.Err() == nil {
				if err := w.send(ctx); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// secret signs the bare loop's bodies.
const secret = "whsec_bench_0123456789abcdef"

type sender struct {
	*loop
	index int
	done  int // requests made
	mac   interface {
		io.Writer
		Sum([]byte) []byte
		Reset()
	}
	body []byte
	sum  []byte
}

// addresses is how many addresses are this sender's: each address belongs to one sender, unless there are fewer
// addresses than senders.
func (w *sender) addresses() int {
	return max(1, (len(w.a.URLs)-w.index+Connections-1)/Connections)
}

func (w *sender) send(ctx context.Context) error {
	url := w.a.URLs[(w.index+w.done%w.addresses()*Connections)%len(w.a.URLs)]
	w.done++
	w.body = appendBody(w.body[:0], w.a.Run, w.next.Add(1)-1, w.a.Size)
	w.mac.Reset()
	w.mac.Write(w.body)
	w.sum = w.mac.Sum(w.sum[:0])
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(w.body))
	if err != nil {
		return err
	}
	req.GetBody = nil // never sent twice behind our back: the counts would lie
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Osir-Signature", hex.EncodeToString(w.sum))
	resp, err := w.client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("receiver answered %d", resp.StatusCode)
	}
	return nil
}
