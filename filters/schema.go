package filters

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// kinds is a set of the kinds that a value may be.
type kinds uint8

const (
	oneNull kinds = 1 << iota
	oneBool
	oneNumber
	oneText
	oneObject
	oneArray
	allKinds kinds = 1<<iota - 1
)

// schema reads one JSON Schema document as far as filters need it: which members there are, of which kinds, with which
// values. It errs towards knowing nothing: what it does not understand allows everything.
type schema struct {
	document any  // as encoding/json decodes it
	left     *int // steps that a check may still take through schemas; beyond them everything is allowed
}

// Bounds of walking schemas: how deep references and combinations may nest, since a schema may refer to itself, and how
// many steps one check takes through all of them, some ms in all.
const (
	maxSchemaDepth = 24
	maxSchemaSteps = 50_000
)

// open reads a schema that is an object, and says whether it may be looked into.
func (s *schema) open(sub any, depth int) (map[string]any, bool) {
	m, ok := sub.(map[string]any)
	*s.left--
	return m, ok && depth <= maxSchemaDepth && *s.left > 0
}

// field is what a schema says of a path.
type field struct {
	known bool  // false: the schema leaves it open, nothing follows
	there bool  // some schema declares it
	sure  bool  // it is required all along the way
	kinds kinds // of its values, null included if it may be missing
	enum  []any // its values, if they are few and listed
}

// lookUp follows a path through the schema.
func (s *schema) lookUp(steps []step) field {
	at := []any{s.document}
	f := field{known: true, there: true, sure: true}
	for i := range steps {
		var next []any
		open := false
		for _, sub := range at {
			found, isOpen := s.below(sub, &steps[i], 0)
			next = append(next, found...)
			open = open || isOpen
			f.sure = f.sure && !steps[i].isIndex && s.requires(sub, steps[i].key, 0) && s.kinds(sub, 0) == oneObject
		}
		if open {
			return field{}
		}
		if len(next) == 0 {
			return field{known: true, kinds: oneNull}
		}
		at = next[:min(len(next), 64)]
	}
	listed := true
	for _, sub := range at {
		f.kinds |= s.kinds(sub, 0)
		values := s.values(sub, 0)
		listed = listed && values != nil
		f.enum = append(f.enum, values...)
	}
	if !listed {
		f.enum = nil
	}
	if !f.sure {
		f.kinds |= oneNull
	}
	return f
}

// below gives the schemas of a member or an element; open means that it may be anything.
func (s *schema) below(sub any, st *step, depth int) (found []any, open bool) {
	m, ok := s.open(sub, depth)
	if !ok {
		return nil, sub != false // true and what is no schema allow everything
	}
	combined := false
	for _, branch := range s.branches(m) {
		combined = true
		f, o := s.below(branch, st, depth+1)
		found, open = append(found, f...), open || o
	}
	if st.isIndex {
		items, isItems := m["items"]
		if list, ok := m["prefixItems"].([]any); ok {
			return append(append(found, list...), items), open || !isItems
		}
		if isItems {
			return append(found, items), open
		}
		return found, open || !combined && s.kinds(sub, 0)&oneArray != 0
	}
	properties, declares := m["properties"].(map[string]any)
	if p, ok := properties[st.key]; ok {
		return append(found, p), open
	}
	patterns, _ := m["patternProperties"].(map[string]any)
	for source, p := range patterns {
		if re, err := regexp.Compile(source); err != nil || re.MatchString(st.key) {
			return append(found, p), open
		}
	}
	switch more := m["additionalProperties"].(type) {
	case map[string]any:
		return append(found, more), open
	case bool:
		return found, open || more && !declares && !combined
	}
	// Members that are not declared are allowed by the standard; to a filter's author they are mistakes.
	return found, open || !declares && !combined && s.kinds(sub, 0)&oneObject != 0
}

// branches are the schemas that a schema is combined of.
func (s *schema) branches(m map[string]any) (out []any) {
	if ref, ok := m["$ref"].(string); ok {
		out = append(out, s.resolve(ref))
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		if list, ok := m[word].([]any); ok {
			out = append(out, list...)
		}
	}
	return out
}

