package filters

import "regexp/syntax"

// fact is something about an event that an index can look up instead of asking every filter.
type fact struct {
	of    node // *path, or *name of a text
	is    factKind
	value value // of isEqual, isElement, isPrefix, isSuffix
	kinds kinds // of isKind
	rare  bool  // of isKind: that the value is of a kind with which the filter fails
}

type factKind uint8

const (
	isEqual   factKind = iota // the value equals a constant that is not nil
	isElement                 // an array has a text among its elements, or an object among its keys
	isPrefix                  // a text begins so
	isSuffix                  // a text ends so
	isKind                    // the value is of one of the kinds; nil for what is not there
	isUnread                  // the JSON of the path's root cannot be read: true of hardly any event
)

// oneLong is the kind of texts that matches, lower and upper do not read, beside oneText for all shorter ones.
const (
	oneLong  kinds = 1 << 6
	anyText        = oneText | oneLong
	anyKinds       = allKinds | oneLong
)

// maxFacts bounds the facts that a filter is looked up by.
const maxFacts = 512

// needs returns sets of facts. Of each it holds: if none of its facts is true of an event, then the condition does not
// have the result, and it does not fail either. A filter is then found by the facts of one set. No set at all means that
// the filter must always be asked.
func needs(n node, result bool) [][]fact {
	switch n := n.(type) {
	case *constant:
		if (truth(nil, n, n.v).kind == kindTrue) != result {
			return [][]fact{{}}
		}
	case *path:
		odd := fact{of: n, is: isKind, kinds: anyKinds &^ (oneBool | oneNull), rare: true}
		if result {
			return [][]fact{{{of: n, is: isEqual, value: boolean(true)}, odd}}
		}
		return [][]fact{{{of: n, is: isKind, kinds: oneNull | oneBool}, odd}}
	case *negation:
		return needs(n.of, !result)
	case *logic:
		if n.or != result {
			return needsAll(n.terms, result)
		}
		return needsOne(n.terms, result)
	case *equality:
		of, c, ok := against(n.l, n.r)
		switch same := n.not != result; {
		case !ok:
		case same:
			return [][]fact{equals(of, c)}
		case c.kind == kindNull:
			return [][]fact{{{of: of, is: isKind, kinds: anyKinds &^ oneNull}}}
		}
	case *oneOf:
		return needsListed(n, result)
	}
	if result {
		return needsTrue(n)
	}
	return nil
}

// needsTrue is needs for conditions that are false for most values.
func needsTrue(n node) [][]fact {
	switch n := n.(type) {
	case *within:
		p, isPath := n.in.(*path)
		c, isConstant := n.of.(*constant)
		if isPath && isConstant && c.v.kind == kindText {
			return [][]fact{{{of: p, is: isElement, value: c.v}, unfit(p, oneNull|oneObject|oneArray)}}
		}
	case *textual:
		c, ok := n.r.(*constant)
		if !ok || c.v.kind != kindText || !looked(n.l) {
			return nil
		}
		is := isPrefix
		switch n.op {
		case "contains":
			return [][]fact{{{of: n.l, is: isKind, kinds: anyKinds &^ oneNull}}}
		case "endsWith":
			is = isSuffix
		}
		return [][]fact{{{of: n.l, is: is, value: c.v}, unfit(n.l, oneNull|anyText)}}
	case *pattern:
		if !looked(n.of) {
			return nil
		}
		if prefix := literalPrefix(n.re.String()); prefix != "" {
			return [][]fact{{{of: n.of, is: isPrefix, value: text(prefix)}, unfit(n.of, oneNull|oneText)}}
		}
		return [][]fact{{{of: n.of, is: isKind, kinds: anyKinds &^ oneNull}}}
	case *wildcard:
		if !looked(n.of) {
			return nil
		}
		odd := unfit(n.of, oneNull|anyText)
		first, last := n.pieces[0], n.pieces[len(n.pieces)-1]
		if len(n.pieces) == 1 {
			return [][]fact{{{of: n.of, is: isEqual, value: text(first)}, odd}}
		}
		return [][]fact{{{of: n.of, is: isPrefix, value: text(first)}, odd}, {{of: n.of, is: isSuffix, value: text(last)}, odd}}
	case *network:
		if looked(n.of) {
			return [][]fact{{{of: n.of, is: isKind, kinds: anyKinds &^ oneNull}}}
		}
	}
	return nil
}

