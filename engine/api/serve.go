package api

import (
	"errors"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/hookline/hookline/engine"
)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	a := &answer{ResponseWriter: w}
	if svc := s.service.Load(); svc != nil {
		a.svc = *svc
	}
	defer s.ended(a, r, began)
	if !cleanPath(r.URL.Path) { // ServeMux would redirect, without asking for a key
		s.serve(a, r, nil)
		return
	}
	s.mux.ServeHTTP(a, r)
}

// cleanPath is false for paths with empty or dotted segments.
func cleanPath(p string) bool {
	if !strings.Contains(p, "//") && !strings.Contains(p, "/.") {
		return true
	}
	return path.Clean(p) == strings.TrimSuffix(p, "/")
}

// ended turns a panic into a 500 and tells metrics and access log.
func (s *Server) ended(a *answer, r *http.Request, began time.Time) {
	if v := recover(); v != nil {
		if v == http.ErrAbortHandler {
			panic(v)
		}
		s.log.Error("api: panic", "method", r.Method, "route", a.route(), "panic", v, "stack", string(debug.Stack()))
		if a.status != 0 {
			panic(http.ErrAbortHandler) // half an answer must not look like a whole one
		}
		s.refuse(a, r, errors.New("panic"))
	}
	took := time.Since(began)
	s.meter.observe(a, took)
	if s.log.Enabled(r.Context(), slog.LevelDebug) {
		s.log.Debug("api: request", "method", r.Method, "route", a.route(), "status", a.status,
			"request_bytes", max(r.ContentLength, 0), "response_bytes", a.size, "took", took)
	}
}

// serve finds the operation and runs it: key first, then everything else.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, res *resource) {
	a := w.(*answer)
	op, err := res.find(r)
	var who *engine.Principal
	if op == nil || !op.open {
		var refusal error
		if who, refusal = s.admit(a, r); refusal != nil {
			s.refuse(a, r, refusal)
			return
		}
	}
	if err == nil && who != nil {
		err = allowed(who, op, r)
	}
	if err != nil {
		s.refuse(a, r, err)
		return
	}
	a.op = op
	c := &call{Server: s, w: a, r: r, svc: a.svc, op: op, who: who}
	if who != nil {
		c.by = who.Actor()
	}
	if err := c.prepare(); err != nil {
		s.refuse(a, r, err)
		return
	}
	if err := op.handle(c); err != nil {
		s.refuse(a, r, err)
	}
}

func errStarting() *engine.Error {
	return &engine.Error{Code: engine.CodeUnavailable, Detail: "the server is starting: try again when /readyz answers 200"}
}

// prepare reads what every operation has: the query and X-Min-Seq.
func (c *call) prepare() (err error) {
	if c.values, err = parseQuery(c.r.URL.RawQuery, c.op); err != nil {
		return err
	}
	if enc := c.r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return engine.Invalid("Content-Encoding", "%.32q is not taken: send the body uncompressed", enc)
	}
	if err := c.awaitSeen(); err != nil {
		return err
	}
	return c.travel()
}

// awaitSeen waits for what X-Min-Seq says that the caller has seen.
func (c *call) awaitSeen() (err error) {
	text := c.r.Header.Get("X-Min-Seq")
	if text == "" {
		return nil
	}
	if c.minSeq, err = strconv.ParseUint(text, 10, 64); err != nil {
		return engine.Invalid("X-Min-Seq", "%.32q is no seq: send the number that X-Log-Seq of an earlier answer had", text)
	}
	return c.awaitMinSeq()
}

// minSeqWait is how long X-Min-Seq is waited for.
const minSeqWait = 2 * time.Second

// awaitMinSeq waits until the log has the record that the caller has seen elsewhere.
func (c *call) awaitMinSeq() error {
	if c.svc == nil || c.svc.HeadSeq() >= c.minSeq {
		return nil
	}
	deadline := time.NewTimer(minSeqWait)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if c.svc.HeadSeq() >= c.minSeq {
				return nil
			}
		case <-deadline.C:
			return &engine.Error{Code: engine.CodeUnavailable, Detail: "the log has not reached X-Min-Seq " +
				strconv.FormatUint(c.minSeq, 10) + " within 2 s; it stands at " + strconv.FormatUint(c.svc.HeadSeq(), 10)}
		case <-c.r.Context().Done():
			return c.r.Context().Err()
		}
	}
}
