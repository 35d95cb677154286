// Package schema holds a plugin's settings to the JSON Schema it describes them with: it checks them, says where they are
// wrong by JSON pointer, and keeps the members marked "writeOnly": true out of sight.
//
// The same code runs in the host, when an endpoint is created, and in a Go plugin, when it is configured. Schemas come
// from strangers: they are bounded, and never make anybody read a file or an address. A Schema is immutable and safe for
// concurrent use.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Bounds, in bytes.
const (
	MaxSchema   = 64 << 10
	MaxSettings = 64 << 10
)

// Hidden stands for a secret in everything that is shown. Sent back in a change, it means "as it was".
const Hidden = "***"

// ErrSchema: what a plugin calls its schema is none.
var ErrSchema = errors.New("schema: unusable")

// Error is a mistake in settings.
type Error struct {
	Pointer string // RFC 6901; "": the whole
	Message string // never holds the value, which may be a secret
}

func (e *Error) Error() string {
	if e.Pointer == "" {
		return e.Message
	}
	return e.Pointer + " " + e.Message
}

// Schema is one plugin's.
type Schema struct {
	node  map[string]any
	check *jsonschema.Schema // nil: it has no settings
}

// Compile reads a schema of an object, JSON Schema 2020-12. Empty: there are no settings. Errors wrap ErrSchema.
func Compile(doc []byte) (*Schema, error) {
	if len(bytes.TrimSpace(doc)) == 0 {
		return &Schema{}, nil
	}
	if len(doc) > MaxSchema {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrSchema, len(doc), MaxSchema)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	node, ok := parsed.(map[string]any)
	if !ok || node["type"] != "object" {
		return nil, fmt.Errorf(`%w: settings are an object: give it "type": "object"`, ErrSchema)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // knows no scheme: no file and no address is ever read
	const at = "settings:schema"
	if err := c.AddResource(at, parsed); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	check, err := c.Compile(at)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	return &Schema{node: node, check: check}, nil
}

// Check holds settings, one JSON object or nothing, to the schema; the error is an *Error.
func (s *Schema) Check(settings []byte) error {
	if len(settings) > MaxSettings {
		return &Error{Message: fmt.Sprintf("has %d bytes, at most %d are taken", len(settings), MaxSettings)}
	}
	if len(bytes.TrimSpace(settings)) == 0 {
		settings = []byte("{}")
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(settings))
	if err != nil {
		return &Error{Message: "is not JSON"}
	}
	object, ok := v.(map[string]any)
	if !ok {
		return &Error{Message: "must be a JSON object"}
	}
	if s.check == nil {
		for name := range object {
			return &Error{Pointer: pointer([]string{name}), Message: "is unknown: this transport has no settings"}
		}
		return nil
	}
	var invalid *jsonschema.ValidationError
	if err := s.check.Validate(v); errors.As(err, &invalid) {
		return mistake(invalid)
	} else if err != nil {
		return &Error{Message: err.Error()}
	}
	return nil
}

// mistake names the deepest first violation, without the value.
func mistake(e *jsonschema.ValidationError) *Error {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	out := &Error{Pointer: pointer(e.InstanceLocation), Message: e.ErrorKind.LocalizedString(message.NewPrinter(language.English))}
	switch words := e.ErrorKind.KeywordPath(); words[len(words)-1] {
	case "pattern", "const", "format", "enum", "contentEncoding": // their texts repeat the value
		out.Message = "does not fit the schema's " + words[len(words)-1]
		if want := stated(e); want != "" {
			out.Message += " " + want
		}
	}
	return out
}

func pointer(steps []string) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(s))
	}
	return b.String()
}

// members reads an object whose numbers stay as they are written.
func members(doc []byte) (map[string]any, error) {
	out := map[string]any{}
	if len(bytes.TrimSpace(doc)) == 0 {
		return out, nil
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(&out); err != nil || out == nil {
		return nil, &Error{Message: "must be a JSON object"}
	}
	return out, nil
}
