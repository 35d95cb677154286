package matchers

import (
	"encoding/json"
	"strings"
)

// operator translates one operator on one member. Both systems take a condition on a member that is not there for false;
// so does what comes out, rather than fail.
func (c *carrier) operator(path, op string, operand any) string {
	at := asWritten(path)
	constant, isConstant := literal(operand)
	switch op {
	case "$eq":
		return c.equal(path, operand)
	case "$neq":
		if !isConstant {
			return c.lose(at, "$neq with an object or a list has no counterpart: compare its members")
		}
		return "has(" + path + ") and " + path + " != " + constant
	case "$gt", "$gte", "$lt", "$lte":
		return c.ordered(path, op, operand)
	case "$in", "$nin":
		return c.member(path, op, operand)
	case "$exist":
		switch operand {
		case true:
			return "has(" + path + ")"
		case false:
			return "not has(" + path + ")"
		}
		return c.lose(at, "$exist takes true or false")
	case "$startsWith", "$endsWith":
		return c.affix(path, op, operand)
	case "$regex":
		if _, ok := operand.(string); !ok {
			return c.lose(at, "$regex takes a string")
		}
		return path + " matches " + constant
	}
	return c.lose(at, "%.40s is no operator that is known here", op)
}

// equal is a member that equals a value.
func (c *carrier) equal(path string, want any) string {
	constant, ok := literal(want)
	switch {
	case !ok:
		return c.lose(asWritten(path), "equality with a whole object or list has no counterpart: compare its members")
	case want == nil:
		return "has(" + path + ") and " + path + " == nil"
	}
	if path != "type" && path != "id" {
		c.note("", arrays)
	}
	return path + " == " + constant
}

const arrays = "where a member is an array, the matcher looked for the value among its elements; == does not: write \"value\" in data.tags there"

func (c *carrier) ordered(path, op string, operand any) string {
	words := map[string]string{"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
	constant, _ := literal(operand)
	switch operand.(type) {
	case json.Number, string:
	default:
		return c.lose(asWritten(path), "%s takes a number or a string", op)
	}
	c.note("", "comparing a member of another kind (text with a number) was false; here the filter fails on that event, visibly")
	return path + " != nil and " + path + " " + words[op] + " " + constant
}

// member is $in and $nin: a value in a list; or, with a single value, that within a text or an array.
func (c *carrier) member(path, op string, operand any) string {
	at := asWritten(path)
	in := ""
	if text, ok := list(operand); ok {
		in = path + " in " + text
	} else if s, ok := operand.(string); ok {
		c.note(at, "%s with a single string is taken to search a text; if the member is an array write %q in %s", op, s, at)
		constant, _ := literal(s)
		in = path + " contains " + constant
	} else {
		return c.lose(at, "%s takes a list of constants or a string", op)
	}
	if op == "$in" {
		return in
	}
	return "has(" + path + ") and not (" + in + ")"
}

func (c *carrier) affix(path, op string, operand any) string {
	word := strings.TrimPrefix(op, "$")
	var wanted []any
	switch v := operand.(type) {
	case string:
		wanted = []any{v}
	case []any: // any of them
		wanted = v
	}
	var parts []string
	for _, w := range wanted {
		s, ok := w.(string)
		if !ok {
			wanted = nil
			break
		}
		constant, _ := literal(s)
		parts = append(parts, path+" "+word+" "+constant)
	}
	if len(wanted) == 0 {
		return c.lose(asWritten(path), "%s takes a string", op)
	}
	return join("or", parts)
}
