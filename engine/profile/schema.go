package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// definition is a schema under `schemas`, for others to refer to as #/$defs/NAME.
type definition struct {
	at     place
	schema json.RawMessage
	refs   []string
}

type definitions map[string]definition

const (
	maxDefinitions = 500
	maxNesting     = 64
	defsPrefix     = "#/$defs/"
)

func (d definitions) read(at place) error {
	if !at.mappingNode() {
		return at.errorf("is %s; write named JSON Schemas", at.kind())
	}
	if n := len(at.node.Content) / 2; n > maxDefinitions {
		return at.errorf("has %d schemas; give at most %d", n, maxDefinitions)
	}
	var errs []error
	for i := 0; i+1 < len(at.node.Content); i += 2 {
		name, value := at.node.Content[i].Value, at.member(at.node.Content[i].Value, at.node.Content[i+1])
		_, twice := d[name]
		switch {
		case !memberPattern.MatchString(name):
			errs = append(errs, value.errorf("is no name of a schema; use 1 to 64 of A-Z, a-z, 0-9, _ and -"))
		case twice:
			errs = append(errs, value.errorf("stands twice; keep one"))
		default:
			one := definition{at: value}
			var err error
			one.schema, err = value.json(&one.refs)
			errs = append(errs, err)
			d[name] = one
		}
	}
	return errors.Join(errs...)
}

// complete appends to a schema the definitions it uses, directly or through others: so every schema that is shown can
// be used alone.
func (d definitions) complete(at place, schema json.RawMessage, refs []string) (json.RawMessage, error) {
	used := map[string]bool{}
	todo := slices.Clone(refs)
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if used[name] {
			continue
		}
		one, ok := d[name]
		if !ok {
			return nil, at.errorf("refers to %s%.60s, which is not under schemas%s", defsPrefix, name, meant(name, d.names()))
		}
		used[name] = true
		todo = append(todo, one.refs...)
	}
	if len(used) == 0 {
		return schema, nil
	}
	var out bytes.Buffer
	out.Write(schema[:len(schema)-1])
	if len(schema) > 2 {
		out.WriteByte(',')
	}
	out.WriteString(`"$defs":`)
	separator := byte('{')
	for _, name := range d.names() {
		if used[name] {
			fmt.Fprintf(&out, `%c%q:%s`, separator, name, d[name].schema)
			separator = ','
		}
	}
	out.WriteString("}}")
	return out.Bytes(), nil
}

func (d definitions) names() []string {
	names := make([]string, 0, len(d))
	for name := range d {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (p place) mappingNode() bool { return p.node != nil && p.node.Kind == yaml.MappingNode }

// json writes a YAML node as JSON, members in the file's order. refs, where given, gets the names behind each
// `$ref: '#/$defs/NAME'`.
func (p place) json(refs *[]string) (json.RawMessage, error) {
	var out bytes.Buffer
	if err := p.appendJSON(&out, refs, 0); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (p place) appendJSON(out *bytes.Buffer, refs *[]string, depth int) error {
	if depth > maxNesting {
		return p.errorf("is nested deeper than %d levels", maxNesting)
	}
	switch p.node.Kind {
	case yaml.MappingNode:
		return p.appendObject(out, refs, depth)
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, node := range p.node.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := (place{file: p.file, node: node, path: fmt.Sprintf("%s[%d]", p.path, i)}).appendJSON(out, refs, depth+1); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	case yaml.ScalarNode:
		return p.appendScalar(out)
	}
	return p.errorf("is %s; write it out", p.kind())
}

func (p place) appendObject(out *bytes.Buffer, refs *[]string, depth int) error {
	seen := map[string]bool{}
	out.WriteByte('{')
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		key := p.node.Content[i]
		value := p.member(key.Value, p.node.Content[i+1])
		if key.Kind != yaml.ScalarNode || seen[key.Value] {
			return value.errorf("stands twice or has no plain name")
		}
		seen[key.Value] = true
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(appendString(nil, key.Value))
		out.WriteByte(':')
		if refs != nil && key.Value == "$ref" {
			name, ok := strings.CutPrefix(value.node.Value, defsPrefix)
			if !ok {
				return value.errorf("is %.80q; refer to a schema under schemas as %sNAME", value.node.Value, defsPrefix)
			}
			*refs = append(*refs, name)
		}
		if refs != nil && depth == 0 && key.Value == "$defs" {
			return value.errorf("belongs under schemas, where every schema can use it")
		}
		if err := value.appendJSON(out, refs, depth+1); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

func (p place) appendScalar(out *bytes.Buffer) error {
	v := p.node.Value
	switch p.node.Tag {
	case "!!null":
		out.WriteString("null")
	case "!!bool":
		out.WriteString(strconv.FormatBool(strings.EqualFold(v, "true")))
	case "!!int", "!!float":
		if !json.Valid([]byte(v)) {
			return p.errorf("%.40q is no JSON number; write it in decimal, or in quotes as a text", v)
		}
		out.WriteString(v)
	default: // a text; a date that is not quoted is one too
		out.Write(appendString(nil, v))
	}
	return nil
}

// schemas compiles the schemas of a catalogue. They are one document, so that a definition is compiled once.
type schemas struct{ *jsonschema.Compiler }

const schemaDocument = "mem:///catalogue"

func newSchemas(entries []entry, defs definitions) (*schemas, error) {
	events, shared := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for i := range entries {
		if entries[i].Schema != nil {
			events[entries[i].Name] = entries[i].Schema
		}
	}
	for name, d := range defs {
		shared[name] = d.schema
	}
	text, err := json.Marshal(map[string]any{"events": events, "$defs": shared})
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // knows no scheme: no file and no address is ever read
	c.AssertFormat()
	return &schemas{c}, c.AddResource(schemaDocument, doc)
}

// of compiles the schema of one event type.
func (s *schemas) of(eventType string) (*jsonschema.Schema, error) {
	compiled, err := s.Compile(schemaDocument + "#/events/" + eventType)
	var invalid *jsonschema.SchemaValidationError
	var where *jsonschema.ValidationError
	if errors.As(err, &invalid) && errors.As(invalid.Err, &where) {
		path, what := violation(where, "schema")
		return nil, fmt.Errorf("%s: %s", path, what)
	}
	return compiled, err
}

// conforms tells the first violation: its path below root, and what is wrong there; "" when there is none.
func conforms(schema *jsonschema.Schema, root string, value []byte) (path, what string) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return root, "is not JSON"
	}
	var invalid *jsonschema.ValidationError
	if err := schema.Validate(doc); !errors.As(err, &invalid) {
		return "", ""
	}
	return violation(invalid, root)
}

// violation is the first leaf of an error: the place that does not fit, not one that only contains it.
func violation(e *jsonschema.ValidationError, root string) (path, what string) {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	path = root
	for _, step := range e.InstanceLocation {
		if _, err := strconv.Atoi(step); err == nil {
			path += "[" + step + "]"
		} else {
			path += "." + step
		}
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return path + "." + k.Missing[0], "is missing"
	case *kind.AdditionalProperties:
		return path + "." + k.Properties[0], "is unknown"
	}
	return path, e.ErrorKind.LocalizedString(message.NewPrinter(language.English))
}
