package filters

import "fmt"

// node is a part of a compiled filter. eval never panics; a value of kindFault means that ev.fault tells why.
type node interface {
	eval(ev *Event) value
	// static is what a value of the node can be, as far as it is known without an event.
	static() static
	where() span
}

// static is a set of kinds that a node can have.
type static uint8

const (
	anything static = iota // known only at run time
	alwaysNull
	alwaysBool
	alwaysNumber
	alwaysText
	alwaysTime // comparable with constant times and other times only
)

var staticNames = [...]string{"a value", "nil", "a boolean", "a number", "a string", "a time"}

func (s static) String() string { return staticNames[s] }

// span is a node's place in the source, in characters: [from, to), and the character that errors point to.
type span struct{ from, to, point int32 }

func (s span) where() span { return s }

func (s span) join(o span) span { return span{min(s.from, o.from), max(s.to, o.to), s.point} }

// fail notes why evaluation ended. The first fault wins.
func (s span) fail(ev *Event, format string, args ...any) value {
	if ev.fault == nil {
		ev.fault = &EvalError{Message: fmt.Sprintf(format, args...), span: s}
	}
	return value{}
}

// truth reads a value as a condition: nil counts as false, since a missing path is no error.
func truth(ev *Event, n node, v value) value {
	switch v.kind {
	case kindTrue, kindFalse, kindFault:
		return v
	case kindNull:
		return value{kind: kindFalse}
	}
	return n.where().fail(ev, "is %s, not a boolean", v.seen())
}

// constant is a literal.
type constant struct {
	span
	v value
}

func (n *constant) eval(*Event) value { return n.v }

func (n *constant) static() static {
	switch {
	case n.v.kind == kindNull:
		return alwaysNull
	case n.v.isBool():
		return alwaysBool
	case n.v.kind == kindText:
		return alwaysText
	}
	return alwaysNumber
}

// name is one of the variables that are texts, or occurred_at in Unix ms.
type name struct {
	span
	of variable
}

type variable uint8

const (
	nameType variable = iota
	nameID
	nameTenant
	nameOccurredAt
)

func (n *name) eval(ev *Event) value {
	switch n.of {
	case nameType:
		return text(ev.Type)
	case nameID:
		return text(ev.ID)
	case nameTenant:
		return text(ev.Tenant)
	}
	return integer(ev.OccurredAt.UnixMilli())
}

func (n *name) static() static {
	if n.of == nameOccurredAt {
		return alwaysTime
	}
	return alwaysText
}

// path is a member of data, actor or metadata, any number of steps down.
type path struct {
	span
	root  root
	steps []step
}

// step leads to an object's member or an array's element.
type step struct {
	key     string
	index   int
	isIndex bool
}

func (n *path) static() static { return anything }

// eval gives nil for whatever is not there: a missing member, a member of a non-object, an index beyond the end.
func (n *path) eval(ev *Event) value {
	d, err := ev.document(n.root)
	if err != nil {
		return n.fail(ev, "%s", err)
	}
	at, ok := n.find(d)
	if !ok {
		return value{kind: kindNull}
	}
	v := d.value(at)
	if v.kind == kindFault {
		j := d.nodes[at]
		return n.fail(ev, "is the number %s; numbers are read up to %d characters and exponents of 9 digits", cut(d.src[j.start:j.end]), maxNumeral)
	}
	return v
}

// find returns the JSON node that the path leads to.
func (n *path) find(d *document) (at int32, ok bool) {
	for i := range n.steps {
		if at, ok = d.step(at, &n.steps[i]); !ok {
			return 0, false
		}
	}
	return at, true
}

// step goes one step down.
func (d *document) step(at int32, s *step) (next int32, ok bool) {
	switch k := d.nodes[at].kind(); {
	case s.isIndex && k == kindArray:
		return d.element(at, s.index)
	case !s.isIndex && k == kindObject:
		return d.member(at, s.key)
	}
	return 0, false
}
