package api

import (
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// stamp stands for a time in the document.
type stamp struct{}

// Schema implements huma.SchemaProvider.
func (stamp) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Examples: []any{"2026-01-31T08:00:00.000Z"}}
}

// schema is huma's, made to say when null may stand in a field: huma leaves that out for aliased and for struct types.
func (b *documentBuilder) schema(t reflect.Type) *huma.Schema {
	s := b.registry.Schema(t, true, t.Name())
	b.nulls(t)
	return s
}

func (b *documentBuilder) nulls(t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || b.seen[t] || t == reflect.TypeFor[stamp]() || t == reflect.TypeFor[time.Time]() {
		return
	}
	b.seen[t] = true
	object := b.registry.Schema(t, false, t.Name())
	if t != reflect.TypeFor[publishBody]() && t != reflect.TypeFor[batchBody]() {
		object.AdditionalProperties = nil // answers grow; only requests are strict
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		p := object.Properties[name]
		if p == nil {
			continue
		}
		b.nulls(f.Type)
		omitted := strings.Contains(options, "omitempty")
		switch {
		case f.Type.Kind() == reflect.Slice && p.Type == huma.TypeArray:
			p.Nullable = strings.Contains(p.Description, "null") // else an empty list is []
		case f.Type.Kind() != reflect.Pointer || omitted:
		case p.Ref != "":
			object.Properties[name] = &huma.Schema{OneOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}, Description: p.Description}
		default:
			p.Nullable = true
		}
	}
}

// body is the schema of a request body, from its struct: of a field of type engine.Optional the value's, or null.
func (b *documentBuilder) body(op *operation) *huma.Schema {
	t := reflect.TypeOf(op.body)
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, Required: op.required, AdditionalProperties: false}
	for i, f := range op.shape.fields {
		if f.fixed {
			continue
		}
		field := t.Field(i)
		field.Type = f.typ
		p := huma.SchemaFromField(b.registry, field, field.Name)
		p.Nullable = f.optional && p.Type != ""
		s.Properties[f.name] = p
	}
	return s
}