// resolve follows a reference within the document; another one allows everything.
func (s *schema) resolve(ref string) any {
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return true
	}
	at := s.document
	for _, token := range strings.Split(pointer, "/")[1:] {
		m, ok := at.(map[string]any)
		if !ok {
			return true
		}
		if at, ok = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(token)]; !ok {
			return true
		}
	}
	return at
}

func (s *schema) requires(sub any, key string, depth int) bool {
	m, ok := s.open(sub, depth)
	if !ok {
		return false
	}
	if list, ok := m["required"].([]any); ok && slices.Contains(list, any(key)) {
		return true
	}
	if ref, ok := m["$ref"].(string); ok && s.requires(s.resolve(ref), key, depth+1) {
		return true
	}
	list, _ := m["allOf"].([]any)
	for _, branch := range list {
		if s.requires(branch, key, depth+1) {
			return true
		}
	}
	return false
}

// kinds is what a value may be under a schema.
func (s *schema) kinds(sub any, depth int) kinds {
	m, ok := s.open(sub, depth)
	if !ok {
		return allKinds
	}
	out := allKinds
	switch t := m["type"].(type) {
	case string:
		out = kindNamed(t)
	case []any:
		out = 0
		for _, name := range t {
			word, _ := name.(string)
			out |= kindNamed(word)
		}
	}
	if ref, ok := m["$ref"].(string); ok {
		out &= s.kinds(s.resolve(ref), depth+1)
	}
	if list, ok := m["allOf"].([]any); ok {
		for _, branch := range list {
			out &= s.kinds(branch, depth+1)
		}
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if list, ok := m[word].([]any); ok {
			any := kinds(0)
			for _, branch := range list {
				any |= s.kinds(branch, depth+1)
			}
			out &= any
		}
	}
	if values := s.values(sub, depth); values != nil {
		listed := kinds(0)
		for _, v := range values {
			listed |= kindOf(v)
		}
		out &= listed
	}
	return out
}

// values are those that a schema lists, nil if it lists none.
func (s *schema) values(sub any, depth int) []any {
	m, ok := s.open(sub, depth)
	if !ok {
		return nil
	}
	if v, ok := m["const"]; ok {
		return []any{v}
	}
	if list, ok := m["enum"].([]any); ok {
		return list
	}
	if ref, ok := m["$ref"].(string); ok {
		return s.values(s.resolve(ref), depth+1)
	}
	return nil
}

func kindNamed(name string) kinds {
	switch name {
	case "null":
		return oneNull
	case "boolean":
		return oneBool
	case "number", "integer":
		return oneNumber
	case "string":
		return oneText
	case "object":
		return oneObject
	case "array":
		return oneArray
	}
	return allKinds
}

func kindOf(v any) kinds {
	switch v.(type) {
	case nil:
		return oneNull
	case bool:
		return oneBool
	case float64, int, int64, json.Number:
		return oneNumber
	case string:
		return oneText
	case []any:
		return oneArray
	}
	return oneObject
}

// Bounds of the paths that a schema is asked for, to suggest from.
const (
	maxSuggested      = 2000
	maxSuggestedDepth = 6
)

// paths are the members that a schema declares, as a filter writes them, in order.
func (s *schema) paths() []string {
	var out []string
	s.walk(s.document, "data", 0, 0, &out)
	slices.Sort(out)
	return slices.Compact(out)
}

func (s *schema) walk(sub any, at string, steps, depth int, out *[]string) {
	m, ok := s.open(sub, depth)
	if !ok || steps > maxSuggestedDepth || len(*out) >= maxSuggested {
		return
	}
	for _, branch := range s.branches(m) {
		s.walk(branch, at, steps, depth+1, out)
	}
	properties, _ := m["properties"].(map[string]any)
	for key, p := range properties {
		path := at + memberText(key)
		*out = append(*out, path)
		s.walk(p, path, steps+1, depth+1, out)
	}
}
