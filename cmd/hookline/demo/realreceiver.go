package demo

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/hookline/hookline/cmd/hookline/demo/authority"
)

// realReceiver hands on what it receives, untouched.
type realReceiver struct {
	arrivals chan<- arrival
	done     chan struct{} // closed by close
	server   *http.Server
	serving  sync.WaitGroup
}

func (s *realReceiver) start(ca *authority.Authority) (base string, err error) {
	cert, err := ca.Leaf(net.IPv4(127, 0, 0, 1))
	if err != nil {
		return "", err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("demo: receiver: %w", err)
	}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	s.serving.Go(func() { s.server.Serve(tls.NewListener(ln, conf)) })
	return "https://" + ln.Addr().String(), nil
}

func (s *realReceiver) close() error {
	close(s.done)
	err := s.server.Close()
	s.serving.Wait()
	return err
}

func (s *realReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var body bytes.Buffer
	if _, err := body.ReadFrom(http.MaxBytesReader(w, req.Body, maxBody)); err != nil {
		return
	}
	a := arrival{body: body.Bytes()}
	switch {
	case req.Header.Get("Content-Type") != "application/json":
		a.err = fmt.Errorf("content-type %q: want application/json (D-17)", req.Header.Get("Content-Type"))
	case req.ContentLength != int64(body.Len()):
		a.err = errors.New("no content-length (D-17)")
	case req.Header.Get("X-Osir-Signature") != "":
		a.err = errors.New("a signature header: DNSimple sends none (D-15)")
	}
	select {
	case s.arrivals <- a:
		io.WriteString(w, "OK")
	case <-s.done:
	}
}
