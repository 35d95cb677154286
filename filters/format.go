package filters

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// maxLine is how long a formatted line may be before its clauses stand on lines of their own, in characters.
const maxLine = 100

// ErrComments is why a filter is not formatted: comments would be lost.
var ErrComments = errors.New("filters: a filter with comments is left as it is written")

// Format writes a filter in one way, with the same meaning: words for and, or, not, single spaces, double quotes, patterns
// in backticks where that keeps their backslashes, no brackets that say nothing, clauses on lines of their own where one
// line would be long. An error is an *Error of Compile, or ErrComments.
func Format(src string) (string, error) {
	if _, err := Compile(src); err != nil {
		return "", err
	}
	if hasComments(src) {
		return "", ErrComments
	}
	c := compiler{src: src}
	tree, err := c.parse()
	if err != nil {
		return "", err
	}
	out := write(tree, levelAny)
	if b, ok := tree.(*ast.BinaryNode); ok && isLogic(b.Operator) && len([]rune(out)) > maxLine {
		out = writeLines(b)
	}
	out = c.shown(out)
	if len(out) > MaxSource { // it was written more tightly
		return src, nil
	}
	return out, nil
}

func hasComments(src string) bool {
	quote, escaped := rune(0), false
	for i, r := range src {
		switch {
		case quote != 0 && escaped:
			escaped = false
		case quote != 0 && r == '\\' && quote != '`':
			escaped = true
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'' || r == '`':
			quote = r
		case strings.HasPrefix(src[i:], "//") || strings.HasPrefix(src[i:], "/*") || r == '#':
			return true
		}
	}
	return false
}

// level is how tightly the place of a node binds: what binds less there stands in brackets.
type level int

const (
	levelAny level = iota
	levelOr
	levelAnd
	levelNot
	levelComparison
	levelSum
	levelProduct
	levelOne // nothing but a value, a member or a call
)

// write writes a node for a place.
func write(n ast.Node, place level) string {
	text, own := writeNode(n)
	if own < place {
		return "(" + text + ")"
	}
	return text
}

// writeNode writes a node and says how tightly it binds by itself.
func writeNode(n ast.Node) (string, level) {
	switch n := n.(type) {
	case *ast.NilNode:
		return "nil", levelOne
	case *ast.BoolNode:
		return strconv.FormatBool(n.Value), levelOne
	case *ast.IntegerNode:
		return strconv.Itoa(n.Value), levelOne
	case *ast.FloatNode:
		return floatText(n.Value), levelOne
	case *ast.StringNode:
		return strconv.Quote(n.Value), levelOne
	case *ast.IdentifierNode:
		return n.Value, levelOne
	case *ast.ChainNode:
		return writeNode(n.Node)
	case *ast.MemberNode:
		return write(n.Node, levelOne) + memberOf(n.Property), levelOne
	case *ast.UnaryNode:
		return writeUnary(n)
	case *ast.BinaryNode:
		return writeBinary(n)
	case *ast.ConditionalNode:
		return write(n.Cond, levelOr) + " ? " + write(n.Exp1, levelOr) + " : " + write(n.Exp2, levelOr), levelAny
	case *ast.BuiltinNode:
		return n.Name + "(" + writeList(n.Arguments) + ")", levelOne
	case *ast.CallNode:
		return write(n.Callee, levelOne) + "(" + writeList(n.Arguments) + ")", levelOne
	case *ast.ArrayNode:
		return "[" + writeList(n.Nodes) + "]", levelOne
	}
	return n.String(), levelAny // not in the language: it was not compiled
}

func writeList(nodes []ast.Node) string {
	parts := make([]string, len(nodes))
	for i, n := range nodes {
		parts[i] = write(n, levelAny)
	}
	return strings.Join(parts, ", ")
}

func memberOf(property ast.Node) string {
	if s, ok := property.(*ast.StringNode); ok {
		return memberText(s.Value)
	}
	return "[" + write(property, levelAny) + "]"
}

func writeUnary(n *ast.UnaryNode) (string, level) {
	if n.Operator != "not" && n.Operator != "!" {
		switch n.Node.(type) {
		case *ast.IntegerNode, *ast.FloatNode:
			return n.Operator + write(n.Node, levelOne), levelProduct // -3 ?? x is -(3 ?? x)
		}
		return n.Operator + write(n.Node, levelOne), levelProduct
	}
	if b, ok := n.Node.(*ast.BinaryNode); ok && b.Operator == "in" {
		return write(b.Left, levelSum) + " not in " + write(b.Right, levelSum), levelComparison
	}
	return "not " + write(n.Node, levelOne), levelNot
}

func writeBinary(n *ast.BinaryNode) (string, level) {
	switch n.Operator {
	case "or", "||":
		return write(n.Left, levelOr) + " or " + write(n.Right, levelOr), levelOr
	case "and", "&&":
		return write(n.Left, levelAnd) + " and " + write(n.Right, levelAnd), levelAnd
	case "+", "-":
		return write(n.Left, levelSum) + " " + n.Operator + " " + write(n.Right, levelProduct), levelSum
	case "*", "/", "%":
		return write(n.Left, levelProduct) + " " + n.Operator + " " + write(n.Right, levelOne), levelProduct
	case "??": // binds tightest in expr, and nobody expects it: it is always in brackets
		return write(n.Left, levelOne) + " ?? " + write(n.Right, levelOne), levelAny
	case "matches":
		if s, ok := n.Right.(*ast.StringNode); ok && strings.Contains(s.Value, `\`) && !strings.ContainsAny(s.Value, "`\r\n") {
			return write(n.Left, levelSum) + " matches `" + s.Value + "`", levelComparison
		}
	}
	return write(n.Left, levelSum) + " " + n.Operator + " " + write(n.Right, levelSum), levelComparison
}

func floatText(f float64) string {
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if f == math.Trunc(f) && !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return strings.ReplaceAll(text, "e+", "e")
}

// writeLines writes a chain of and or or with a clause on each line.
func writeLines(n *ast.BinaryNode) string {
	or := n.Operator == "or" || n.Operator == "||"
	if or {
		return strings.Join(writeTerms(nil, n, or), "\nor ")
	}
	return strings.Join(writeTerms(nil, n, or), "\nand ")
}

func writeTerms(dst []string, n ast.Node, or bool) []string {
	if b, ok := n.(*ast.BinaryNode); ok && isLogic(b.Operator) && (b.Operator == "or" || b.Operator == "||") == or {
		return writeTerms(writeTerms(dst, b.Left, or), b.Right, or)
	}
	if or {
		return append(dst, write(n, levelAnd))
	}
	return append(dst, write(n, levelNot))
}
