package express

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// mirror is a handler that answers with what it got; its path chooses how.
func mirror(w http.ResponseWriter, r *http.Request) {
	how := strings.TrimPrefix(r.URL.Path, "/x/")
	switch how {
	case "unread":
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	case "refuse":
		w.Header().Set("Connection", "close")
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "no key")
		return
	case "panic":
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(r.Body)
	got := map[string]any{
		"method": r.Method, "target": r.RequestURI, "path": r.URL.Path, "query": r.URL.RawQuery, "url": r.URL.String(), "proto": r.Proto,
		"major": r.ProtoMajor, "minor": r.ProtoMinor, "header": r.Header, "host": r.Host, "length": r.ContentLength, "close": r.Close,
		"encoding": r.TransferEncoding, "body": string(body), "error": fmt.Sprint(err), "form": r.Form, "empty": r.Body == http.NoBody, "tls": r.TLS,
	}
	text, err := json.Marshal(got)
	if err != nil {
		panic(err)
	}
	answerAs(w, how, text)
}

func answerAs(w http.ResponseWriter, how string, text []byte) {
	h := w.Header()
	switch how {
	case "silent":
	case "none":
		h.Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusNoContent)
	case "sniffed":
		_, _ = w.Write(text)
	case "odd":
		h["X-Odd"] = []string{" a\r\nInjected: yes ", "", "b"}
		h["Bad Name"] = []string{"c"}
		h.Set("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
		w.WriteHeader(599)
		h.Set("X-Late", "not sent")
		w.WriteHeader(200)
	case "short":
		h.Set("Content-Length", "10000")
		_, _ = io.WriteString(w, "short")
	case "long":
		h.Set("Content-Length", "5")
		for range 3 {
			_, err := io.WriteString(w, "12345")
			h.Set("X-Error", fmt.Sprint(err))
		}
	case "large":
		for range 70 {
			_, _ = io.WriteString(w, strings.Repeat("0123456789", 1000))
		}
	case "huge":
		_, _ = io.WriteString(w, strings.Repeat("0123456789", 100_000))
	case "declared":
		h.Set("Content-Length", strconv.Itoa(70*10_000))
		for range 70 {
			_, _ = io.WriteString(w, strings.Repeat("0123456789", 1000))
		}
	default:
		h.Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(text)
	}
}

func takes(path string) bool { return strings.HasPrefix(path, "/x/") }

// rig is one server in front of mirror.
type rig struct {
	addr     net.Addr
	server   *Server // nil for plain net/http
	shutdown func(context.Context) error
	served   atomic.Int64 // by the express way
}

type web interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
	Close() error
}

// start serves on a Unix socket, which has half-closing and no ports to use up, and stops with the test.
func start(t testing.TB, express bool, handler http.Handler) *rig {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, l, express, handler)
}

func startOn(t testing.TB, l net.Listener, express bool, handler http.Handler) *rig {
	t.Helper()
	r := &rig{addr: l.Addr()}
	plain := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	var s web = plain
	if express {
		plain.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if _, ok := w.(*answer); ok {
				r.served.Add(1)
			}
			handler.ServeHTTP(w, req)
		})
		r.server = New(Options{Web: plain, Takes: takes})
		s = r.server
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	r.shutdown = s.Shutdown
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := errors.Join(s.Shutdown(ctx), s.Close()); err != nil {
			t.Error(err)
		}
		if err := <-done; err != http.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	})
	return r
}

func (r *rig) dial(t testing.TB) net.Conn {
	t.Helper()
	c, err := net.Dial(r.addr.Network(), r.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// reply is one answer, without Date and framing.
type reply struct {
	text   string
	closes bool // says Connection: close
}

// same compares two connections' answers. Where net/http just ends a connection, the last answer may say so.
func same(got, want []reply) bool {
	return slices.EqualFunc(got, want, func(a, b reply) bool { return a.text == b.text }) &&
		slices.EqualFunc(got, want, func(a, b reply) bool { return a.closes == b.closes || a.closes && b == want[len(want)-1] })
}

// ask sends a text, ends it, and returns all that came back until the server closed.
func (r *rig) ask(t testing.TB, text []byte) []reply {
	t.Helper()
	c := r.dial(t)
	defer c.Close()
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		if _, err := c.Write(text); err == nil { // a server that has closed already is fine
			_ = closeWrite(c)
		}
	}()
	back, err := io.ReadAll(c)
	var limit net.Error
	if errors.As(err, &limit) && limit.Timeout() {
		t.Fatalf("no end after %q", text)
	}
	<-wrote
	return answers(text, back)
}

// answers splits what a server sent, headers in order; text was asked.
func answers(text, back []byte) []reply {
	var all []reply
	in := bufio.NewReader(bytes.NewReader(back))
	for {
		if _, err := in.Peek(1); err != nil {
			return all
		}
		method := http.MethodPost
		if len(all) == 0 && bytes.HasPrefix(text, []byte("HEAD ")) { // no body, whatever its header says
			method = http.MethodHead
		}
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			rest, _ := io.ReadAll(in)
			return append(all, reply{text: fmt.Sprintf("no answer: %v: %q", err, rest)})
		}
		body, err := io.ReadAll(resp.Body)
		var fields []string
		for name, values := range resp.Header {
			if name != "Content-Length" && (name != "Date" || values[0] == "Sun, 06 Nov 1994 08:49:37 GMT") {
				fields = append(fields, fmt.Sprintf("%s: %q", name, values))
			}
		}
		slices.Sort(fields)
		dated := resp.Header.Get("Date") != ""
		all = append(all, reply{closes: resp.Close,
			text: fmt.Sprintf("%s %s\n%s\ndated %v error %v\n%q", resp.Proto, resp.Status, strings.Join(fields, "\n"), dated, err, body)})
	}
}
