package filters

// conditionFails returns facts of which one is true of every event that a node, read as a condition, fails on; ok is
// false when there is no telling.
func conditionFails(n node) (facts []fact, ok bool) {
	facts, ok = fails(n)
	switch {
	case !ok:
	case n.static() == alwaysBool || n.static() == alwaysNull:
	default:
		p, isPath := n.(*path)
		if !isPath || !looked(p) {
			return nil, false
		}
		facts = append(facts, unfit(p, oneBool|oneNull))
	}
	return facts, ok
}

// fails is the same for a node that is read as a value.
func fails(n node) (facts []fact, ok bool) {
	for _, b := range below(n) {
		var f []fact
		switch n.(type) {
		case *logic, *negation:
			f, ok = conditionFails(b)
		default:
			f, ok = fails(b)
		}
		if !ok {
			return nil, false
		}
		facts = append(facts, f...)
	}
	own, ok := failsItself(n)
	return append(facts, own...), ok
}

// failsItself is about a node whose parts do not fail.
func failsItself(n node) ([]fact, bool) {
	switch n := n.(type) {
	case *constant, *moment, *name, *logic, *negation, *presence, *fallback, *oneOf:
		return nil, true
	case *path:
		return []fact{{of: n, is: isUnread}}, looked(n)
	case *equality:
		if !mayContain(n.l) || !mayContain(n.r) {
			return nil, true
		}
		p, ok := n.l.(*path)
		return []fact{{of: p, is: isKind, kinds: oneObject | oneArray, rare: true}}, ok
	case *order:
		if n.l.static() == alwaysTime && n.r.static() == alwaysTime {
			return nil, true
		}
		return ordering(n)
	case *within:
		p, isPath := n.in.(*path)
		c, isConstant := n.of.(*constant)
		fit := oneNull | oneArray
		if isConstant && (c.v.kind == kindText || c.v.kind == kindNull) {
			fit |= oneObject
		}
		return []fact{unfit(p, fit)}, isPath && isConstant
	case *textual:
		if _, ok := n.r.(*path); ok && n.op == "contains" { // may be too long to look for
			return nil, false
		}
		return each(oneNull|anyText, n.l, n.r)
	case *pattern:
		return each(oneNull|oneText, n.of)
	case *wildcard:
		return each(oneNull|anyText, n.of)
	case *network:
		return each(oneNull|anyText, n.of)
	case *call:
		switch n.function.name {
		case "lower", "upper":
			return each(oneText, n.of)
		case "trim":
			return each(anyText, n.of)
		case "len":
			return each(anyText|oneObject|oneArray, n.of)
		}
	}
	return nil, false
}

// ordering is about <, <=, > and >= between a path, or its default, and a constant.
func ordering(n *order) (facts []fact, ok bool) {
	fit := kinds(0)
	for _, side := range []node{n.l, n.r} {
		switch side.static() {
		case alwaysNumber:
			fit = oneNumber
		case alwaysText:
			fit = anyText
		}
	}
	if fit == 0 {
		return nil, false
	}
	for _, side := range []node{n.l, n.r} {
		allowed := fit
		if f, ok := side.(*fallback); ok {
			if c, ok := f.other.(*constant); ok && c.v.one()&fit != 0 {
				side, allowed = f.of, fit|oneNull
			}
		}
		switch p, isPath := side.(*path); {
		case isPath && looked(p):
			facts = append(facts, unfit(p, allowed))
		case side.static() == alwaysNumber && fit == oneNumber, side.static() == alwaysText && fit == anyText:
		default:
			return nil, false
		}
	}
	return facts, true
}

// each says of nodes that must be of a kind when they are not: paths may be anything, other nodes are known to fit or
// not known.
func each(fit kinds, nodes ...node) (facts []fact, ok bool) {
	for _, n := range nodes {
		switch n := n.(type) {
		case *path:
			if !looked(n) {
				return nil, false
			}
			facts = append(facts, unfit(n, fit))
		case *constant, *name: // of the right kind, or it would not have been compiled, and never long
		default:
			if n.static() != alwaysText || fit&oneLong == 0 {
				return nil, false
			}
		}
	}
	return facts, true
}

// mayContain says whether a node's value may be an object or an array.
func mayContain(n node) bool {
	switch n := n.(type) {
	case *path:
		return true
	case *fallback:
		return mayContain(n.of) || mayContain(n.other)
	case *choice:
		return mayContain(n.then) || mayContain(n.otherwise)
	}
	return false
}
