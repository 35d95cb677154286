package profile

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// place is a node of a YAML document and the path to it. Reading goes by places, so that every error can say where.
type place struct {
	file string
	node *yaml.Node
	path string
}

// field is a member that a mapping may have.
type field struct {
	name string
	must bool
	past bool // read, since logs hold it, but nobody is told to write it
	read func(place) error
}

func need(name string, read func(place) error) field {
	return field{name: name, must: true, read: read}
}
func may(name string, read func(place) error) field { return field{name: name, read: read} }
func past(name string, read func(place) error) field {
	return field{name: name, past: true, read: read}
}

func (p place) errorf(format string, args ...any) error {
	return &Error{File: p.file, Line: p.node.Line, Field: p.path, Message: fmt.Sprintf(format, args...)}
}

// document parses exactly one YAML document without anchors: a profile is read as it stands.
func document(file string, content []byte) (place, error) {
	whole := func(format string, args ...any) (place, error) {
		return place{}, &Error{File: file, Message: fmt.Sprintf(format, args...)}
	}
	if len(content) > maxContent {
		return whole("has %d bytes, at most %d are read", len(content), maxContent)
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(content)))
	var root, more yaml.Node
	if err := decoder.Decode(&root); err != nil && err != io.EOF {
		return whole("not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(&more); err == nil {
		return whole("holds more than one document; keep one profile a file")
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) != 1 {
		return whole("is empty; a profile needs at least name, version, payload and schedule")
	}
	return place{file: file, node: root.Content[0]}, nil
}

func (p place) member(name string, node *yaml.Node) place {
	path := name
	if p.path != "" {
		path = p.path + "." + name
	}
	return place{file: p.file, node: node, path: path}
}

// mapping reads the members of a mapping. Unknown, repeated and missing ones are errors; all mistakes are told, joined.
func (p place) mapping(fields ...field) error {
	if p.node.Kind != yaml.MappingNode {
		return p.errorf("is %s; write fields (%s)", p.kind(), strings.Join(names(fields), ", "))
	}
	seen := make(map[string]bool, len(fields))
	var errs []error
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		key := p.node.Content[i]
		at := place{file: p.file, node: key, path: p.path}
		f := find(fields, key.Value)
		switch {
		case key.Kind != yaml.ScalarNode || f == nil:
			hint := meant(key.Value, names(fields))
			if hint == "" {
				hint = "; known here: " + strings.Join(names(fields), ", ")
			}
			errs = append(errs, at.errorf("unknown field %.60q%s", key.Value, hint))
			continue
		case seen[key.Value]:
			errs = append(errs, at.errorf("field %q stands twice; keep one", key.Value))
			continue
		}
		seen[key.Value] = true
		errs = append(errs, f.read(p.member(key.Value, p.node.Content[i+1])))
	}
	for _, f := range fields {
		if f.must && !seen[f.name] {
			errs = append(errs, p.errorf("field %q is missing", f.name))
		}
	}
	return errors.Join(errs...)
}

func find(fields []field, name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

func names(fields []field) []string {
	all := make([]string, 0, len(fields))
	for i := range fields {
		if !fields[i].past {
			all = append(all, fields[i].name)
		}
	}
	return all
}

// list reads a sequence of least to most items.
func (p place) list(least, most int, each func(place) error) error {
	if p.node.Kind != yaml.SequenceNode {
		return p.errorf("is %s; write a list", p.kind())
	}
	if n := len(p.node.Content); n < least || n > most {
		return p.errorf("has %d items; give %d to %d", n, least, most)
	}
	var errs []error
	for i, node := range p.node.Content {
		errs = append(errs, each(place{file: p.file, node: node, path: fmt.Sprintf("%s[%d]", p.path, i)}))
	}
	return errors.Join(errs...)
}

// pairs reads a list whose items are single `name: value` pairs: an ordered mapping.
func (p place) pairs(least, most int, each func(name string, value place) error) error {
	seen := map[string]bool{}
	return p.list(least, most, func(item place) error {
		if item.node.Kind != yaml.MappingNode || len(item.node.Content) != 2 || item.node.Content[0].Kind != yaml.ScalarNode {
			return item.errorf("is not one `name: value` pair")
		}
		name := item.node.Content[0].Value
		if seen[name] {
			return item.errorf("%.60q stands twice; keep one", name)
		}
		seen[name] = true
		return each(name, item.member(name, item.node.Content[1]))
	})
}

func (p place) scalar(tags ...string) (string, error) {
	if p.node.Kind == yaml.ScalarNode {
		for _, tag := range tags {
			if p.node.Tag == tag {
				return p.node.Value, nil
			}
		}
	}
	return "", p.errorf("is %s; write %s", p.kind(), tagNames[tags[0]])
}

var tagNames = map[string]string{"!!str": "a text", "!!bool": "true or false", "!!int": "a whole number", "!!float": "a number"}

func (p place) kind() string {
	switch p.node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias (not supported in a profile)"
	}
	if name, ok := tagNames[p.node.Tag]; ok {
		return name
	}
	return "empty"
}

func text(dst *string, most int) func(place) error {
	return func(p place) error {
		v, err := p.scalar("!!str")
		if err == nil && (v == "" || len(v) > most) {
			return p.errorf("has %d bytes; give 1 to %d", len(v), most)
		}
		*dst = strings.TrimSpace(v)
		return err
	}
}

func boolean(dst *bool) func(place) error {
	return func(p place) (err error) {
		v, err := p.scalar("!!bool")
		*dst = v == "true"
		return err
	}
}

func number[T int | uint32](dst *T, least, most int) func(place) error {
	return func(p place) error {
		v, err := p.scalar("!!int")
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < least || n > most {
			return p.errorf("is %.20s; give a whole number from %d to %d", v, least, most)
		}
		*dst = T(n)
		return nil
	}
}

func share(dst *float64) func(place) error {
	return func(p place) error {
		v, err := p.scalar("!!float", "!!int")
		if err != nil {
			return err
		}
		if *dst, err = strconv.ParseFloat(v, 64); err != nil {
			return p.errorf("is %.20s; give a number from 0 to 1", v)
		}
		return nil
	}
}

func duration(dst *time.Duration) func(place) error {
	return func(p place) error {
		d, err := time.ParseDuration(p.node.Value)
		if p.node.Kind != yaml.ScalarNode || err != nil {
			return p.errorf("%.40q is not a duration; write it like 30s, 5m or 24h", p.node.Value)
		}
		*dst = d
		return nil
	}
}

// choice reads one of the given words.
func choice(dst *string, words ...string) func(place) error {
	return func(p place) error {
		v, err := p.scalar("!!str")
		if err != nil {
			return err
		}
		for _, w := range words {
			if v == w {
				*dst = v
				return nil
			}
		}
		return p.errorf("is %.60q; give one of %s%s", v, strings.Join(words, ", "), meant(v, words))
	}
}
