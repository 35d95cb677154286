package filters

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// String writes a path as a filter does.
func (n *path) String() string {
	var b strings.Builder
	b.WriteString(rootNames[n.root])
	for _, s := range n.steps {
		if s.isIndex {
			fmt.Fprintf(&b, "[%d]", s.index)
		} else {
			b.WriteString(memberText(s.key))
		}
	}
	return b.String()
}

// memberText is the step to a member: .name, or ["..."] where the name is no word.
func memberText(key string) string {
	word := key != "" && !reserved[key]
	for i, r := range key {
		word = word && (r == '_' || unicode.IsLetter(r) || i > 0 && unicode.IsDigit(r))
	}
	if word {
		return "." + key
	}
	return "[" + strconv.Quote(key) + "]"
}

// reserved are words of the language that are written in brackets when they are names.
var reserved = map[string]bool{"and": true, "or": true, "not": true, "in": true, "matches": true, "contains": true,
	"startsWith": true, "endsWith": true, "if": true, "else": true, "let": true, "nil": true, "true": true, "false": true}

// String names kinds in a sentence: "a string or nil".
func (k kinds) String() string {
	var names []string
	for i, name := range [...]string{"nil", "a boolean", "a number", "a string", "an object", "an array"} {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if len(names) > 1 && names[0] == "nil" {
		names = append(names[1:], "nil")
	}
	switch len(names) {
	case 0:
		return "nothing"
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// one is the set of a value's own kind.
func (v value) one() kinds {
	switch v.kind {
	case kindNull:
		return oneNull
	case kindFalse, kindTrue:
		return oneBool
	case kindText:
		return oneText
	case kindObject:
		return oneObject
	case kindArray:
		return oneArray
	}
	return oneNumber
}

// valueOf is a JSON value of a schema as filters see it; false for objects and arrays.
func valueOf(v any) (value, bool) {
	switch v := v.(type) {
	case nil:
		return value{kind: kindNull}, true
	case bool:
		return boolean(v), true
	case string:
		return text(v), true
	case json.Number:
		n := parseNumber(string(v))
		return n, n.kind != kindFault
	case float64:
		return float(v), true
	case int:
		return integer(int64(v)), true
	}
	return value{}, false
}

func among(v value, list []any) bool {
	return slices.ContainsFunc(list, func(e any) bool {
		known, ok := valueOf(e)
		return !ok || equal(v, known)
	})
}

// valuesText lists up to eight values.
func valuesText(list []any) string {
	var out []string
	for _, e := range list {
		if v, ok := valueOf(e); ok && !slices.Contains(out, v.String()) {
			out = append(out, v.String())
		}
	}
	if len(out) > 8 {
		return strings.Join(out[:8], ", ") + fmt.Sprintf(" and %d more", len(out)-8)
	}
	return strings.Join(out, ", ")
}

func nearestValue(v value, list []any) string {
	var known []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			known = append(known, s)
		}
	}
	near := ""
	if v.kind == kindText {
		near = nearest(v.text, known)
	}
	if near == "" {
		return ""
	}
	return "did you mean " + strconv.Quote(near) + "?"
}

// convert suggests the constant in the kind that the member has.
func convert(v value, wanted kinds) string {
	switch {
	case v.kind == kindText && wanted&oneNumber != 0 && toNumber(v).isNumber():
		return "write " + v.text + " without quotes"
	case v.isNumber() && wanted&oneText != 0:
		return "write " + strconv.Quote(v.String()) + " with quotes"
	case v.kind == kindText && wanted&oneBool != 0 && (v.text == "true" || v.text == "false"):
		return "write " + v.text + " without quotes"
	}
	return ""
}
