package filters

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxNeedle is how many bytes contains looks for.
const maxNeedle = 256

// textual is contains, startsWith or endsWith. nil on either side gives false.
type textual struct {
	span
	op   string
	l, r node
}

func (n *textual) static() static { return alwaysBool }

func (n *textual) eval(ev *Event) value {
	l := n.l.eval(ev)
	if l.kind == kindFault {
		return l
	}
	r := n.r.eval(ev)
	switch {
	case r.kind == kindFault:
		return r
	case l.kind == kindNull || r.kind == kindNull:
		return value{kind: kindFalse}
	case l.kind != kindText && l.kind == kindArray && n.op == "contains":
		return n.fail(ev, "searches %s (an array); for an element write `%s in ...`", l, r)
	case l.kind != kindText:
		return n.fail(ev, "searches %s; %s takes strings", l.seen(), n.op)
	case r.kind != kindText:
		return n.fail(ev, "looks for %s; %s takes strings", r.seen(), n.op)
	}
	switch n.op {
	case "contains":
		if len(r.text) > maxNeedle {
			return n.fail(ev, "looks for a string of %d bytes; contains takes at most %d", len(r.text), maxNeedle)
		}
		return boolean(strings.Contains(l.text, r.text))
	case "startsWith":
		return boolean(strings.HasPrefix(l.text, r.text))
	}
	return boolean(strings.HasSuffix(l.text, r.text))
}

// MaxRead is how many bytes of a string matches, lower and upper read; a longer string is an error.
const MaxRead = 2048

// pattern is matches.
type pattern struct {
	span
	of node
	re *regexp.Regexp
}

func (n *pattern) static() static { return alwaysBool }

func (n *pattern) eval(ev *Event) value {
	v := n.of.eval(ev)
	switch {
	case v.kind == kindFault:
		return v
	case v.kind == kindNull:
		return value{kind: kindFalse}
	case v.kind != kindText:
		return n.fail(ev, "is tried on %s; matches takes a string", v.seen())
	case len(v.text) > MaxRead:
		return n.fail(ev, "is tried on %d bytes; matches reads strings of at most %d, longer ones can be searched with contains", len(v.text), MaxRead)
	}
	return boolean(n.re.MatchString(v.text))
}

// call is one of the functions.
type call struct {
	span
	function *function
	of       node
}

func (n *call) static() static { return n.function.gives }

func (n *call) eval(ev *Event) value {
	v := n.of.eval(ev)
	if v.kind == kindFault {
		return v
	}
	if out := n.function.apply(v); out.kind != kindFault {
		return out
	}
	return n.fail(ev, "is given %s; %s takes %s", v.seen(), n.function.name, n.function.takes)
}

// function is a function of one argument. apply gives a fault for a value that it does not take.
type function struct {
	name  string
	takes string
	gives static
	cost  int
	apply func(value) value
}

var functions = map[string]*function{
	"len":   {"len", "a string, an array or an object", alwaysNumber, costCount, length},
	"lower": {"lower", "a string of at most 2048 bytes", alwaysText, costRewrite, func(v value) value { return rewrite(v, strings.ToLower) }},
	"upper": {"upper", "a string of at most 2048 bytes", alwaysText, costRewrite, func(v value) value { return rewrite(v, strings.ToUpper) }},
	"trim":  {"trim", "a string", alwaysText, costScan, trim},
	"int":   {"int", "a number that is an integer of 64 bits, or its decimal digits in a string", alwaysNumber, costNumeral, toInt},
	"float": {"float", "a number, or one in a string", alwaysNumber, costNumeral, toNumber},
}

func length(v value) value {
	switch v.kind {
	case kindText:
		return integer(int64(utf8.RuneCountInString(v.text)))
	case kindArray, kindObject:
		return integer(int64(v.doc.nodes[v.at].count()))
	}
	return value{}
}

func rewrite(v value, how func(string) string) value {
	if v.kind != kindText || len(v.text) > MaxRead {
		return value{}
	}
	return text(how(v.text))
}

func trim(v value) value {
	if v.kind != kindText {
		return value{}
	}
	return text(strings.TrimSpace(v.text))
}

func toInt(v value) value {
	if v = toNumber(v); v.kind == kindFloat {
		if f := v.float(); f > -exactFloat && f < exactFloat {
			return integer(int64(f))
		}
	}
	if v.kind != kindInteger {
		return value{}
	}
	return v
}

// toNumber reads a numeral as JSON would.
func toNumber(v value) value {
	if v.kind == kindText && v.text != "" && len(v.text) <= maxNumeral {
		d := decoder{src: v.text}
		if c := v.text[0]; (c == '-' || '0' <= c && c <= '9') && d.number() == nil && d.pos == len(v.text) {
			return parseNumber(v.text)
		}
	}
	if !v.isNumber() {
		return value{}
	}
	return v
}
