package filters

import (
	"regexp"

	"github.com/expr-lang/expr/ast"
)

func (c *compiler) binary(s span, n *ast.BinaryNode) node {
	switch n.Operator {
	case "and", "&&", "or", "||":
		return c.logic(s, n)
	case "in":
		return c.in(s, n)
	case "matches":
		return c.matches(s, n)
	case "..":
		return c.refuse(s, "compare instead: x >= 1 and x <= 9", "ranges are not part of the filter language")
	case "**", "^":
		return c.refuse(s, "multiply", "powers are not part of the filter language")
	}
	l, r := c.node(n.Left), c.node(n.Right)
	if c.fault != nil {
		return l
	}
	s = s.join(l.where()).join(r.where())
	switch n.Operator {
	case "==", "!=":
		l, r = c.times(l, r)
		return c.equality(s, n.Operator, l, r)
	case "<", "<=", ">", ">=":
		l, r = c.times(l, r)
		return c.order(s, n.Operator, l, r)
	}
	c.timeless(l)
	c.timeless(r)
	switch n.Operator {
	case "??":
		return &fallback{s, l, r}
	case "contains", "startsWith", "endsWith":
		return c.textual(s, n.Operator, l, r)
	case "+", "-", "*", "/", "%":
		for _, side := range []node{l, r} {
			if k := side.static(); k == alwaysText {
				return c.refuse(s, "use startsWith, endsWith or contains on the parts", "strings are not built in filters; %s takes numbers", n.Operator)
			}
			c.demand(side, alwaysNumber, n.Operator+" takes numbers")
		}
		return &arithmetic{s, n.Operator, l, r}
	}
	return c.refuse(s, "", "%s is not part of the filter language", n.Operator)
}

// logic flattens a chain of one operator: it is what Explain looks at.
func (c *compiler) logic(s span, n *ast.BinaryNode) node {
	out := &logic{span: s, or: n.Operator == "or" || n.Operator == "||"}
	var chain []ast.Node
	var left ast.Node = n
	for {
		b, ok := left.(*ast.BinaryNode)
		if !ok || !isLogic(b.Operator) || (b.Operator == "or" || b.Operator == "||") != out.or {
			break
		}
		chain = append(chain, b.Right)
		left = b.Left
	}
	chain = append(chain, left)
	for i := len(chain) - 1; i >= 0 && c.fault == nil; i-- {
		t := c.node(chain[i])
		c.demand(t, alwaysBool, n.Operator+" joins conditions")
		out.terms = append(out.terms, t)
		out.span = out.span.join(t.where())
	}
	return out
}

func isLogic(op string) bool { return op == "and" || op == "&&" || op == "or" || op == "||" }

func (c *compiler) equality(s span, op string, l, r node) node {
	a, b := l.static(), r.static()
	if a != b && a != anything && b != anything && a != alwaysNull && b != alwaysNull {
		return c.refuse(s, "", "%s compares %s with %s, which are never equal", op, a, b)
	}
	c.spend(s, c.comparing(l, r))
	return &equality{s, op == "!=", l, r}
}

func (c *compiler) order(s span, op string, l, r node) node {
	a, b := l.static(), r.static()
	for _, k := range []static{a, b} {
		if k == alwaysBool || k == alwaysNull {
			return c.refuse(s, "", "%s compares numbers or strings, not %s", op, k)
		}
	}
	if a != b && a != anything && b != anything {
		return c.refuse(s, "", "%s compares %s with %s", op, a, b)
	}
	c.spend(s, c.comparing(l, r))
	return &order{s, op, l, r}
}

// comparing is what a comparison costs: next to nothing with a constant on one side.
func (c *compiler) comparing(l, r node) int {
	if _, ok := l.(*constant); ok {
		return costNode
	}
	if _, ok := r.(*constant); ok {
		return costNode
	}
	return costCompare
}

