package filters

import (
	"fmt"
	"strings"
)

// Explanation is a verdict and what it rests on.
type Explanation struct {
	Matched bool
	Err     error    // an *EvalError: then the filter neither matched nor said no
	Decided []Clause // the clauses that decided: of an `and` the one that is false or all, of an `or` the one that is true or all
}

// Clause is a part of the expression without and, or, not, and what it saw.
type Clause struct {
	Text   string // as written
	Line   int    // from 1
	Column int    // from 1, in characters
	Result bool
	Seen   []Seen // the members it looks at, in the order written
}

// Seen is a member of the event as a clause sees it.
type Seen struct {
	Path  string // as written
	Value string // up to 60 bytes of its JSON; nil if it is not there
}

// String says it in one or more sentences, for people.
func (x Explanation) String() string {
	var b strings.Builder
	switch {
	case x.Err != nil:
		return "it cannot be evaluated: " + x.Err.Error()
	case x.Matched:
		b.WriteString("it matches, because ")
	default:
		b.WriteString("it does not match, because ")
	}
	for i, c := range x.Decided {
		switch {
		case i == 0:
		case i == len(x.Decided)-1:
			b.WriteString(" and ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(c.String())
	}
	return b.String()
}

// String says what a clause came to, and what it saw.
func (c Clause) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "`%s` is %t", c.Text, c.Result)
	for i, s := range c.Seen {
		if s.Path == c.Text { // nothing but the member itself
			fmt.Fprintf(&b, " (it is %s)", s.Value)
			continue
		}
		sep := ", "
		if i == 0 {
			sep = " ("
		}
		fmt.Fprintf(&b, "%s%s is %s", sep, s.Path, s.Value)
		if i == len(c.Seen)-1 {
			b.WriteByte(')')
		}
	}
	return b.String()
}

// Explain says what a filter makes of an event, by the program that Match runs. It shows values of the event: treat it
// like the event.
func Explain(f *Filter, ev *Event) Explanation {
	matched, err := f.Match(ev)
	out := Explanation{Matched: matched, Err: err}
	if err == nil {
		out.Decided = f.deciding(nil, ev, f.root)
	}
	return out
}

// deciding appends the clauses below a node that make it what it is. Only nodes that Match has evaluated without a fault
// are evaluated again.
func (f *Filter) deciding(dst []Clause, ev *Event, n node) []Clause {
	switch n := n.(type) {
	case *negation:
		return f.deciding(dst, ev, n.of)
	case *logic:
		result := n.eval(ev).kind == kindTrue
		for _, t := range n.terms {
			if truth(ev, t, t.eval(ev)).kind == kindTrue != result {
				continue
			}
			dst = f.deciding(dst, ev, t)
			if result == n.or { // one is enough
				break
			}
		}
		return dst
	}
	place := bracketed(f.src, n.where())
	c := Clause{Text: excerpt(f.src, place), Result: truth(ev, n, n.eval(ev)).kind == kindTrue}
	c.Line, c.Column, _ = position(f.src, place.from)
	for _, leaf := range leaves(nil, n) {
		c.Seen = append(c.Seen, Seen{Path: excerpt(f.src, leaf.where()), Value: show(ev, leaf)})
	}
	return append(dst, c)
}

func show(ev *Event, n node) string {
	if n.static() == alwaysTime {
		return ev.OccurredAt.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	v := n.eval(ev) // a fault is in a branch that was not taken
	ev.fault = nil
	return v.String()
}

// leaves appends the variables and paths below a node, in the order written.
func leaves(dst []node, n node) []node {
	switch n := n.(type) {
	case *path, *name:
		return append(dst, n)
	}
	for _, b := range below(n) {
		dst = leaves(dst, b)
	}
	return dst
}

// below is the nodes that a node is made of, in the order written.
func below(n node) []node {
	switch n := n.(type) {
	case *equality:
		return []node{n.l, n.r}
	case *order:
		return []node{n.l, n.r}
	case *textual:
		return []node{n.l, n.r}
	case *arithmetic:
		return []node{n.l, n.r}
	case *fallback:
		return []node{n.of, n.other}
	case *within:
		return []node{n.of, n.in}
	case *choice:
		return []node{n.cond, n.then, n.otherwise}
	case *logic:
		return n.terms
	case *negation:
		return []node{n.of}
	case *negative:
		return []node{n.of}
	case *oneOf:
		return []node{n.of}
	case *pattern:
		return []node{n.of}
	case *call:
		return []node{n.of}
	case *presence:
		return []node{n.of}
	case *wildcard:
		return []node{n.of}
	case *network:
		return []node{n.of}
	case *timeOf:
		return []node{n.of}
	}
	return nil
}