// needsAll is for terms that must all have the result: the facts of any one will do, if those in front of it cannot fail,
// or fail by facts of their own.
func needsAll(terms []node, result bool) (out [][]fact) {
	var before []fact
	for _, t := range terms {
		for _, set := range needs(t, result) {
			if len(set)+len(before) <= maxFacts {
				out = append(out, append(append(make([]fact, 0, len(set)+len(before)), set...), before...))
			}
		}
		f, ok := conditionFails(t)
		if !ok {
			break
		}
		before = append(before, f...)
	}
	return out
}

// needsOne is for terms of which one must have the result: it takes facts of each.
func needsOne(terms []node, result bool) [][]fact {
	var out []fact
	for _, t := range terms {
		sets := needs(t, result)
		if len(sets) == 0 {
			return nil
		}
		best := sets[0]
		for _, set := range sets[1:] {
			if typical(set) < typical(best) {
				best = set
			}
		}
		if out = append(out, best...); len(out) > maxFacts {
			return nil
		}
	}
	return [][]fact{out}
}

// typical ranks sets of facts without knowing the other filters.
func typical(set []fact) (rank int) {
	for i := range set {
		switch f := &set[i]; {
		case f.is == isKind && !f.rare:
			rank += 1000
		case f.is == isPrefix || f.is == isSuffix:
			rank += 4 - min(len(f.value.text), 3)
		case f.is != isUnread:
			rank++
		}
	}
	return rank
}

func needsListed(n *oneOf, result bool) [][]fact {
	of, other := n.of, value{}
	if f, ok := of.(*fallback); ok {
		if c, ok := f.other.(*constant); ok {
			of, other = f.of, c.v
		}
	}
	if !result || !looked(of) || len(n.texts)+len(n.other) > maxFacts || other.kind != kindFault && n.has(other) {
		return nil
	}
	set := make([]fact, 0, len(n.texts)+len(n.other))
	for t := range n.texts {
		set = append(set, fact{of: of, is: isEqual, value: text(t)})
	}
	for _, v := range n.other {
		set = append(set, equals(of, v)...)
	}
	if p, ok := of.(*path); ok && len(set) == 0 { // an empty list looks at the member all the same
		set = append(set, fact{of: p, is: isUnread})
	}
	return [][]fact{set}
}

// against takes apart a comparison of what can be looked up with a constant. What is nil without a constant of its own
// (x ?? 5) is left out.
func against(l, r node) (of node, c value, ok bool) {
	if looked(r) {
		l, r = r, l
	}
	k, isConstant := r.(*constant)
	if !isConstant {
		return nil, value{}, false
	}
	if f, isFallback := l.(*fallback); isFallback {
		if other, isConstant := f.other.(*constant); isConstant && k.v.kind != kindNull && !equal(other.v, k.v) {
			l = f.of
		}
	}
	return l, k.v, looked(l)
}

// equals is the fact that something equals a constant.
func equals(of node, c value) []fact {
	if c.kind == kindNull {
		return []fact{{of: of, is: isKind, kinds: oneNull}}
	}
	return []fact{{of: of, is: isEqual, value: c}}
}

// looked says whether an index can look up a node: a path, or a variable that holds a text.
func looked(n node) bool {
	switch n := n.(type) {
	case *path:
		for i := range n.steps {
			if s := &n.steps[i]; s.isIndex && (s.index < 0 || s.index > 16) { // what is far off takes long to find
				return false
			}
		}
		return true
	case *name:
		return n.of != nameOccurredAt
	}
	return false
}

// unfit is the fact that a value is of a kind with which an operation fails.
func unfit(of node, fit kinds) fact {
	return fact{of: of, is: isKind, kinds: anyKinds &^ fit, rare: true}
}

// literalPrefix is what every text that a pattern matches begins with, as far as it is easily seen.
func literalPrefix(source string) string {
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil || re.Op != syntax.OpConcat || len(re.Sub) < 2 || re.Sub[0].Op != syntax.OpBeginText {
		return ""
	}
	if l := re.Sub[1]; l.Op == syntax.OpLiteral && l.Flags&syntax.FoldCase == 0 {
		return string(l.Rune)
	}
	return ""
}
