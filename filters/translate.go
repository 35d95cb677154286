package filters

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// node translates one node of expr's tree and what is below it. Everything that is not listed here is refused: this is
// the allow-list.
func (c *compiler) node(n ast.Node) node {
	if c.fault != nil {
		return &constant{}
	}
	s := c.span(n)
	if c.nodes++; c.nodes > maxNodes {
		return c.refuse(s, "use several subscriptions, or `in [...]` instead of many comparisons", "the expression has more than %d parts", maxNodes)
	}
	if c.depth++; c.depth > MaxNesting {
		return c.refuse(s, "take parts apart with `and` and `or`", "operators nest deeper than %d", MaxNesting)
	}
	defer func() { c.depth-- }()
	c.spend(s, costNode)
	switch n := n.(type) {
	case *ast.NilNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.StringNode:
		v, _ := c.literal(n)
		return &constant{s, v}
	case *ast.IdentifierNode:
		if c.numerals[n.Value] == "" {
			return c.variable(s, n.Value)
		}
		if v, ok := c.literal(n); ok {
			return &constant{s, v}
		}
		return c.refuse(s, "numbers are read up to 128 characters and exponents of 9 digits", "the number cannot be read")
	case *ast.ChainNode:
		return c.node(n.Node) // every member is optional
	case *ast.MemberNode:
		return c.member(s, n)
	case *ast.UnaryNode:
		return c.unary(s, n)
	case *ast.BinaryNode:
		return c.binary(s, n)
	case *ast.ConditionalNode:
		return c.conditional(s, n)
	case *ast.BuiltinNode:
		return c.call(s, n.Name, n.Arguments)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(s, callee.Value, n.Arguments)
		}
		return c.refuse(s, "", "values have no methods")
	}
	return c.unknown(s, n)
}

// span is the place of a node's own token; translation joins the places of the nodes below.
func (c *compiler) span(n ast.Node) span {
	l := n.Location()
	return span{int32(l.From), int32(l.To), int32(l.From)}
}

// upTo stretches a span to the next closing bracket, which the parser's places leave out.
func (c *compiler) upTo(s span, bracket rune) span {
	if i := slices.Index(c.chars[s.to:], bracket); i >= 0 {
		s.to += int32(i) + 1
	}
	return s
}

// literal reads a constant.
func (c *compiler) literal(n ast.Node) (v value, ok bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return value{kind: kindNull}, true
	case *ast.BoolNode:
		return boolean(n.Value), true
	case *ast.IntegerNode:
		return integer(int64(n.Value)), true
	case *ast.FloatNode:
		return parseNumber(strconv.FormatFloat(n.Value, 'e', -1, 64)), true
	case *ast.StringNode:
		return text(n.Value), true
	case *ast.IdentifierNode:
		numeral, ok := c.numerals[n.Value]
		if !ok {
			return v, false
		}
		v = parseNumber(numeral)
		return v, v.kind != kindFault
	case *ast.UnaryNode:
		if hidden, ok := n.Node.(*ast.IdentifierNode); ok && n.Operator == "-" && c.numerals[hidden.Value] != "" {
			v = parseNumber("-" + c.numerals[hidden.Value])
			return v, v.kind != kindFault
		}
		if v, ok = c.literal(n.Node); !ok || n.Operator != "-" || !v.isNumber() {
			return v, false
		}
		v = (&negative{of: &constant{v: v}}).eval(nil) // a parsed integer has an opposite
		return v, true
	}
	return v, false
}

var variableNames = [...]string{nameType: "type", nameID: "id", nameTenant: "tenant", nameOccurredAt: "occurred_at"}

var variables = map[string]variable{"type": nameType, "id": nameID, "tenant": nameTenant, "occurred_at": nameOccurredAt}

func (c *compiler) variable(s span, word string) node {
	if r := slices.Index(rootNames[:], word); r >= 0 {
		c.spend(s, costPath)
		return &path{span: s, root: root(r)}
	}
	if v, ok := variables[word]; ok {
		return &name{s, v}
	}
	suggestion := "write data." + word + " for a member of the event's data"
	for _, known := range []string{"type", "data", "tenant", "actor", "metadata", "id", "occurred_at"} {
		if len(word) > 1 && nearly(strings.ToLower(word), known) {
			suggestion = "did you mean " + known + "?"
		}
	}
	switch strings.ToLower(word) {
	case "null", "none", "undefined":
		suggestion = "write nil"
	case "event", "payload", "body":
		suggestion = "write data for what happened, type for the event type"
	}
	n := c.refuse(s, suggestion, "unknown name %s; known are type, data, tenant, actor, metadata, id and occurred_at", word)
	c.fault.name, c.fault.at = word, s.from
	return n
}

