package blackbox

import (
	"net/http"
	"strings"
	"testing"
)

// problem is an RFC 9457 answer as the API promises it.
type problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
}

// problem demands the shape of a refusal and returns it. Refusals of a body or of a field name the place.
func (r *reply) problem(t testing.TB) problem {
	t.Helper()
	if ct := r.header.Get("Content-Type"); !strings.HasPrefix(ct, "application/problem+json") {
		t.Fatalf("%s: %d as %q, want application/problem+json: %s", r.asked, r.status, ct, clip(r.body))
	}
	var p problem
	r.into(t, &p)
	if p.Status != r.status || p.Title == "" || p.Detail == "" {
		t.Fatalf("%s: %d: want status, title and detail: %s", r.asked, r.status, clip(r.body))
	}
	switch r.status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		if len(p.Errors) == 0 {
			t.Fatalf("%s: %d without errors[]: %s", r.asked, r.status, clip(r.body))
		}
	}
	for _, e := range p.Errors {
		if e.Location == "" || e.Message == "" {
			t.Fatalf("%s: %d: every error has location and message: %s", r.asked, r.status, clip(r.body))
		}
	}
	return p
}

// names says whether the problem points at a field: by a location that contains it.
func (p problem) names(field string) bool {
	for _, e := range p.Errors {
		if strings.Contains(e.Location, field) {
			return true
		}
	}
	return false
}

// says says whether the words occur in the detail or in a message.
func (p problem) says(words string) bool {
	text := p.Detail
	for _, e := range p.Errors {
		text += "\n" + e.Message
	}
	return strings.Contains(strings.ToLower(text), strings.ToLower(words))
}
