package filters

import "fmt"

// MaxCost is the most that evaluating a filter may cost in the worst case, in ns: 5 ms on one present-day core. Decoding
// the event's JSON is not in it: that happens once an event, for all filters, and takes at most 10 ms for 256 KiB.
const MaxCost = 5_000_000

// What operations cost at their dearest, in ns, on an event of 256 KiB that is made to be dear. cost_test.go builds such
// events and holds these figures against the clock: they are right within half as much again.
const (
	costPath     = 100       // a member, whatever the object's width
	costElement  = 2         // each element that an index skips
	costNode     = 10        // anything that reads no text
	costCompare  = 15_000    // two texts of 128 KiB that differ at the end
	costCount    = 450_000   // len: the characters of a text
	costScan     = 150_000   // trim
	costSearch   = 300_000   // contains, glob
	costTexts    = 600_000   // in, a constant text over an array
	costMembers  = 1_000_000 // in, anything else over an array
	costRewrite  = 40_000    // lower and upper of MaxRead bytes
	costNumeral  = 500       // int, float, time, cidr
	costPerState = 8_000     // a pattern's state over MaxRead bytes
)

// spending is what one operation may cost, and where it stands.
type spending struct {
	at   int32
	cost int
}

// spend adds to the cost.
func (c *compiler) spend(s span, cost int) {
	c.cost += cost
	c.spent = append(c.spent, spending{s.point, cost})
}

// affordable refuses a filter that may cost more than MaxCost at the clause that costs most.
func (c *compiler) affordable(root node) {
	if c.fault != nil || c.cost <= MaxCost {
		return
	}
	dearest := Part{}
	at := span{}
	for _, n := range clauses(nil, root) {
		if p := c.part(n); p.Cost > dearest.Cost {
			dearest, at = p, n.where()
		}
	}
	at.point = at.from
	c.refuse(at, "search fewer texts or arrays, or shorten the pattern",
		"the filter may cost %s on the largest event, %s of it here; at most %s are allowed", microseconds(c.cost), microseconds(dearest.Cost), microseconds(MaxCost))
}

func microseconds(ns int) string { return fmt.Sprintf("%d us", (ns+999)/1000) }

// Part is a clause of a filter, a part without and, or, not, and its share of the cost.
type Part struct {
	Text   string // as written
	Line   int    // from 1
	Column int    // from 1, in characters
	Cost   int    // in ns, see Filter.Cost
}

// part is the clause of a node with what the operations within it may cost.
func (c *compiler) part(n node) Part {
	place := bracketedIn(c.chars, n.where())
	p := Part{Text: excerptOf(c.chars, place)}
	p.Line, p.Column, _ = position(c.src, place.from)
	for _, s := range c.spent {
		if s.at >= place.from && s.at < place.to {
			p.Cost += s.cost
		}
	}
	return p
}

// clauses appends the parts below a node that and, or and not join, in the order written.
func clauses(dst []node, n node) []node {
	switch n := n.(type) {
	case *logic:
		for _, t := range n.terms {
			dst = clauses(dst, t)
		}
		return dst
	case *negation:
		return clauses(dst, n.of)
	}
	return append(dst, n)
}
