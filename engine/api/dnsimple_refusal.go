package api

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// dnsimpleError is a refusal in DNSimple's form; errors lists messages by field.
type dnsimpleError struct {
	Message string              `json:"message"`
	Errors  map[string][]string `json:"errors,omitempty"`
}

// ofDNSimple says whether a path is of this face, served or not.
func ofDNSimple(path string) bool { return path == "/v2" || strings.HasPrefix(path, "/v2/") }

// dnsimpleRefusal is a problem in DNSimple's words: what cannot be done is a 400 there, and every refusal is a JSON object
// with a message, since its clients decode nothing else.
func dnsimpleRefusal(p Problem) (contentType string, status int, body any) {
	out := dnsimpleError{Message: p.Detail}
	switch p.Status {
	case http.StatusUnauthorized:
		out.Message = "Authentication failed"
	case http.StatusConflict: // the account's quota, say
		p.Status = http.StatusBadRequest
	case http.StatusUnprocessableEntity:
		p.Status, out.Message, out.Errors = http.StatusBadRequest, "Validation failed", map[string][]string{}
		for _, f := range p.Errors {
			out.Errors[f.Location] = append(out.Errors[f.Location], f.Message)
		}
	}
	return "application/json", p.Status, out
}

func (b *documentBuilder) dnsimpleRefusals(op *operation, o *huma.Operation) {
	refusal := func(d string) *huma.Response {
		return &huma.Response{Description: d, Content: map[string]*huma.MediaType{"application/json": {Schema: b.schema(reflect.TypeFor[dnsimpleError]())}}}
	}
	o.Responses["401"] = refusal("Authentication failed")
	if strings.Contains(op.path, "{account}") {
		o.Responses["404"] = refusal("No such account of this profile, or no such webhook")
	}
	if op.body != nil || len(op.query) > 0 {
		o.Responses["400"] = refusal("Validation failed: messages by field in `errors`")
	}
}
