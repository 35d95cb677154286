package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/api/jsonstrict"
)

// Problem is a refusal as RFC 9457 has it.
type Problem struct {
	Status int                 `json:"status" doc:"the HTTP status, also of one item of a batch"`
	Title  string              `json:"title" doc:"the status in words"`
	Detail string              `json:"detail" doc:"what is wrong, the bound and the fix"`
	Errors []engine.FieldError `json:"errors" doc:"the fields it is about"`
}

// statusOf maps the engine's codes: the only place that does.
func statusOf(code engine.Code) int {
	switch code {
	case engine.CodeMalformed:
		return http.StatusBadRequest
	case engine.CodeNotFound:
		return http.StatusNotFound
	case engine.CodeConflict:
		return http.StatusConflict
	case engine.CodeGone:
		return http.StatusGone
	case engine.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case engine.CodeInvalid:
		return http.StatusUnprocessableEntity
	case engine.CodeRateLimited:
		return http.StatusTooManyRequests
	case engine.CodeUnavailable:
		return http.StatusServiceUnavailable
	case engine.CodeDiskLow:
		return http.StatusInsufficientStorage
	}
	return http.StatusInternalServerError
}

// problemOf says what a caller learns of an error; known is false for faults of ours, whose text stays inside.
func problemOf(err error) (p Problem, known bool) {
	var (
		e       *engine.Error
		method  *methodError
		malform *jsonstrict.Error
	)
	switch {
	case errors.As(err, &e):
		p = Problem{Status: statusOf(e.Code), Detail: e.Detail, Errors: e.Fields}
		p.speakToCallers()
	case errors.As(err, &malform):
		return problemOf(malformed(malform))
	case errors.Is(err, errNoKey):
		p = Problem{Status: http.StatusUnauthorized, Detail: "a valid key is needed: send it as `Authorization: Bearer KEY`"}
	case errors.Is(err, errForeign):
		p = Problem{Status: http.StatusForbidden, Detail: "a change with the session's cookie must come from the portal's own page: send the token as Authorization: Bearer instead"}
	case errors.As(err, new(*scopeError)):
		p = Problem{Status: http.StatusForbidden, Detail: err.Error()}
	case errors.As(err, &method):
		p = Problem{Status: http.StatusMethodNotAllowed, Detail: method.Error()}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		p = Problem{Status: http.StatusServiceUnavailable, Detail: "the request ended before its answer: whether it took effect is unknown"}
	default:
		return Problem{Status: http.StatusInternalServerError, Title: http.StatusText(http.StatusInternalServerError),
			Detail: "an internal fault; the process log says more", Errors: []engine.FieldError{}}, false
	}
	p.Title = http.StatusText(p.Status)
	if p.Errors == nil {
		p.Errors = []engine.FieldError{}
		switch p.Status {
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
			p.Errors = append(p.Errors, engine.FieldError{Location: "body", Message: p.Detail})
		}
	}
	return p, true
}

// speakToCallers takes out of the messages what only we understand: the room that an error comes from, and a field's name
// where its location says it already.
func (p *Problem) speakToCallers() {
	p.Errors = slices.Clone(p.Errors) // the engine's stay as they are
	for i, f := range p.Errors {
		msg := f.Message
		for _, inside := range []string{"filters: ", "https: ", f.Location + " "} {
			msg = strings.TrimPrefix(msg, inside)
		}
		if msg == f.Message || msg == "" {
			continue
		}
		p.Errors[i].Message = msg
		p.Detail = strings.Replace(p.Detail, f.Message, msg, 1)
	}
}

// malformed is the 400 for a text that the scanner does not take.
func malformed(e *jsonstrict.Error) *engine.Error {
	location := e.Path
	if location == "" {
		location = "body"
	}
	return engine.Malformed(location, "%s", e.Error())
}

// refuse answers with a problem, or in DNSimple's form where that is spoken.
func (s *Server) refuse(a *answer, r *http.Request, err error) {
	p, known := problemOf(err)
	if !known {
		s.log.Error("api: internal fault", "method", r.Method, "route", a.route(), "error", err)
	}
	if a.status != 0 { // too late to say so
		return
	}
	h := a.Header()
	var method *methodError
	switch {
	case p.Status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
		if r.ContentLength != 0 { // else net/http would read the body before it sends the answer
			h.Set("Connection", "close")
		}
	case p.Status == http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	case errors.As(err, &method):
		h.Set("Allow", strings.Join(method.allow, ", "))
	case p.Status == http.StatusRequestEntityTooLarge:
		// A client that is still sending would lose the answer to a reset connection.
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain)
	}
	contentType, body := "application/problem+json", any(p)
	if ofDNSimple(r.URL.Path) {
		contentType, p.Status, body = dnsimpleRefusal(p)
	}
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	a.WriteHeader(p.Status)
	_, _ = a.Write(encode(body))
}

// maxDrain is how much of a refused body is read and thrown away, in bytes.
const maxDrain = 32 << 20

// encode is JSON for our own types, which always encode.
func encode(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("{}")
	}
	return buf.Bytes()
}
