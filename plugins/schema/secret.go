package schema

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Mask returns settings with every secret replaced by Hidden. What cannot be read is not shown at all.
func (s *Schema) Mask(settings []byte) json.RawMessage {
	v, err := members(settings)
	if err != nil {
		return json.RawMessage("{}")
	}
	s.walk(s.node, v, 0, func(value, _ any) any { return Hidden }, nil)
	return encoded(v)
}

// Merge applies a change (RFC 7396) to settings; a secret that is Hidden in the change stays as it was. The result has
// been checked; the error is an *Error.
func (s *Schema) Merge(old, change []byte) (json.RawMessage, error) {
	if len(change) > MaxSettings {
		return nil, s.Check(change)
	}
	before, err := members(old)
	if err != nil {
		return nil, err
	}
	patch, err := members(change)
	if err != nil {
		return nil, err
	}
	kept, _ := members(old)
	after := merged(before, patch)
	var missing error
	s.walk(s.node, after, 0, func(value, was any) any {
		if value != Hidden {
			return value
		}
		if was == nil {
			missing = &Error{Message: `has "` + Hidden + `" for a secret that was never set: give the secret itself`}
		}
		return was
	}, kept)
	if missing != nil {
		return nil, missing
	}
	out := encoded(after)
	return out, s.Check(out)
}

func merged(into, patch map[string]any) map[string]any {
	for name, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(into, name)
		case map[string]any:
			below, _ := into[name].(map[string]any)
			if below == nil {
				below = map[string]any{}
			}
			into[name] = merged(below, v)
		default:
			into[name] = v
		}
	}
	return into
}

// HasSecret says whether anything in the schema is marked.
func (s *Schema) HasSecret() bool { return bytes.Contains(encoded(s.node), []byte(`"writeOnly":true`)) }

const maxDepth = 32

// walk replaces every secret below value by what f makes of it and of the value at the same place in was. Objects are
// changed in place; an array's secrets have nothing to be compared with.
func (s *Schema) walk(node, value any, depth int, f func(value, was any) any, was any) any {
	n, ok := node.(map[string]any)
	if !ok || depth > maxDepth {
		return value
	}
	if n["writeOnly"] == true {
		return f(value, was)
	}
	if ref, ok := n["$ref"].(string); ok {
		value = s.walk(s.at(ref), value, depth+1, f, was)
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := n[word].([]any)
		for _, one := range list {
			value = s.walk(one, value, depth+1, f, was)
		}
	}
	for _, word := range []string{"if", "then", "else"} {
		value = s.walk(n[word], value, depth+1, f, was)
	}
	switch v := value.(type) {
	case map[string]any:
		before, _ := was.(map[string]any)
		for name, member := range v {
			for _, below := range described(n, name) {
				member = s.walk(below, member, depth+1, f, before[name])
			}
			v[name] = member
		}
	case []any:
		for i := range v {
			v[i] = s.walk(n["items"], v[i], depth+1, f, nil)
		}
	}
	return value
}

// described lists the schemas of a member.
func described(n map[string]any, name string) (out []any) {
	if below, ok := asObject(n["properties"])[name]; ok {
		out = append(out, below)
	}
	patterns, _ := n["patternProperties"].(map[string]any)
	for pattern, below := range patterns {
		if re, err := regexp.Compile(pattern); err == nil && re.MatchString(name) {
			out = append(out, below)
		}
	}
	if len(out) == 0 {
		out = append(out, n["additionalProperties"])
	}
	return out
}

// at finds what a reference within the document points at; nil: nothing.
func (s *Schema) at(ref string) any {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	var v any = s.node
	if path == "" {
		return v
	}
	for _, step := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	return v
}

func encoded(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // v came out of a decoder
		return json.RawMessage("{}")
	}
	return b
}

// stated is what the schema wants, where that is short and no value of the settings.
func stated(e *jsonschema.ValidationError) string {
	switch k := e.ErrorKind.(type) {
	case *kind.Pattern:
		return k.Want
	case *kind.Format:
		return k.Want
	case *kind.Enum:
		if b, err := json.Marshal(k.Want); err == nil && len(b) < 200 {
			return string(b)
		}
	}
	return ""
}

func asObject(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