// nearly says whether one character more, less or other makes a of b.
func nearly(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	same := 0
	for same < len(a) && a[same] == b[same] {
		same++
	}
	if len(a) == len(b) {
		return same == len(a) || a[same+1:] == b[same+1:]
	}
	return a[same:] == b[same+1:]
}

// member adds one step to a path. Steps are constants, so that a path is known when it is compiled.
func (c *compiler) member(s span, n *ast.MemberNode) node {
	of := c.node(n.Node)
	p, ok := of.(*path)
	if c.fault != nil || !ok {
		return c.refuse(s, "members are those of data, actor and metadata", "this has no members")
	}
	next := step{}
	switch key, _ := c.literal(n.Property); key.kind {
	case kindText:
		next.key = key.text
	case kindInteger:
		next.index, next.isIndex = int(key.num), true
		if skipped := next.index; skipped >= 0 {
			c.spend(s, min(skipped, 1<<17)*costElement)
		} else {
			c.spend(s, 1<<17*costElement)
		}
	default:
		return c.refuse(s, `write data.name, data["name"] or data[0]`, "a member is named by a constant string or integer")
	}
	c.spend(s, costPath)
	p.steps = append(p.steps, next)
	p.span = p.span.join(s)
	if c.chars[s.from] == '[' {
		p.span = c.upTo(p.span.join(c.span(n.Property)), ']')
	}
	return p
}

func (c *compiler) unary(s span, n *ast.UnaryNode) node {
	of := c.node(n.Node)
	s = s.join(of.where())
	switch n.Operator {
	case "not", "!":
		c.demand(of, alwaysBool, n.Operator+" takes a condition")
		return &negation{s, of}
	case "+":
		c.demand(of, alwaysNumber, "+ takes a number")
		return &arithmetic{s, "+", &constant{s, integer(0)}, of}
	}
	c.demand(of, alwaysNumber, "- takes a number")
	if v, ok := c.literal(n); ok {
		return &constant{s, v}
	}
	return &negative{s, of}
}

func (c *compiler) conditional(s span, n *ast.ConditionalNode) node {
	if !n.Ternary {
		return c.refuse(s, "write condition ? value : other", "if is not part of the filter language")
	}
	if n.Cond == n.Exp1 {
		return c.refuse(c.span(n.Cond), "write value ?? other", "?: is not part of the filter language")
	}
	cond, then, otherwise := c.node(n.Cond), c.node(n.Exp1), c.node(n.Exp2)
	c.demand(cond, alwaysBool, "? follows a condition")
	c.timeless(then)
	c.timeless(otherwise)
	return &choice{cond.where().join(otherwise.where()), cond, then, otherwise}
}

func (c *compiler) call(s span, word string, arguments []ast.Node) node {
	if n, ok := c.special(s, word, arguments); ok {
		return n
	}
	f, ok := functions[word]
	if !ok {
		return c.unknownFunction(s, word)
	}
	if len(arguments) != 1 {
		return c.refuse(s, "write "+word+"(value)", "%s takes one value, not %d", word, len(arguments))
	}
	of := c.node(arguments[0])
	s = c.upTo(s.join(of.where()), ')')
	c.spend(s, f.cost)
	c.timeless(of)
	if k := of.static(); k != anything && (k == alwaysBool || k == alwaysNull || k == alwaysNumber && f.cost != costNumeral) {
		return c.refuse(s, "", "%s takes %s, not %s", word, f.takes, k)
	}
	return &call{s, f, of}
}

// demand refuses a node that can never be of a kind.
func (c *compiler) demand(n node, want static, why string) {
	if got := n.static(); c.fault == nil && got != anything && got != want && !(got == alwaysNull && want == alwaysBool) {
		suggestion := ""
		if want == alwaysBool {
			suggestion = "compare it, as in `x == y`"
		}
		c.refuse(n.where(), suggestion, "%s, and this is %s", why, got)
	}
}

// timeless refuses a time where it is not compared with one.
func (c *compiler) timeless(n node) {
	if n.static() == alwaysTime {
		c.refuse(n.where(), `write it like occurred_at >= "2026-01-31T12:00:00Z"`, "a time can only be compared with a constant time or another time")
	}
}
