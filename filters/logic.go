package filters

// logic is `and` or `or` over two or more conditions, the first ones first.
type logic struct {
	span
	or    bool
	terms []node
}

func (n *logic) static() static { return alwaysBool }

func (n *logic) eval(ev *Event) value {
	for _, t := range n.terms {
		v := truth(ev, t, t.eval(ev))
		if v.kind == kindFault || (v.kind == kindTrue) == n.or {
			return v
		}
	}
	return boolean(!n.or)
}

// negation is `not`.
type negation struct {
	span
	of node
}

func (n *negation) static() static { return alwaysBool }

func (n *negation) eval(ev *Event) value {
	v := truth(ev, n.of, n.of.eval(ev))
	if v.kind == kindFault {
		return v
	}
	return boolean(v.kind == kindFalse)
}

// choice is `if ? then : otherwise`.
type choice struct {
	span
	cond, then, otherwise node
}

func (n *choice) static() static {
	if s := n.then.static(); s == n.otherwise.static() {
		return s
	}
	return anything
}

func (n *choice) eval(ev *Event) value {
	switch truth(ev, n.cond, n.cond.eval(ev)).kind {
	case kindTrue:
		return n.then.eval(ev)
	case kindFalse:
		return n.otherwise.eval(ev)
	}
	return value{}
}

// fallback is `of ?? other`: other where of is nil.
type fallback struct {
	span
	of, other node
}

func (n *fallback) static() static {
	if s := n.of.static(); s == n.other.static() {
		return s
	}
	return anything
}

func (n *fallback) eval(ev *Event) value {
	if v := n.of.eval(ev); v.kind != kindNull {
		return v
	}
	return n.other.eval(ev)
}
