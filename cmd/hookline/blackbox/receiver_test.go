package blackbox

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// request is one call as a receiver got it.
type request struct {
	at          time.Time
	method      string
	path        string
	host        string
	header      http.Header
	length      int64    // content-length; -1 when there was none
	transferred []string // transfer encodings
	body        []byte
	n           int // which one at its sink, from 1
}

// answer is what a sink does with a request.
type answer struct {
	status int
	body   string
	header map[string]string
	hold   <-chan struct{} // answer only once it is closed
	raw    string          // written to the connection as it stands, which is then closed; overrides status
	hangUp bool            // close the connection without a byte
	drip   bool            // status and some body at once, the rest of the body never
}

// script decides the answer to one request.
type script func(r request) answer

// always answers every request with one status.
func always(status int) script { return func(request) answer { return answer{status: status} } }

// inOrder answers with the statuses one after the other; the last one repeats.
func inOrder(statuses ...int) script {
	return func(r request) answer { return answer{status: statuses[min(r.n, len(statuses))-1]} }
}

// held answers 200 to everything once release is closed.
func held(release <-chan struct{}) script {
	return func(request) answer { return answer{status: http.StatusOK, hold: release} }
}

// receiver is a customers' HTTPS server with many sinks, one a path.
type receiver struct {
	base        string
	server      *http.Server
	done        chan struct{}
	connections atomic.Int64 // TCP connections accepted so far

	mu    sync.Mutex
	sinks map[string]*sink
	stray []string // paths nobody registered
}

// newReceiver listens on loopback with a certificate of the trusted authority for 127.0.0.1 and localhost.
func newReceiver(t testing.TB) *receiver {
	t.Helper()
	ca, err := trusted()
	if err != nil {
		t.Fatal(err)
	}
	return newReceiverWith(t, ca.leaf(t, "127.0.0.1", "localhost"))
}

func newReceiverWith(t testing.TB, cert tls.Certificate) *receiver {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rc := &receiver{base: "https://" + l.Addr().String(), done: make(chan struct{}), sinks: map[string]*sink{}}
	rc.server = &http.Server{
		Handler: rc, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}},
		ConnState: func(_ net.Conn, st http.ConnState) {
			if st == http.StateNew {
				rc.connections.Add(1)
			}
		},
	}
	ended := make(chan struct{})
	go func() { _ = rc.server.ServeTLS(l, "", ""); close(ended) }()
	t.Cleanup(func() {
		close(rc.done)
		_ = rc.server.Close()
		<-ended
	})
	return rc
}

// port is what stands behind the colon of the receiver's address.
func (rc *receiver) port() string { return rc.base[strings.LastIndex(rc.base, ":")+1:] }

// sink is one address at a receiver, with its script and everything it got.
type sink struct {
	url, path string

	mu     sync.Mutex
	script script
	got    []request
}

// sink registers an address; its name becomes the path.
func (rc *receiver) sink(name string, s script) *sink {
	k := &sink{path: "/" + name, url: rc.base + "/" + name, script: s}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	rc.sinks[k.path] = k
	return k
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	rc.mu.Lock()
	k := rc.sinks[req.URL.Path]
	if k == nil || err != nil {
		rc.stray = append(rc.stray, req.URL.Path)
	}
	rc.mu.Unlock()
	if k == nil || err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	a := k.take(request{
		at: time.Now(), method: req.Method, path: req.URL.Path, host: req.Host, header: req.Header.Clone(),
		length: req.ContentLength, transferred: req.TransferEncoding, body: body,
	})
	if a.hold != nil {
		// Given up on, the connection breaks: a return would still answer 200.
		select {
		case <-a.hold:
		case <-req.Context().Done():
			panic(http.ErrAbortHandler)
		case <-rc.done:
			panic(http.ErrAbortHandler)
		}
	}
	rc.answer(w, req, a)
}

func (rc *receiver) answer(w http.ResponseWriter, req *http.Request, a answer) {
	if a.hangUp || a.raw != "" {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, a.raw)
		return
	}
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status)
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		_, _ = io.WriteString(w, a.body)
	}
	if a.drip {
		w.(http.Flusher).Flush()
		select {
		case <-req.Context().Done():
		case <-rc.done:
		}
		// Not a return: that would end the body properly, for a client that has closed only its own direction.
		panic(http.ErrAbortHandler)
	}
}
