package verify

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// receiver is an HTTP server that does as its path says: /hookline-verify/VERB/KEY. It remembers what came, by key.
type receiver struct {
	base    string
	refused string // an address where nobody listens
	server  *http.Server
	done    chan struct{}
	ending  chan struct{}

	mu   sync.Mutex
	seen map[string][]arrival
	more chan struct{} // closed and replaced at each arrival
}

type arrival struct {
	body   []byte
	header http.Header
	method string
}

const pathMark = "/hookline-verify/"

func newReceiver() (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	r := &receiver{base: "http://" + l.Addr().String(), refused: "http://" + closed.Addr().String(), seen: map[string][]arrival{},
		more: make(chan struct{}), done: make(chan struct{}), ending: make(chan struct{})}
	_ = closed.Close()
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(r.done)
		_ = r.server.Serve(l)
	}()
	return r, nil
}

func (r *receiver) close() {
	close(r.ending)
	_ = r.server.Close()
	<-r.done
}

func (r *receiver) url(verb, key string) string { return r.base + pathMark + verb + "/" + key }

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	_, rest, ok := strings.Cut(q.URL.Path, pathMark)
	verb, key, _ := strings.Cut(rest, "/")
	if !ok {
		http.NotFound(w, q)
		return
	}
	body, err := io.ReadAll(io.LimitReader(q.Body, 16<<20))
	if err != nil {
		return
	}
	r.mu.Lock()
	r.seen[key] = append(r.seen[key], arrival{body, q.Header.Clone(), q.Method})
	close(r.more)
	r.more = make(chan struct{})
	r.mu.Unlock()
	switch verb {
	case "ok":
		_, _ = io.WriteString(w, "thank you")
	case "no":
		w.WriteHeader(http.StatusInternalServerError)
	case "redirect":
		w.Header().Set("Location", r.url("ok", url.PathEscape(key)))
		w.WriteHeader(http.StatusFound)
	case "hang":
		select {
		case <-q.Context().Done():
		case <-r.ending:
		}
	case "slow":
		select {
		case <-q.Context().Done():
		case <-r.ending:
		case <-time.After(time.Second):
		}
	case "drop":
		if h, ok := w.(http.Hijacker); ok {
			if c, _, err := h.Hijack(); err == nil {
				_ = c.Close()
			}
		}
	}
}

// count is how often a key came.
func (r *receiver) count(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen[key])
}

// await waits until n arrivals have one of the keys, or the deadline.
func (r *receiver) await(n int, limit time.Duration, keys ...string) error {
	deadline := time.After(limit)
	for {
		got := 0
		r.mu.Lock()
		for _, k := range keys {
			got += len(r.seen[k])
		}
		more := r.more
		r.mu.Unlock()
		if got >= n {
			return nil
		}
		select {
		case <-more:
		case <-deadline:
			return fmt.Errorf("the receiver saw %d of %d attempts within %s", got, n, limit)
		}
	}
}

func (r *receiver) last(key string) (arrival, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.seen[key]
	if len(all) == 0 {
		return arrival{}, false
	}
	return all[len(all)-1], true
}
