package filters

import (
	"fmt"
	"slices"
	"strings"
)

// adviser walks a compiled filter and collects warnings.
type adviser struct {
	compiler *compiler
	known    *knowledge
	types    Types
	found    []Warning

	suggested int
	fields    map[string]field // by the path as written
}

// Bounds of a check's answer: a hostile filter must not make it long, nor long to find.
const (
	maxWarnings    = 20
	maxSuggestions = 3 // which are looked for among many
)

func (a *adviser) warn(n node, aboutTypes bool, suggestion, format string, args ...any) {
	if len(a.found) == maxWarnings {
		return
	}
	w := Warning{Error: *a.compiler.errorAt(n.where().from, suggestion, format, args...)}
	if aboutTypes {
		w.Types = slices.Clone(a.known.types)
	}
	a.found = append(a.found, w)
}

func (a *adviser) advise(root node) {
	terms := []node{root}
	if l, ok := root.(*logic); ok && !l.or {
		terms = l.terms
	}
	a.typeNames(root)
	for _, t := range terms {
		if looked := leaves(nil, t); len(looked) > 0 && !slices.ContainsFunc(looked, func(n node) bool { return !isType(n) }) {
			a.known.only(func(eventType string) bool {
				ev := &Event{Type: eventType}
				return truth(ev, t, t.eval(ev)).kind == kindTrue
			})
		}
	}
	for _, clause := range clauses(nil, root) {
		if len(leaves(nil, clause)) == 0 {
			ev := &Event{}
			a.warn(clause, false, "leave it out", "this is always %s", truth(ev, clause, clause.eval(ev)))
		}
	}
	a.contradictions(terms)
	a.walk(root, nil)
}

func isType(n node) bool {
	name, ok := n.(*name)
	return ok && name.of == nameType
}

// typeNames checks the event types that a filter compares type with.
func (a *adviser) typeNames(n node) {
	var named []node
	switch n := n.(type) {
	case *equality:
		if isType(n.l) {
			named = append(named, n.r)
		} else if isType(n.r) {
			named = append(named, n.l)
		}
	case *oneOf:
		if isType(n.of) {
			for text := range n.texts {
				named = append(named, &constant{n.span, value{kind: kindText, text: text}})
			}
		}
	}
	for _, c := range named {
		k, ok := c.(*constant)
		if !ok || k.v.kind != kindText {
			continue
		}
		switch {
		case len(a.known.all) > 0 && !slices.Contains(a.known.all, k.v.text):
			suggestion := ""
			if a.suggested++; a.suggested <= maxSuggestions {
				if near := nearest(k.v.text, a.known.all); near != "" {
					suggestion = "did you mean " + near + "?"
				}
			}
			a.warn(c, false, suggestion, "there is no event type %s", k.v)
		case a.types.entries != nil && !a.types.Match(k.v.text):
			a.warn(c, false, "add it to the event types", "the subscription's event types do not select %s", k.v)
		}
	}
	for _, b := range below(n) {
		a.typeNames(b)
	}
}

// contradictions finds a member that must equal two different constants at once.
func (a *adviser) contradictions(terms []node) {
	wanted := map[string]value{}
	for _, t := range terms {
		e, ok := t.(*equality)
		if !ok || e.not {
			continue
		}
		of, k := e.l, e.r
		if _, ok := of.(*constant); ok {
			of, k = k, of
		}
		c, ok := k.(*constant)
		if !ok {
			continue
		}
		text := excerpt(a.compiler.src, of.where())
		if before, ok := wanted[text]; ok && !equal(before, c.v) {
			a.warn(t, false, "write `or`, or `in [...]`", "%s cannot be %s and %s at once: the filter never matches", text, before, c.v)
		}
		wanted[text] = c.v
	}
}

// walk checks members against the schemas. guarded are the paths that are there whenever the node is evaluated.
func (a *adviser) walk(n node, guarded []string) {
	switch n := n.(type) {
	case *logic:
		for _, t := range n.terms {
			a.walk(t, guarded)
			guarded = append(guarded, ensured(t, !n.or)...)
		}
		return
	case *choice:
		a.walk(n.cond, guarded)
		a.walk(n.then, append(slices.Clip(guarded), ensured(n.cond, true)...))
		a.walk(n.otherwise, append(slices.Clip(guarded), ensured(n.cond, false)...))
		return
	case *path:
		a.declared(n)
	case *equality:
		a.compared(n, n.l, n.r)
		a.compared(n, n.r, n.l)
	case *oneOf:
		if p, ok := n.of.(*path); ok {
			a.listed(n, p)
		}
	case *order:
		a.ordered(n, n.l, n.r, guarded)
		a.ordered(n, n.r, n.l, guarded)
	case *textual:
		a.takes(n.l, oneText, n.op+" takes strings")
		a.takes(n.r, oneText, n.op+" takes strings")
	case *pattern:
		a.takes(n.of, oneText, "matches takes strings")
	case *wildcard:
		a.takes(n.of, oneText, "glob takes strings")
	case *network:
		a.takes(n.of, oneText, "cidr takes strings")
	case *timeOf:
		a.takes(n.of, oneText, "time takes strings")
	case *call:
		a.takes(n.of, takenBy(n.function.name), n.function.name+" takes "+n.function.takes)
	case *arithmetic:
		a.takes(n.l, oneNumber, "arithmetic takes numbers")
		a.takes(n.r, oneNumber, "arithmetic takes numbers")
	case *within:
		a.takes(n.in, oneArray|oneObject, "in takes an array or an object")
	}
	for _, b := range below(n) {
		a.walk(b, guarded)
	}
}

