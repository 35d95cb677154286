package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hookline/hookline/cmd/hookline/demo/authority"
)

// failPath is answered 500, everything else 200.
const failPath = "/fail"

// maxBody bounds what the receiver reads, in bytes: the bench sends 1 KiB.
const maxBody = 1 << 20

// receiver is the customer of both, of hookline and of the bare loop: a net/http server over TLS 1.3 that counts. It
// verifies no signature: the bench measures the sender.
type receiver struct {
	ledger  *ledger
	bodies  sync.Pool
	server  *http.Server
	serving sync.WaitGroup
}

func newReceiver(l *ledger) *receiver {
	r := &receiver{ledger: l}
	r.bodies.New = func() any { return new(bytes.Buffer) }
	r.server = &http.Server{
		Handler:           r,
		ReadHeaderTimeout: time.Minute,
		IdleTimeout:       5 * time.Minute,
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1 for both
		ErrorLog:          log.New(io.Discard, "", 0),                               // peers that go away are no news
	}
	return r
}

func (r *receiver) ops() map[string]handler { return map[string]handler{"listen": op(r.listen)} }

type listenArgs struct {
	Authority string   `json:"authority"` // its directory
	Addresses []string `json:"addresses"` // IPv4, without port
}

type listenResult struct {
	Port int `json:"port"` // the same at every address
}

// listen serves at further addresses, all at one port. Every address has a certificate of its own: one with 1 000 names would be
// heavy on the wire.
func (r *receiver) listen(_ context.Context, a listenArgs) (listenResult, error) {
	ca, err := authority.Open(a.Authority)
	if err != nil {
		return listenResult{}, err
	}
	port := 0
	for _, addr := range a.Addresses {
		ip := net.ParseIP(addr)
		cert, err := ca.Leaf(ip)
		if err != nil {
			return listenResult{}, err
		}
		ln, err := net.Listen("tcp", net.JoinHostPort(addr, strconv.Itoa(port)))
		if err != nil {
			return listenResult{}, fmt.Errorf("listen: %w", err)
		}
		port = ln.Addr().(*net.TCPAddr).Port
		conf := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
		r.serving.Go(func() { r.server.Serve(tls.NewListener(ln, conf)) })
	}
	return listenResult{Port: port}, nil
}

func (r *receiver) close() {
	r.server.Close()
	r.serving.Wait()
}

// ServeHTTP counts a receipt at the time the request's head is read: a little after its first byte.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	now := time.Now().UnixNano()
	buf := r.bodies.Get().(*bytes.Buffer)
	defer r.bodies.Put(buf)
	buf.Reset()
	if _, err := buf.ReadFrom(http.MaxBytesReader(w, req.Body, maxBody)); err != nil {
		return // cut: the sender has no answer and will come again
	}
	if strings.HasPrefix(req.URL.Path, hangPath) {
		<-req.Context().Done()
		return
	}
	run, n, ok := parseBody(buf.Bytes())
	if !ok {
		r.ledger.head.strays.Add(1)
		http.Error(w, "no event of the bench", http.StatusBadRequest)
		return
	}
	r.ledger.receive(run, n, now)
	if strings.HasPrefix(req.URL.Path, failPath) {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	io.WriteString(w, "OK")
}
