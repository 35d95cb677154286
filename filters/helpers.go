package filters

import (
	"net/netip"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
)

// Functions beside those of expr, chosen because filters need them and nothing else in the language says the same: has
// tells a null from nothing, glob is what people mean by *.example.com, cidr asks whether an address is in a network, time
// reads the times that events hold. There is none for versions (semver): no event of the providers at hand has any.

// special are the functions that want more of their arguments than a value.
func (c *compiler) special(s span, word string, arguments []ast.Node) (n node, ok bool) {
	switch word {
	case "has":
		return c.has(s, arguments), true
	case "glob":
		return c.glob(s, arguments), true
	case "cidr":
		return c.cidr(s, arguments), true
	case "time":
		return c.timeOf(s, arguments), true
	}
	return nil, false
}

// presence is has(path): whether a member is there, be it null.
type presence struct {
	span
	of *path
}

func (n *presence) static() static { return alwaysBool }

func (n *presence) eval(ev *Event) value {
	d, err := ev.document(n.of.root)
	if err != nil {
		return n.fail(ev, "%s", err)
	}
	_, ok := n.of.find(d)
	return boolean(ok)
}

func (c *compiler) has(s span, arguments []ast.Node) node {
	if len(arguments) == 1 {
		if p, ok := c.node(arguments[0]).(*path); ok && len(p.steps) > 0 {
			return &presence{c.upTo(s.join(p.span), ')'), p}
		}
	}
	return c.refuse(s, "write has(data.zone.name); for a whole one write actor != nil", "has takes one member of data, actor or metadata")
}

// wildcard is glob(of, pattern). Its pieces are what stands between the stars.
type wildcard struct {
	span
	of     node
	pieces []string // at least one
}

func (n *wildcard) static() static { return alwaysBool }

func (n *wildcard) eval(ev *Event) value {
	v := n.of.eval(ev)
	switch v.kind {
	case kindFault:
		return v
	case kindNull:
		return value{kind: kindFalse}
	case kindText:
		return boolean(n.fits(v.text))
	}
	return n.fail(ev, "is tried on %s; glob takes a string", v.seen())
}

// fits reads the text once: every piece is looked for behind the one before it.
func (n *wildcard) fits(s string) bool {
	last := len(n.pieces) - 1
	if last == 0 {
		return s == n.pieces[0]
	}
	s, ok := strings.CutPrefix(s, n.pieces[0])
	if !ok {
		return false
	}
	for _, p := range n.pieces[1:last] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, n.pieces[last])
}

func (c *compiler) glob(s span, arguments []ast.Node) node {
	const usage = `write glob(data.zone.name, "*.example.com"): * stands for any characters, or none`
	if len(arguments) != 2 {
		return c.refuse(s, usage, "glob takes a string and a constant pattern")
	}
	of := c.node(arguments[0])
	pattern, ok := arguments[1].(*ast.StringNode)
	if !ok {
		return c.refuse(c.span(arguments[1]), usage, "patterns are not made at run time")
	}
	if k := of.static(); k != anything && k != alwaysText {
		return c.refuse(of.where(), usage, "glob takes a string, not %s", k)
	}
	if n := len(pattern.Value); n > MaxPattern {
		return c.refuse(c.span(pattern), "", "the pattern has %d bytes; at most %d are allowed", n, MaxPattern)
	}
	c.spend(s, costSearch)
	return &wildcard{c.upTo(s.join(of.where()).join(c.span(pattern)), ')'), of, strings.Split(pattern.Value, "*")}
}

// network is cidr(of, prefixes).
type network struct {
	span
	of       node
	prefixes []netip.Prefix
}

func (n *network) static() static { return alwaysBool }

// eval is false for a text that is no address: it is in no network.
func (n *network) eval(ev *Event) value {
	v := n.of.eval(ev)
	switch v.kind {
	case kindFault:
		return v
	case kindNull:
		return value{kind: kindFalse}
	case kindText:
	default:
		return n.fail(ev, "is tried on %s; cidr takes a string", v.seen())
	}
	if len(v.text) > maxNumeral {
		return value{kind: kindFalse}
	}
	a, err := netip.ParseAddr(v.text)
	if err != nil {
		return value{kind: kindFalse}
	}
	a = a.Unmap().WithZone("")
	for _, p := range n.prefixes {
		if p.Contains(a) {
			return value{kind: kindTrue}
		}
	}
	return value{kind: kindFalse}
}

func (c *compiler) cidr(s span, arguments []ast.Node) node {
	const usage = `write cidr(data.record.content, "192.0.2.0/24", "2001:db8::/32")`
	if len(arguments) < 2 {
		return c.refuse(s, usage, "cidr takes an address and one or more constant networks")
	}
	of := c.node(arguments[0])
	if k := of.static(); k != anything && k != alwaysText {
		return c.refuse(of.where(), usage, "cidr takes a string, not %s", k)
	}
	out := &network{span: s.join(of.where()), of: of}
	for _, a := range arguments[1:] {
		text, ok := a.(*ast.StringNode)
		if !ok {
			return c.refuse(c.span(a), usage, "a network is a constant string")
		}
		p, err := netip.ParsePrefix(text.Value)
		if single, addrErr := netip.ParseAddr(text.Value); err != nil && addrErr == nil && single.Zone() == "" {
			p, err = netip.PrefixFrom(single.Unmap(), single.Unmap().BitLen()), nil
		}
		if err != nil || p.Addr().Is4In6() {
			return c.refuse(c.span(a), usage, "%s is no network", cut(text.Value))
		}
		out.prefixes = append(out.prefixes, p)
		out.span = out.span.join(c.span(a))
	}
	c.spend(s, costNumeral+costNode*len(out.prefixes))
	out.span = c.upTo(out.span, ')')
	return out
}

// timeOf is time(of), in Unix ms.
type timeOf struct {
	span
	of node
}

func (n *timeOf) static() static { return alwaysTime }

func (n *timeOf) eval(ev *Event) value {
	v := n.of.eval(ev)
	switch v.kind {
	case kindFault, kindNull:
		return v
	case kindText:
		if t, ok := parseTime(v.text); ok {
			return integer(t.UnixMilli())
		}
	}
	return n.fail(ev, "is given %s; time takes an RFC 3339 time or a date in a string", v.seen())
}

// parseTime reads an RFC 3339 time, or a date, which means its first moment in UTC.
func parseTime(s string) (time.Time, bool) {
	if len(s) <= maxNumeral {
		for _, layout := range [...]string{time.RFC3339Nano, time.DateOnly} {
			if t, err := time.Parse(layout, s); err == nil {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

func (c *compiler) timeOf(s span, arguments []ast.Node) node {
	if len(arguments) != 1 {
		return c.refuse(s, "write time(data.expires_at)", "time takes one value, not %d", len(arguments))
	}
	of := c.node(arguments[0])
	if k := of.static(); k != anything && k != alwaysText {
		return c.refuse(of.where(), "write time(data.expires_at)", "time takes a string, not %s", k)
	}
	c.spend(s, 4*costNumeral)
	return &timeOf{c.upTo(s.join(of.where()), ')'), of}
}
