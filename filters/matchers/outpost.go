package matchers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hookline/hookline/filters"
)

// Outpost carries over the filter of an Outpost destination, or a whole destination with its topics. There the top level
// has the event's id, topic, time, metadata and data.
func Outpost(raw []byte) (Imported, error) {
	m, err := object(raw)
	if err != nil {
		return Imported{}, err
	}
	c := &carrier{}
	if topics, ok := m["topics"]; ok {
		if c.out.EventTypes, err = eventTypes(topics); err != nil {
			return Imported{}, err
		}
		m, _ = m["filter"].(map[string]any)
	}
	return c.finish(c.outpost(m, 0))
}

// outpost translates the top level, whose members are those of the event.
func (c *carrier) outpost(m map[string]any, depth int) string {
	return c.each(m, depth, c.outpost, func(name string, v any) string {
		switch name {
		case "data", "metadata":
			return c.outpostValue(name, v, depth+1)
		case "topic":
			return c.outpostValue("type", v, depth+1)
		case "id":
			return c.outpostValue("id", v, depth+1)
		case "time":
			return c.lose("time", "was compared as text; write it with occurred_at, as in occurred_at >= \"2026-01-31\"")
		}
		return c.lose(name, "is no member of an Outpost event: id, topic, time, metadata and data are")
	})
}

// each translates the members of an object: $or, $and and $not by level, others by member.
func (c *carrier) each(m map[string]any, depth int, level func(map[string]any, int) string, member func(name string, v any) string) string {
	if depth > maxNesting {
		return c.lose("", "it nests deeper than %d", maxNesting)
	}
	var parts []string
	for _, name := range sortedKeys(m) {
		switch v := m[name]; name {
		case "$or", "$and":
			parts = append(parts, c.joined(name, v, depth, level))
		case "$not":
			sub, ok := v.(map[string]any)
			if !ok {
				c.lose("$not", "takes an object")
				continue
			}
			if inner := level(sub, depth+1); inner != "" {
				parts = append(parts, "not ("+inner+")")
			}
		default:
			parts = append(parts, member(name, v))
		}
	}
	return join("and", parts)
}

func (c *carrier) joined(op string, v any, depth int, level func(map[string]any, int) string) string {
	subs, ok := v.([]any)
	if !ok {
		return c.lose(op, "takes a list of objects")
	}
	var parts []string
	for _, sub := range subs {
		m, ok := sub.(map[string]any)
		if !ok {
			c.lose(op, "takes a list of objects")
			continue
		}
		parts = append(parts, level(m, depth+1))
	}
	if op == "$or" && slices.Contains(parts, "") { // one that says nothing is always true
		return ""
	}
	return join(strings.TrimPrefix(op, "$"), parts)
}

// outpostValue translates what is asked of one member: a constant, operators, or members of its own.
func (c *carrier) outpostValue(path string, v any, depth int) string {
	m, ok := v.(map[string]any)
	if !ok {
		if items, isList := v.([]any); isList { // an array with all of these
			var parts []string
			for _, item := range items {
				constant, ok := literal(item)
				if !ok {
					return c.lose(asWritten(path), "a list of objects has no counterpart: filters have no loops")
				}
				parts = append(parts, constant+" in "+path)
			}
			return join("and", parts)
		}
		return c.equal(path, v)
	}
	return c.each(m, depth, func(sub map[string]any, depth int) string { return c.outpostValue(path, sub, depth) },
		func(name string, v any) string {
			switch {
			case strings.HasPrefix(name, "$"):
				return c.operator(path, name, v)
			case path == "type" || path == "id":
				return c.lose(path, "has no members")
			}
			return c.outpostValue(below(path, name), v, depth+1)
		})
}

// eventTypes reads a selection of topics: a list, or a string with a star.
func eventTypes(v any) ([]string, error) {
	var out []string
	switch v := v.(type) {
	case string:
		out = []string{v}
	case []any:
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("%w: an event type is a string", ErrMatcher)
			}
			out = append(out, s)
		}
	}
	if _, err := filters.ParseTypes(out); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMatcher, err)
	}
	return out, nil
}
