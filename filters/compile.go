package filters

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// Compile makes a filter of an expression. An error is an *Error.
func Compile(src string) (*Filter, error) {
	c := compiler{src: src}
	f, err := c.compile()
	if err != nil {
		return nil, err
	}
	return f, nil
}

// compiler turns one expression into a tree of nodes. The first fault ends it.
type compiler struct {
	src   string
	chars []rune // of src: the parser counts in characters
	nodes int
	depth int
	cost  int
	spent []spending // what cost is made of

	numerals map[string]string // hidden from the parser, by the name in their place
	fault    *Error
}

func (c *compiler) compile() (*Filter, *Error) {
	if err := c.bounded(); err != nil {
		return nil, err
	}
	tree, err := c.parse()
	if err != nil {
		return nil, err
	}
	root := c.node(tree)
	if c.fault == nil {
		c.demand(root, alwaysBool, "a filter is a condition")
	}
	c.affordable(root)
	if c.fault != nil {
		return nil, c.fault
	}
	return &Filter{src: c.src, root: root, cost: c.cost}, nil
}

// errorAt makes the error for a place in the source, in characters.
func (c *compiler) errorAt(at int32, suggestion, format string, args ...any) *Error {
	e := &Error{Message: fmt.Sprintf(format, args...), Suggestion: suggestion}
	e.Line, e.Column, e.line = position(c.src, at)
	return e
}

// refuse notes a fault. The first one wins; what it returns is never used.
func (c *compiler) refuse(s span, suggestion, format string, args ...any) node {
	if c.fault == nil {
		c.fault = c.errorAt(s.point, suggestion, format, args...)
	}
	return &constant{span: s}
}

// parse calls expr's parser. Should it panic on some input, that input is no filter.
func (c *compiler) parse() (root ast.Node, fault *Error) {
	c.chars = []rune(c.src)
	defer func() {
		if r := recover(); r != nil {
			root, fault = nil, &Error{Line: 1, Column: 1, Message: "the expression cannot be parsed"}
		}
	}()
	tree, err := parser.Parse(c.hideNumerals())
	if err == nil {
		return tree.Node, nil
	}
	var at *file.Error
	if !errors.As(err, &at) {
		return nil, &Error{Line: 1, Column: 1, Message: err.Error()}
	}
	message, suggestion := c.syntax(at)
	message = c.shown(message)
	return nil, c.errorAt(int32(at.From), suggestion, "%s", message)
}

// syntax says the parser's errors in the words of a filter's author.
func (c *compiler) syntax(e *file.Error) (message, suggestion string) {
	char := func(i int) rune {
		if i >= 0 && i < len(c.chars) {
			return c.chars[i]
		}
		return 0
	}
	switch e.Message {
	case "unexpected token EOF", "unexpected end of expression":
		return "the expression ends too early", "complete it, and close what is open"
	case `unexpected token Operator("=")`:
		return "= alone is no operator", "write == to compare"
	}
	switch r := char(e.From); {
	case r == '&' || r == '|' && char(e.From+1) != '|':
		return fmt.Sprintf("%c alone is no operator", r), "write `and` or `or`"
	case r == '~':
		return "~ is no operator", `write matches "pattern"`
	}
	if strings.Contains(e.Message, "coalesce expressions") {
		return "?? and other operators cannot stand side by side", "put it in brackets, as in (data.ttl ?? 0) > 60"
	}
	if strings.HasPrefix(e.Message, "invalid ") && strings.Contains(e.Message, " literal: ") {
		return "the number is malformed or too long", "write up to 128 decimal digits, as in 3600, 0.5 or 1e20"
	}
	if token, ok := strings.CutPrefix(e.Message, "unexpected token "); ok {
		_, token, _ = strings.Cut(strings.TrimSuffix(token, ")"), "(")
		return "unexpected " + cut(token), ""
	}
	return cut(e.Message), ""
}
