package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookline/hookline/engine"
)

const intro = `Publish events, manage tenants, endpoints and subscriptions, and see what became of every delivery.

All calls but /healthz, /readyz, /openapi.json and the pages for browsers need ` + "`Authorization: Bearer KEY`" + `. Lists answer ` + "`{\"data\", \"next_cursor\"}`" + `; pass
` + "`next_cursor`" + ` as ` + "`cursor`" + ` until it is null. PATCH is a merge patch (RFC 7396). Every refusal is a problem (RFC 9457) that names field,
bound and fix. ` + "`X-Log-Seq`" + ` on an answer is the seq of the newest record; sent back as ` + "`X-Min-Seq`" + ` a read waits for it.`

// document turns the table of operations into OpenAPI 3.1.
func document(ops []*operation, version string) ([]byte, error) {
	b := &documentBuilder{
		registry: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
		seen:     map[reflect.Type]bool{},
	}
	b.registry.RegisterTypeAlias(reflect.TypeFor[engine.Time](), reflect.TypeFor[stamp]())
	api := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "hookline", Version: version, Description: intro},
		Components: &huma.Components{
			Schemas:         b.registry,
			SecuritySchemes: map[string]*huma.SecurityScheme{"key": {Type: "http", Scheme: "bearer", Description: "the admin key, an issued key, or a portal session's token"}},
		},
		Security: []map[string][]string{{"key": {}}},
	}
	for _, op := range ops {
		if op.tag == "" { // a page, or of a later version
			continue
		}
		api.AddOperation(b.operation(op))
	}
	return json.Marshal(api)
}

type documentBuilder struct {
	registry huma.Registry
	seen     map[reflect.Type]bool
}

func (b *documentBuilder) operation(op *operation) *huma.Operation {
	o := &huma.Operation{
		Method: op.method, Path: op.path, OperationID: op.id, Summary: op.summary, Description: op.doc, Tags: []string{op.tag},
		Responses: map[string]*huma.Response{},
	}
	if op.open {
		o.Security = []map[string][]string{{}}
	}
	b.parameters(op, o)
	if op.body != nil {
		o.RequestBody = &huma.RequestBody{Required: !op.optional, Content: map[string]*huma.MediaType{"application/json": {Schema: b.body(op)}}}
	}
	ok := &huma.Response{Description: http.StatusText(op.status), Headers: b.headers()}
	if op.answer != nil {
		ok.Content = map[string]*huma.MediaType{"application/json": {Schema: b.schema(reflect.TypeOf(op.answer))}}
	}
	o.Responses[strconv.Itoa(op.status)] = ok
	switch {
	case op.tag == dnsimpleTag:
		b.dnsimpleRefusals(op, o)
	case op.id == "get-readiness":
		o.Responses["503"] = b.problem("Not ready")
	case !op.open:
		o.Responses["default"] = b.problem("A refusal: 400, 401, 404, 405, 409, 413, 422, 429, 500, 503 or 507")
	}
	if op.custom {
		b.custom(op, o, ok)
	}
	return o
}

func (b *documentBuilder) problem(description string) *huma.Response {
	return &huma.Response{Description: description, Headers: b.headers(),
		Content: map[string]*huma.MediaType{"application/problem+json": {Schema: b.schema(reflect.TypeFor[Problem]())}}}
}

func (b *documentBuilder) headers() map[string]*huma.Param {
	return map[string]*huma.Param{"X-Log-Seq": {Description: "seq of the newest durable record", Schema: &huma.Schema{Type: huma.TypeInteger}}}
}

func (b *documentBuilder) parameters(op *operation, o *huma.Operation) {
	for rest := op.path; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			break
		}
		name, tail, _ := strings.Cut(after, "}")
		rest = tail
		o.Parameters = append(o.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
	}
	for _, p := range op.query {
		s := &huma.Schema{Type: huma.TypeString}
		if p.number {
			lo := 1.0
			s = &huma.Schema{Type: huma.TypeInteger, Minimum: &lo, Default: p.initial}
			if p.max > 0 {
				hi := float64(p.max)
				s.Maximum = &hi
			}
		}
		for _, v := range p.enum {
			s.Enum = append(s.Enum, v)
		}
		o.Parameters = append(o.Parameters, &huma.Param{Name: p.name, In: "query", Description: p.doc, Schema: s})
	}
	if op.method == http.MethodGet && !op.open && op.tag != dnsimpleTag {
		o.Parameters = append(o.Parameters, &huma.Param{Name: "X-Min-Seq", In: "header",
			Description: "wait, at most 2 s, until the log has this seq", Schema: &huma.Schema{Type: huma.TypeInteger}})
	}
}

// custom documents what the handlers do without the table's help.
func (b *documentBuilder) custom(op *operation, o *huma.Operation, ok *huma.Response) {
	content := func(s *huma.Schema) map[string]*huma.MediaType {
		return map[string]*huma.MediaType{"application/json": {Schema: s}}
	}
	switch op.id {
	case "get-metrics":
		ok.Content = map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}
	case "get-openapi":
		ok.Content = content(&huma.Schema{Type: huma.TypeObject})
	case "stream-records":
		o.Parameters = append(o.Parameters, &huma.Param{Name: "Last-Event-ID", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "the id of the message seen last; wins over after"})
		b.schema(reflect.TypeFor[engine.StreamRecord]())
		ok.Content = map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}
	case "simulate-filter":
		for _, form := range []string{formNDJSON, formSSE} {
			ok.Content[form] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		}
	case "publish-event":
		o.Parameters = append(o.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "the same as the field idempotency_key"})
		o.RequestBody = &huma.RequestBody{Required: true, Content: content(b.schema(reflect.TypeFor[publishBody]()))}
		ok.Content = content(b.schema(reflect.TypeFor[engine.Published]()))
	case "publish-batch":
		o.RequestBody = &huma.RequestBody{Required: true, Content: content(b.schema(reflect.TypeFor[batchBody]()))}
		o.RequestBody.Content["application/x-ndjson"] = &huma.MediaType{Schema: b.schema(reflect.TypeFor[publishBody]())}
		published, problem := b.schema(reflect.TypeFor[engine.Published]()), b.schema(reflect.TypeFor[Problem]())
		ok.Content = content(&huma.Schema{Type: huma.TypeObject, Required: []string{"results"}, Properties: map[string]*huma.Schema{
			"results": {Type: huma.TypeArray, Items: &huma.Schema{OneOf: []*huma.Schema{published, problem}}}}})
	}
}

// publishBody and batchBody exist for the document only: see itemReader for how a publish is read.
type publishBody struct {
	Type           string          `json:"type" doc:"e.g. domain.register:started" maxLength:"200"`
	Data           map[string]any  `json:"data,omitempty" doc:"what happened; goes out byte for byte inside the profile's envelope; at most 256 KiB, 64 levels. Exactly one of data and payload"`
	Payload        json.RawMessage `json:"payload,omitempty" doc:"any JSON value: its bytes are the whole body"`
	ID             string          `json:"id,omitempty" doc:"what receivers see; made in the profile's form when left out" maxLength:"128"`
	OccurredAt     stamp           `json:"occurred_at,omitempty" doc:"when it happened; default now"`
	Actor          json.RawMessage `json:"actor,omitempty" doc:"who did it, in the profile's form"`
	Metadata       map[string]any  `json:"metadata,omitempty" doc:"for filters; not delivered"`
	IdempotencyKey string          `json:"idempotency_key,omitempty" doc:"the publisher's dedupe key, for 24 h" maxLength:"256"`
}

type batchBody struct {
	Events []publishBody `json:"events" minItems:"1" maxItems:"1000"`
}
