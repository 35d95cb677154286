package filters

import "strings"

// equality is == or !=. Values of different kinds are not equal; nil equals nil alone.
type equality struct {
	span
	not  bool
	l, r node
}

func (n *equality) static() static { return alwaysBool }

func (n *equality) eval(ev *Event) value {
	l := n.l.eval(ev)
	if l.kind == kindFault {
		return l
	}
	r := n.r.eval(ev)
	if r.kind == kindFault {
		return r
	}
	if l.isContainer() && r.isContainer() {
		return n.fail(ev, "compares %s with %s; compare members of theirs", l.what(), r.what())
	}
	return boolean(equal(l, r) != n.not)
}

func equal(l, r value) bool {
	if l.isNumber() && r.isNumber() {
		return compareNumbers(l, r) == 0
	}
	return l.kind == r.kind && !l.isContainer() && l.text == r.text
}

// order is <, <=, > or >= over two numbers or two strings (by bytes).
type order struct {
	span
	op   string
	l, r node
}

func (n *order) static() static { return alwaysBool }

func (n *order) eval(ev *Event) value {
	l := n.l.eval(ev)
	if l.kind == kindFault {
		return l
	}
	r := n.r.eval(ev)
	var c int
	switch {
	case r.kind == kindFault:
		return r
	case l.isNumber() && r.isNumber():
		c = compareNumbers(l, r)
	case l.kind == kindText && r.kind == kindText:
		c = strings.Compare(l.text, r.text)
	case n.l.static() == alwaysTime || n.r.static() == alwaysTime: // time(nil)
		return n.fail(ev, "compares nil with a time; guard it, as in `x != nil and time(x) %s ...`", n.op)
	case l.kind == kindNull || r.kind == kindNull:
		return n.fail(ev, "compares %s with %s; guard it, as in `x != nil and x %s ...`, or give a default, as in `(x ?? 0)`", l, r, n.op)
	default:
		return n.fail(ev, "compares %s with %s; %s takes two numbers or two strings", l.seen(), r.seen(), n.op)
	}
	switch n.op {
	case "<":
		return boolean(c < 0)
	case "<=":
		return boolean(c <= 0)
	case ">":
		return boolean(c > 0)
	}
	return boolean(c >= 0)
}

// oneOf is `of in [constants]`.
type oneOf struct {
	span
	of    node
	texts map[string]struct{}
	other []value
}

func (n *oneOf) static() static { return alwaysBool }

func (n *oneOf) eval(ev *Event) value {
	v := n.of.eval(ev)
	if v.kind == kindFault {
		return v
	}
	return boolean(n.has(v))
}

func (n *oneOf) has(v value) bool {
	if v.kind == kindText {
		_, ok := n.texts[v.text]
		return ok
	}
	for _, o := range n.other {
		if equal(v, o) {
			return true
		}
	}
	return false
}

// within is `of in container`: an element of an array, a key of an object. Nothing is in nil.
type within struct {
	span
	of, in node
}

func (n *within) static() static { return alwaysBool }

func (n *within) eval(ev *Event) value {
	v := n.of.eval(ev)
	if v.kind == kindFault {
		return v
	}
	c := n.in.eval(ev)
	switch c.kind {
	case kindFault:
		return c
	case kindNull:
		return value{kind: kindFalse}
	case kindArray:
		found, ok := c.doc.has(c.at, v)
		if !ok {
			return n.fail(ev, "meets a number in the array that is longer than %d characters or has a huge exponent", maxNumeral)
		}
		return boolean(found)
	case kindObject:
		if v.kind == kindText {
			_, ok := c.doc.member(c.at, v.text)
			return boolean(ok)
		}
		if v.kind == kindNull {
			return value{kind: kindFalse}
		}
		return n.fail(ev, "looks for %s among an object's keys; a key is a string", v.seen())
	}
	return n.fail(ev, "looks for %s in %s; in takes a list, an array or an object; for text use contains", v, c.seen())
}
