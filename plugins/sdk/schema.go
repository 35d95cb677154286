package sdk

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Schema derives the JSON Schema (2020-12) of a settings struct from its fields' tags:
//
//	json:"name"        the member; without omitempty or omitzero, and without a default, it is required
//	doc:"text"         for people: forms show it
//	sensitive:"true"   a secret: sealed at rest, "***" in every answer, never logged
//	default:"value"    taken when the member is absent; in nested structs too, not within lists, maps and pointers
//	enum:"a,b"         the only values of a string
//	min:"1" max:"9"    bounds of a number, of a string's characters, of a list's length
//	pattern:"^a"       regular expression of a string
//	format:"uri"       for forms; not checked
//
// Fields are bools, integers, floats, strings, Duration, structs, slices, maps with string keys, pointers to these, or
// json.RawMessage for anything. Other members than these are refused. The error names the field.
func Schema[S any]() (json.RawMessage, error) { return schemaOf(reflect.TypeFor[S]()) }

// Duration is a time.Duration in settings, written like "5s" or "1m30s".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

var (
	durationType = reflect.TypeFor[Duration]()
	rawType      = reflect.TypeFor[json.RawMessage]()
)

type object = map[string]any

func schemaOf(t reflect.Type) (json.RawMessage, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("settings are a struct, not %s", t)
	}
	s, err := structSchema(t, 0)
	if err != nil {
		return nil, err
	}
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	return json.Marshal(s)
}

const maxNesting = 16

func structSchema(t reflect.Type, depth int) (object, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("%s nests deeper than %d", t, maxNesting)
	}
	properties, required := object{}, []string{}
	for f := range fieldsOf(t) {
		name, optional := member(f)
		s, err := typeSchema(f.Type, depth+1)
		if err == nil {
			err = addTags(s, f)
		}
		if err != nil {
			return nil, fmt.Errorf("field %s of %s: %w", f.Name, t, err)
		}
		properties[name] = s
		if _, has := f.Tag.Lookup("default"); !optional && !has {
			required = append(required, name)
		}
	}
	s := object{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s, nil
}

// fieldsOf yields the fields that have a member.
func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() || f.Tag.Get("json") == "-" {
				continue
			}
			if !yield(f) {
				return
			}
		}
	}
}

func member(f reflect.StructField) (name string, optional bool) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		name = f.Name
	}
	return name, strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero") || f.Type.Kind() == reflect.Pointer
}

func typeSchema(t reflect.Type, depth int) (object, error) {
	switch t {
	case durationType:
		return object{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`}, nil
	case rawType:
		return object{}, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		bits := t.Bits()
		return object{"type": "integer", "minimum": json.Number(strconv.FormatInt(-1<<(bits-1), 10)), "maximum": json.Number(strconv.FormatInt(1<<(bits-1)-1, 10))}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "minimum": json.Number("0"), "maximum": json.Number(strconv.FormatUint(1<<t.Bits()-1, 10))}, nil
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}, nil
	case reflect.String:
		return object{"type": "string"}, nil
	case reflect.Pointer:
		return typeSchema(t.Elem(), depth)
	case reflect.Struct:
		return structSchema(t, depth)
	case reflect.Slice:
		items, err := typeSchema(t.Elem(), depth)
		return object{"type": "array", "items": items}, err
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return nil, errors.New("a map's keys must be strings")
		}
		values, err := typeSchema(t.Elem(), depth)
		return object{"type": "object", "additionalProperties": values}, err
	}
	return nil, fmt.Errorf("settings cannot hold a %s", t)
}

func addTags(s object, f reflect.StructField) error {
	for tag, word := range map[string]string{"doc": "description", "pattern": "pattern", "format": "format"} {
		if v, ok := f.Tag.Lookup(tag); ok {
			s[word] = v
		}
	}
	if v, ok := f.Tag.Lookup("enum"); ok {
		s["enum"] = strings.Split(v, ",")
	}
	if f.Tag.Get("sensitive") == "true" {
		s["writeOnly"] = true
	}
	if v, ok := f.Tag.Lookup("default"); ok {
		d, err := literal(f.Type, v)
		if err != nil {
			return fmt.Errorf("default %q: %w", v, err)
		}
		s["default"] = d
	}
	for i, tag := range []string{"min", "max"} {
		v, ok := f.Tag.Lookup(tag)
		if !ok {
			continue
		}
		if _, err := strconv.ParseFloat(v, 64); err != nil {
			return fmt.Errorf("%s %q is no number", tag, v)
		}
		words := map[string][2]string{"string": {"minLength", "maxLength"}, "array": {"minItems", "maxItems"}, "integer": {"minimum", "maximum"}, "number": {"minimum", "maximum"}}
		kind, _ := s["type"].(string)
		if words[kind][i] == "" {
			return fmt.Errorf("%s has no meaning here", tag)
		}
		s[words[kind][i]] = json.Number(v)
	}
	return nil
}

// literal reads a default as the JSON that stands for it.
func literal(t reflect.Type, text string) (json.RawMessage, error) {
	raw := json.RawMessage(text)
	if t.Kind() == reflect.String || t == durationType {
		raw, _ = json.Marshal(text)
	}
	return raw, json.Unmarshal(raw, reflect.New(t).Interface())
}

// setDefaults fills a settings struct before it is decoded.
func setDefaults(v reflect.Value) {
	for f := range fieldsOf(v.Type()) {
		at := v.FieldByIndex(f.Index)
		if text, ok := f.Tag.Lookup("default"); ok {
			if raw, err := literal(f.Type, text); err == nil {
				_ = json.Unmarshal(raw, at.Addr().Interface()) // literal has done it once
			}
		} else if f.Type.Kind() == reflect.Struct {
			setDefaults(at)
		}
	}
}
