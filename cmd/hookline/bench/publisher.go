package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

func publisherOps(l *ledger) map[string]handler {
	return map[string]handler{"publish": op(func(ctx context.Context, a publishArgs) (publishResult, error) {
		return publish(ctx, l, a)
	})}
}

type publishArgs struct {
	Server    string        `json:"server"`
	Key       string        `json:"key"`
	Tenant    string        `json:"tenant"`
	Run       uint32        `json:"run"`
	From      uint64        `json:"from"`      // number of the first event
	Count     uint64        `json:"count"`     // 0 = until Duration is over
	Duration  time.Duration `json:"duration"`  // 0 = until Count is reached
	Batch     int           `json:"batch"`     // events a call; 1 = singly
	Types     int           `json:"types"`     // event types, taken in turn
	Unmatched bool          `json:"unmatched"` // of types that no endpoint takes
	Keyed     bool          `json:"keyed"`     // with an idempotency key each
	Size      int           `json:"size"`      // of the rendered body, bytes
	Window    uint64        `json:"window"`    // most events published and not yet received; 0 = no bound
	Rate      float64       `json:"rate"`      // events/s; 0 = as fast as it goes
}

type publishResult struct {
	Accepted uint64        `json:"accepted"` // answered 202: the numbers From .. From+Accepted-1
	First    int64         `json:"first"`    // start of the first call, Unix ns
	Elapsed  time.Duration `json:"elapsed"`  // from then to the last answer
	MinSeq   uint64        `json:"min_seq"`
	MaxSeq   uint64        `json:"max_seq"`
}

// publish publishes over 64 keep-alive connections. Any answer but a clean 202 is an error: a bench whose publishes are
// refused measures something else.
func publish(ctx context.Context, l *ledger, a publishArgs) (publishResult, error) {
	tr := &http.Transport{MaxIdleConnsPerHost: Connections, DisableCompression: true}
	defer tr.CloseIdleConnections()
	p := &publishing{a: a, ledger: l, client: &http.Client{Transport: tr}, base: l.head.received.Load(), began: time.Now()}
	p.next.Store(a.From)
	p.minSeq.Store(^uint64(0))
	p.url = a.Server + "/v1/tenants/" + a.Tenant + "/events"
	if a.Batch > 1 {
		p.url += ":batch"
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for range Connections {
		wg.Go(func() {
			w := &caller{publishing: p}
			for {
				n, count, ok := p.take(ctx)
				if !ok {
					return
				}
				if err := w.publish(ctx, n, count); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return publishResult{}, err
	}
	return publishResult{
		Accepted: p.next.Load() - a.From, First: p.began.UnixNano(), Elapsed: time.Since(p.began),
		MinSeq: p.minSeq.Load(), MaxSeq: p.maxSeq.Load(),
	}, nil
}

type publishing struct {
	a              publishArgs
	ledger         *ledger
	client         *http.Client
	url            string
	base           uint64 // receipts before this call
	began          time.Time
	mu             sync.Mutex // guards taking
	next           atomic.Uint64
	minSeq, maxSeq atomic.Uint64
}

// take hands out the next numbers, when the window and the rate allow it.
func (p *publishing) take(ctx context.Context) (n uint64, count int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n = p.next.Load()
	made := n - p.a.From
	count = p.a.Batch
	if p.a.Count > 0 {
		count = int(min(uint64(count), p.a.Count-made))
	}
	if count == 0 {
		return 0, 0, false
	}
	if p.a.Rate > 0 && !pause(ctx, time.Until(p.began.Add(time.Duration(float64(made)/p.a.Rate*float64(time.Second))))) {
		return 0, 0, false
	}
	for p.a.Window > 0 && made+uint64(count) > p.ledger.head.received.Load()-p.base+p.a.Window {
		if p.over() || !pause(ctx, 100*time.Microsecond) {
			return 0, 0, false
		}
	}
	if p.over() || ctx.Err() != nil || n+uint64(count) > ledgerSlots {
		return 0, 0, false
	}
	p.next.Store(n + uint64(count))
	return n, count, true
}

func (p *publishing) over() bool { return p.a.Duration > 0 && time.Since(p.began) >= p.a.Duration }

func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// caller is one connection's worth of buffers.
type caller struct {
	*publishing
	body   []byte
	answer bytes.Buffer
}

func (w *caller) publish(ctx context.Context, n uint64, count int) error {
	w.body = w.body[:0]
	if w.a.Batch > 1 {
		w.body = append(w.body, `{"events":[`...)
	}
	for i := range uint64(count) {
		if i > 0 {
			w.body = append(w.body, ',')
		}
		w.appendEvent(n + i)
	}
	if w.a.Batch > 1 {
		w.body = append(w.body, `]}`...)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(w.body))
	if err != nil {
		return err
	}
	req.GetBody = nil // never sent twice behind our back: without a key that would be two events
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+w.a.Key)
	if n < stampSlots {
		w.ledger.stamps[n].sent.Store(time.Now().UnixNano())
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return err
	}
	w.answer.Reset()
	_, err = w.answer.ReadFrom(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("answer to publish: %w", err)
	}
	return w.check(resp.StatusCode, count)
}

func (w *caller) appendEvent(n uint64) {
	b := append(w.body, `{"type":"`...)
	b = appendType(b, n, w.a.Types, w.a.Unmatched)
	if w.a.Keyed {
		b = append(b, `","idempotency_key":"`...)
		b = strconv.AppendUint(b, uint64(w.a.Run), 10)
		b = append(b, '-')
		b = strconv.AppendUint(b, n, 10)
	}
	b = append(b, `","data":`...)
	b = appendData(b, w.a.Run, n, dataSize(w.a.Size))
	w.body = append(b, '}')
}

// check holds that every event of the call was accepted. It looks for the few bytes it needs: decoding the whole answer
// would cost the machine more than many a server spends on it.
func (w *caller) check(status, count int) error {
	b := w.answer.Bytes()
	if status != http.StatusAccepted {
		return fmt.Errorf("publish answered %d: %s", status, b[:min(len(b), 400)])
	}
	if bytes.Contains(b, []byte(`"duplicate":true`)) {
		return fmt.Errorf("a new event was called a duplicate: %s", b[:min(len(b), 400)])
	}
	found := 0
	for rest := b; ; found++ {
		i := bytes.Index(rest, []byte(`"seq":`))
		if i < 0 {
			break
		}
		rest = rest[i+len(`"seq":`):]
		end := bytes.IndexAny(rest, ",}")
		seq, ok := uint64(0), false
		if end > 0 {
			seq, ok = digits(rest[:end])
		}
		if !ok {
			return fmt.Errorf("seq in the answer: %s", b[:min(len(b), 400)])
		}
		lower(&w.minSeq, seq)
		raise(&w.maxSeq, seq)
	}
	if found != count {
		return fmt.Errorf("%d of %d events accepted: %s", found, count, b[:min(len(b), 400)])
	}
	return nil
}

func raise(v *atomic.Uint64, to uint64) {
	for old := v.Load(); to > old && !v.CompareAndSwap(old, to); old = v.Load() {
	}
}

func lower(v *atomic.Uint64, to uint64) {
	for old := v.Load(); to < old && !v.CompareAndSwap(old, to); old = v.Load() {
	}
}