// times makes a comparison with a time one of integers. The other side is a constant RFC 3339 time, or a date, which
// means its first moment in UTC, or another time.
func (c *compiler) times(l, r node) (node, node) {
	switch {
	case l.static() == r.static():
	case l.static() == alwaysTime:
		return l, c.instant(r)
	case r.static() == alwaysTime:
		return c.instant(l), r
	}
	return l, r
}

func (c *compiler) instant(n node) node {
	k, ok := n.(*constant)
	if ok && k.v.kind == kindNull {
		return n
	}
	if ok && k.v.kind == kindText {
		if t, ok := parseTime(k.v.text); ok {
			return &moment{constant{k.span, integer(t.UnixMilli())}}
		}
	}
	suggestion := `write it like occurred_at >= "2026-01-31T12:00:00Z" or "2026-01-31"`
	if _, ok := n.(*path); ok {
		suggestion = "write time(" + excerpt(c.src, n.where()) + ")"
	}
	return c.refuse(n.where(), suggestion, "a time can only be compared with a constant time or another time")
}

// moment is a constant time.
type moment struct{ constant }

func (n *moment) static() static { return alwaysTime }

func (c *compiler) in(s span, n *ast.BinaryNode) node {
	of := c.node(n.Left)
	c.timeless(of)
	list, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		in := c.node(n.Right)
		if k := in.static(); k != anything {
			return c.refuse(s, "for text use contains", "in takes a list, an array or an object, not %s", k)
		}
		if k, ok := of.(*constant); ok && k.v.kind == kindText {
			c.spend(s, costTexts)
		} else {
			c.spend(s, costMembers)
		}
		return &within{s.join(of.where()).join(in.where()), of, in}
	}
	out := &oneOf{span: s.join(of.where()).join(c.span(list)), of: of, texts: map[string]struct{}{}}
	for _, item := range list.Nodes {
		v, ok := c.literal(item)
		if !ok {
			return c.refuse(c.span(item), "compare with == for anything else", "a list holds constants only")
		}
		out.span = out.span.join(c.span(item))
		if v.kind == kindText {
			out.texts[v.text] = struct{}{}
		} else {
			out.other = append(out.other, v)
		}
	}
	c.spend(s, costNode*(1+len(out.other)))
	out.span = c.upTo(out.span, ']')
	return out
}

func (c *compiler) textual(s span, op string, l, r node) node {
	for _, side := range []node{l, r} {
		if k := side.static(); k != anything && k != alwaysText {
			return c.refuse(side.where(), "", "%s takes strings, not %s", op, k)
		}
	}
	if op != "contains" {
		c.spend(s, costCompare)
		return &textual{s, op, l, r}
	}
	if k, ok := r.(*constant); ok && len(k.v.text) > maxNeedle {
		return c.refuse(r.where(), "use startsWith, endsWith or ==", "contains looks for at most %d bytes", maxNeedle)
	}
	c.spend(s, costSearch)
	return &textual{s, op, l, r}
}

func (c *compiler) matches(s span, n *ast.BinaryNode) node {
	of := c.node(n.Left)
	if k := of.static(); k != anything && k != alwaysText {
		return c.refuse(of.where(), "", "matches takes a string, not %s", k)
	}
	source, ok := n.Right.(*ast.StringNode)
	if !ok {
		return c.refuse(c.span(n.Right), "write the pattern as a constant string", "patterns are not made at run time")
	}
	states, message := patternStates(source.Value)
	if message != "" {
		return c.refuse(c.span(source), "see RE2's syntax; write the pattern in backticks to keep its backslashes", "%s", message)
	}
	s = s.join(of.where()).join(c.span(source))
	if c.spend(s, states*costPerState); c.fault != nil || c.cost > MaxCost { // will be refused: don't compile the pattern
		return of
	}
	re, err := regexp.Compile(source.Value)
	if err != nil {
		return c.refuse(c.span(source), "", "%s", err)
	}
	return &pattern{s, of, re}
}
