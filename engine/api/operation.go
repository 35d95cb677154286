package api

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/hookline/hookline/engine"
)

// operation is one method on one path: how it is served and how it is documented.
type operation struct {
	method, path string // as documented, e.g. /v1/tenants/{tenant}/endpoints/{endpoint}:enable
	id           string // operationId of the document; also the metrics' label
	summary, doc string
	tag          string
	status       int // of the answer when all went well
	answer       any // a value of the answer's type, nil for none
	body         any // a struct value that says which fields the body may have, nil for none
	required     []string
	optional     bool // the body may be left out
	query        []parameter
	open         bool // served without a key
	need         need // of whoever asks; 0 = as needOf says
	custom       bool // has its own part of document.go, or none
	endless      bool // its answer ends with the client: its time says nothing
	any          bool // takes any query: it refuses everything anyway
	handle       handler

	shape *shape
	meter *opMeter
}

type handler func(c *call) error

// call is one request on its way through an operation.
type call struct {
	*Server
	w       http.ResponseWriter
	r       *http.Request
	svc     Service
	reading Reading // svc, or the past that as_of asks for
	op      *operation
	who     *engine.Principal // nil where no key is needed
	by      engine.Actor
	minSeq  uint64
	values  values
}

func (c *call) path(name string) string { return c.r.PathValue(name) }
func (c *call) tenant() string          { return c.r.PathValue("tenant") }

// resource is everything that is served at paths of one shape.
type resource struct {
	last    string                // name of the last path value, when the path ends with one
	methods map[string]*operation // by method
	verbs   map[string]*operation // POST .../{last}:verb, by verb
}

// route registers the operations. ServeMux knows no pattern for `{id}:verb`: such a path falls to the resource of
// `{id}`, which splits at the last colon; no id of ours contains one.
func (s *Server) route(ops []*operation) {
	resources := map[string]*resource{}
	for _, op := range ops {
		if op.body != nil {
			op.shape = shapeOf(reflect.TypeOf(op.body), op.required)
		}
		op.meter = s.meter.operation(op.id)
		if op.need == 0 {
			op.need = needOf(op)
		}
		pattern, verb, isVerb := strings.Cut(op.path, "}:")
		if isVerb {
			pattern += "}"
		}
		res := resources[pattern]
		if res == nil {
			res = &resource{methods: map[string]*operation{}, verbs: map[string]*operation{}}
			if strings.HasSuffix(pattern, "}") {
				res.last = pattern[strings.LastIndexByte(pattern, '{')+1 : len(pattern)-1]
			}
			resources[pattern] = res
		}
		if isVerb {
			res.verbs[verb] = op
		} else {
			res.methods[op.method] = op
		}
	}
	for pattern, res := range resources {
		if pattern == "/" {
			pattern = "/{$}"
		}
		serve := func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, res) }
		s.mux.HandleFunc(pattern, serve)
		if strings.HasPrefix(pattern, "/v2/") { // DNSimple's API takes a slash at the end
			s.mux.HandleFunc(pattern+"/{$}", serve)
		}
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, nil) })
}

// find returns the operation that a request asks for, or the refusal.
func (res *resource) find(r *http.Request) (*operation, error) {
	if res == nil {
		return nil, errNoRoute(r)
	}
	if res.last != "" {
		value := r.PathValue(res.last)
		if colon := strings.LastIndexByte(value, ':'); colon >= 0 {
			op := res.verbs[value[colon+1:]]
			switch {
			case op == nil:
				return nil, errNoVerb(r, value[colon+1:], sortedKeys(res.verbs))
			case r.Method != op.method:
				return nil, &methodError{allow: []string{op.method}, method: r.Method}
			}
			r.SetPathValue(res.last, value[:colon])
			return op, nil
		}
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if op := res.methods[method]; op != nil {
		return op, nil
	}
	if len(res.methods) == 0 {
		return nil, errNoRoute(r)
	}
	return nil, &methodError{allow: sortedKeys(res.methods), method: r.Method}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func errNoRoute(r *http.Request) error {
	return &engine.Error{Code: engine.CodeNotFound, Detail: fmt.Sprintf("nothing is served at %.200q: /openapi.json lists what is", r.URL.Path)}
}

func errNoVerb(r *http.Request, verb string, known []string) error {
	if len(known) == 0 {
		return errNoRoute(r)
	}
	return &engine.Error{Code: engine.CodeNotFound, Detail: fmt.Sprintf("there is no verb %.64q here, only :%s", verb, strings.Join(known, ", :"))}
}

// methodError is a 405.
type methodError struct {
	allow  []string
	method string
}

func (e *methodError) Error() string {
	return fmt.Sprintf("method %.32q is not served here, only %s", e.method, strings.Join(e.allow, ", "))
}
