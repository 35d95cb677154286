package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/api/jsonstrict"
)

const (
	maxBody  = 1 << 20 // bytes of a management request or a single publish
	maxDepth = 64      // nesting within one field
)

// read reads the request's body into the scratch memory, at most limit bytes.
func (c *call) read(b *scratch, limit int) error {
	n := c.r.ContentLength
	if n > int64(limit) {
		return errTooLong(limit)
	}
	if n < 0 {
		buf := bytes.NewBuffer(b.body[:0])
		_, err := buf.ReadFrom(io.LimitReader(c.r.Body, int64(limit)+1))
		if b.body = buf.Bytes(); err != nil {
			return errCut(err)
		}
		if len(b.body) > limit {
			return errTooLong(limit)
		}
		return nil
	}
	b.body = slices.Grow(b.body[:0], int(n))[:n]
	if _, err := io.ReadFull(c.r.Body, b.body); err != nil {
		return errCut(err)
	}
	return nil
}

func errTooLong(limit int) error {
	return &engine.Error{Code: engine.CodeTooLarge, Detail: fmt.Sprintf("the body has more than %d bytes: send less at once", limit)}
}

func errCut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return engine.Malformed("body", "the body ended before its Content-Length")
	}
	return engine.Malformed("body", "the body could not be read to its end")
}

// shape is what a body may contain, made once from a struct.
type shape struct {
	fields   []shapeField
	names    []string
	required []string
}

type shapeField struct {
	name  string
	index int
	typ   reflect.Type // of the value: of Optional[T] the T
	want  string       // the type in words

	optional bool // an engine.Optional: may be null
	fixed    bool // known, but may not be changed by this operation
}

// shapeOf derives the shape of a struct: json names the field; `fixed:"true"` refuses it with a message of its own.
func shapeOf(t reflect.Type, required []string) *shape {
	s := &shape{required: required}
	for i := range t.NumField() {
		f := t.Field(i)
		sf := shapeField{name: f.Tag.Get("json"), index: i, typ: f.Type, fixed: f.Tag.Get("fixed") != ""}
		if v, ok := optionalValue(f.Type); ok {
			sf.typ, sf.optional = v, true
		}
		sf.want = inWords(sf.typ)
		s.fields = append(s.fields, sf)
		if !sf.fixed {
			s.names = append(s.names, sf.name)
		}
	}
	return s
}

// optionalValue is the T of an engine.Optional[T].
func optionalValue(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() != reflect.Struct {
		return nil, false
	}
	v, ok := t.FieldByName("Value")
	_, null := t.FieldByName("Null")
	return v.Type, ok && null
}

func inWords(t reflect.Type) string {
	if t == reflect.TypeFor[json.RawMessage]() {
		return "a JSON value"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list of strings"
	case reflect.Map:
		return "an object whose values are strings"
	}
	return t.String()
}

// decode reads the body into the struct that into points to, whose type is the operation's body.
func (c *call) decode(into any) error {
	b := c.borrow()
	defer c.giveBack(b)
	if err := c.read(b, maxBody); err != nil {
		return err
	}
	if len(bytes.TrimSpace(b.body)) == 0 {
		if c.op.optional {
			return nil
		}
		return engine.Malformed("body", "the body is empty: send a JSON object")
	}
	return c.op.shape.decode(&b.scanner, b.body, reflect.ValueOf(into).Elem())
}

// decode reads one object strictly. What is wrong with the text as JSON comes first (400), then all fields that are
// wrong by themselves (422).
func (s *shape) decode(sc *jsonstrict.Scanner, text []byte, into reflect.Value) error {
	sc.Reset(text)
	in, err := sc.EnterObject()
	if err != nil {
		return err
	}
	if !in {
		return notObject(sc)
	}
	var faults []engine.FieldError
	seen := make([]bool, len(s.fields))
	for {
		raw, ok, err := sc.NextMember()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		name := string(raw)
		value, err := sc.Value(maxDepth)
		if err != nil {
			return err
		}
		if msg := s.set(name, value, into, seen); msg != "" && len(faults) < maxFaults {
			faults = append(faults, engine.FieldError{Location: clip(name), Message: msg})
		}
	}
	if err := sc.End(); err != nil {
		return err
	}
	if f := sc.Fault(); f != nil {
		return f
	}
	for i, f := range s.fields {
		if !seen[i] && slices.Contains(s.required, f.name) {
			faults = append(faults, engine.FieldError{Location: f.name, Message: "is missing: give " + f.want})
		}
	}
	if len(faults) > 0 {
		return invalid(faults)
	}
	return nil
}

// maxFaults bounds how many wrong fields one answer lists.
const maxFaults = 20

// notObject reads what stands in an object's place, so that bad JSON is told as such.
func notObject(sc *jsonstrict.Scanner) error {
	v, err := sc.Value(maxDepth)
	if err != nil {
		return err
	}
	if err := sc.End(); err != nil {
		return err
	}
	return engine.Invalid("body", "must be a JSON object, is %s", jsonstrict.Kind(v))
}

// set puts one field's value in its place; it returns what is wrong, or "".
func (s *shape) set(name string, value []byte, into reflect.Value, seen []bool) string {
	for i, f := range s.fields {
		if f.name != name {
			continue
		}
		if f.fixed {
			return "cannot be changed: leave it out"
		}
		if value[0] == 'n' && !f.optional {
			seen[i] = true // one fault a field
			return "must be " + f.want + ", is null"
		}
		seen[i] = value[0] != 'n'
		if value[0] == '"' {
			if _, ok := jsonstrict.String(value); !ok {
				return "holds half of a surrogate pair, which is no text"
			}
		}
		if err := json.Unmarshal(value, into.Field(f.index).Addr().Interface()); err != nil {
			return "must be " + f.want + ", is " + whatIs(value, err)
		}
		return ""
	}
	return unknownName("field", name, s.names)
}

// whatIs says what was given instead.
func whatIs(value []byte, err error) string {
	kind := jsonstrict.Kind(value)
	if kind == "a number" {
		return "the number " + clip(string(value))
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && (value[0] == '[' && wrong.Value != "array" || value[0] == '{' && wrong.Value != "object") {
		article := "a "
		if wrong.Value == "array" || wrong.Value == "object" {
			article = "an "
		}
		return kind + " that holds " + article + wrong.Value
	}
	return kind
}
