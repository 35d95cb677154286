package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// EventType is an entry of the catalogue.
type EventType struct {
	Name        string
	Description string
	Example     json.RawMessage // of data: a JSON object without insignificant space
	Schema      json.RawMessage // JSON Schema (2020-12) of data, complete in itself; nil = none is given

	check *jsonschema.Schema // only in a strict profile
}

// Known finds a type in the catalogue.
func (p *Profile) Known(eventType string) (EventType, bool) {
	i, ok := p.byName[eventType]
	if !ok {
		return EventType{}, false
	}
	return p.EventTypes[i], true
}

// CheckPublishType says whether events of a well-formed type may be published. Unknown ones may, unless the profile is
// strict or says `unknown_types: refuse`: the catalogue of a provider grows (D-9).
func (p *Profile) CheckPublishType(eventType string) error {
	if _, ok := p.byName[eventType]; ok || !p.closed {
		return nil
	}
	return &FieldError{Field: "type", Message: fmt.Sprintf("%.200q is not in the catalogue of profile %s%s", eventType, p.Name,
		meant(eventType, p.typeNames()))}
}

func (p *Profile) typeNames() []string {
	names := make([]string, len(p.EventTypes))
	for i := range p.EventTypes {
		names[i] = p.EventTypes[i].Name
	}
	return names
}

// entry is an event type while its file is read: its schema may use definitions that stand further down.
type entry struct {
	EventType
	example, schema place
	refs            []string
}

func (p *Profile) readEvents(entries *[]entry) func(place) error {
	return func(at place) error {
		p.byName = map[string]int{}
		return at.list(1, maxTypes, func(item place) error {
			var e entry
			err := item.mapping(
				need("name", matching(&e.Name, typePattern, "segments of A-Z, a-z, 0-9, _ and - joined by dots, and :state")),
				need("description", text(&e.Description, 500)),
				need("example", func(at place) error { e.example = at; return e.readExample(at) }),
				may("schema", func(at place) error { e.schema = at; return e.readSchema(at) }),
			)
			if err != nil {
				return err
			}
			if _, twice := p.byName[e.Name]; twice || len(e.Name) > 200 {
				return item.errorf("%.60q stands twice or has more than 200 bytes", e.Name)
			}
			p.byName[e.Name] = len(*entries)
			*entries = append(*entries, e)
			return nil
		})
	}
}

func (e *entry) readExample(at place) error {
	src := ""
	if at.mappingNode() { // as YAML, or as the text of a JSON object
		var err error
		if e.Example, err = at.json(nil); err != nil {
			return err
		}
		src = string(e.Example)
	} else if err := text(&src, 64<<10)(at); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(src)); err != nil || src[0] != '{' {
		return at.errorf("must be the JSON object that stands in data")
	}
	e.Example = out.Bytes()
	return nil
}

func (e *entry) readSchema(at place) (err error) {
	if !at.mappingNode() {
		return at.errorf("is %s; write a JSON Schema as fields, e.g. {type: object, required: [domain]}", at.kind())
	}
	e.Schema, err = at.json(&e.refs)
	return err
}

// complete completes the catalogue: schemas get the definitions that they use. With examples, or in a strict profile,
// every schema is compiled and every example must fit its own.
func (p *Profile) complete(entries []entry, defs definitions, examples bool) error {
	var errs []error
	for i := range entries {
		e := &entries[i]
		if e.Schema != nil {
			whole, err := defs.complete(e.schema, e.Schema, e.refs)
			errs = append(errs, err)
			p.EventTypes = append(p.EventTypes, e.EventType)
			p.EventTypes[i].Schema = whole
			continue
		}
		p.EventTypes = append(p.EventTypes, e.EventType)
	}
	if err := errors.Join(errs...); err != nil || !examples && !p.Strict {
		return err
	}
	compiler, err := newSchemas(entries, defs)
	if err != nil {
		return err
	}
	for i := range entries {
		if entries[i].Schema != nil {
			check, err := compiler.fitting(&entries[i])
			errs = append(errs, err)
			if p.Strict {
				p.EventTypes[i].check = check
			}
		}
	}
	return errors.Join(errs...)
}

// fitting compiles a type's schema, which its example must fit.
func (s *schemas) fitting(e *entry) (*jsonschema.Schema, error) {
	compiled, err := s.of(e.Name)
	if err != nil {
		return nil, e.schema.errorf("is no JSON Schema: %s", err)
	}
	if path, what := conforms(compiled, "example", e.Example); what != "" {
		return nil, e.example.errorf("does not fit the schema: %s: %s", path, what)
	}
	return compiled, nil
}

// CheckData says whether data fits the schema of its type, where the profile is strict and the catalogue has one. The
// error is a *FieldError whose field is the path of the first violation, e.g. data.domain.name.
func (p *Profile) CheckData(eventType string, data []byte) error {
	if !p.Strict {
		return nil
	}
	i, ok := p.byName[eventType]
	if !ok || p.EventTypes[i].check == nil {
		return nil
	}
	path, what := conforms(p.EventTypes[i].check, "data", data)
	if what == "" {
		return nil
	}
	return &FieldError{Field: path, Message: fmt.Sprintf("%s, by the schema of %s: see GET /v1/profiles/%s", what, eventType, p.Name)}
}