func takenBy(function string) kinds {
	switch function {
	case "len":
		return oneText | oneArray | oneObject
	case "int", "float":
		return oneText | oneNumber
	}
	return oneText
}

// field is what the schemas of all types say of a path together.
func (a *adviser) field(p *path) field {
	key := p.String()
	f, ok := a.fields[key]
	if !ok {
		if a.fields == nil {
			a.fields = map[string]field{}
		}
		f = a.ask(p)
		a.fields[key] = f
	}
	return f
}

func (a *adviser) ask(p *path) field {
	if p.root != rootData || len(p.steps) == 0 || !a.known.complete() {
		return field{}
	}
	out := field{known: true, sure: true}
	listed := true
	for _, t := range a.known.types {
		s := a.known.schemas[t]
		f := s.lookUp(p.steps)
		if !f.known {
			return field{}
		}
		out.there = out.there || f.there
		out.sure = out.sure && f.sure
		out.kinds |= f.kinds
		if f.there {
			listed = listed && f.enum != nil
			out.enum = append(out.enum, f.enum...)
		}
	}
	if !listed {
		out.enum = nil
	}
	return out
}

func (a *adviser) declared(p *path) {
	if f := a.field(p); f.known && !f.there {
		suggestion := ""
		if a.suggested++; a.suggested <= maxSuggestions {
			if near := nearestPath(p.String(), a.known.declared()); near != "" {
				suggestion = "did you mean " + near + "?"
			}
		}
		a.warn(p, true, suggestion, "no event of these types has %s", p)
	}
}

func (a *adviser) compared(n *equality, of, with node) {
	p, ok := of.(*path)
	c, isConstant := with.(*constant)
	if !ok || !isConstant {
		return
	}
	f := a.field(p)
	if !f.known || !f.there {
		return
	}
	verdict := "never true"
	if n.not {
		verdict = "always true"
	}
	switch {
	case c.v.kind == kindNull && f.kinds&oneNull == 0:
		a.warn(n, true, "", "%s is always there, so this is %s", p, verdict)
	case f.kinds&c.v.one() == 0:
		a.warn(n, true, convert(c.v, f.kinds), "%s is %s, never %s, so this is %s", p, f.kinds, c.v.seen(), verdict)
	case f.enum != nil && !among(c.v, f.enum) && c.v.kind != kindNull:
		a.warn(n, true, nearestValue(c.v, f.enum), "%s is never %s; it is one of %s", p, c.v, valuesText(f.enum))
	}
}

func (a *adviser) listed(n *oneOf, p *path) {
	f := a.field(p)
	if !f.known || !f.there {
		return
	}
	items := slices.Clone(n.other)
	for text := range n.texts {
		items = append(items, value{kind: kindText, text: text})
	}
	slices.SortFunc(items, func(x, y value) int { return strings.Compare(x.String(), y.String()) })
	for _, v := range items {
		switch {
		case f.kinds&v.one() == 0:
			a.warn(n, true, convert(v, f.kinds), "%s is %s, never %s", p, f.kinds, v.seen())
		case f.enum != nil && !among(v, f.enum) && v.kind != kindNull:
			a.warn(n, true, nearestValue(v, f.enum), "%s is never %s; it is one of %s", p, v, valuesText(f.enum))
		}
	}
}

func (a *adviser) ordered(n *order, of, with node, guarded []string) {
	p, ok := of.(*path)
	if !ok {
		return
	}
	f := a.field(p)
	if !f.known || !f.there {
		return
	}
	wanted := oneNumber | oneText
	switch with.static() {
	case alwaysNumber:
		wanted = oneNumber
	case alwaysText:
		wanted = oneText
	}
	switch {
	case f.kinds&wanted == 0:
		a.warn(n, true, "", "%s is %s, so %s with %s fails on every event", p, f.kinds, n.op, with.static())
	case f.kinds&oneNull != 0 && !slices.Contains(guarded, p.String()):
		a.warn(n, true, fmt.Sprintf("guard it, as in `%s != nil and ...`, or give a default, as in `(%s ?? 0)`", p, p),
			"%s may be missing, and then the filter fails", p)
	}
}

// takes checks the value that an operator or function needs. Where it may be missing is no matter here.
func (a *adviser) takes(of node, wanted kinds, what string) {
	p, ok := of.(*path)
	if !ok {
		return
	}
	if f := a.field(p); f.known && f.there && f.kinds&^oneNull&wanted == 0 {
		a.warn(of, true, "", "%s is %s; %s", p, f.kinds&^oneNull, what)
	}
}

// ensured are the paths that are there once a condition has the given result.
func ensured(n node, result bool) []string {
	switch n := n.(type) {
	case *path:
		if result {
			return []string{n.String()}
		}
	case *negation:
		return ensured(n.of, !result)
	case *logic:
		if n.or == result {
			return nil
		}
		var out []string
		for _, t := range n.terms {
			out = append(out, ensured(t, result)...)
		}
		return out
	case *equality:
		p, isPath := n.l.(*path)
		c, isConstant := n.r.(*constant)
		if !isPath || !isConstant {
			return nil
		}
		if same := n.not != result; same == (c.v.kind != kindNull) {
			return []string{p.String()}
		}
	case *order: // with nil it fails, whatever the result
		return pathsOf(n.l, n.r)
	case *textual:
		if result {
			return pathsOf(n.l, n.r)
		}
	case *pattern:
		if result {
			return pathsOf(n.of)
		}
	case *wildcard:
		if result {
			return pathsOf(n.of)
		}
	}
	return nil
}

func pathsOf(nodes ...node) (out []string) {
	for _, n := range nodes {
		if p, ok := n.(*path); ok {
			out = append(out, p.String())
		}
	}
	return out
}
