package filters

import (
	"math"
	"math/bits"
)

// arithmetic is +, -, *, / or % over numbers: exact for integers of 64 bits, in float64 otherwise. What would overflow
// or lose digits is a fault. / always gives a float64, as in expr.
type arithmetic struct {
	span
	op   string
	l, r node
}

func (n *arithmetic) static() static { return alwaysNumber }

func (n *arithmetic) eval(ev *Event) value {
	l := n.l.eval(ev)
	if l.kind == kindFault {
		return l
	}
	r := n.r.eval(ev)
	switch {
	case r.kind == kindFault:
		return r
	case !l.isNumber() || !r.isNumber():
		return n.fail(ev, "computes %s %s %s; arithmetic takes numbers", l.seen(), n.op, r.seen())
	case (n.op == "/" || n.op == "%") && compareNumbers(r, integer(0)) == 0:
		return n.fail(ev, "divides %s by zero", l)
	}
	var out value
	if l.kind == kindInteger && r.kind == kindInteger && n.op != "/" {
		out = integers(n.op, l.num, r.num)
	} else if n.op != "%" {
		out = floats(n.op, l, r)
	}
	if out.kind == kindFault {
		return n.fail(ev, "computes %s %s %s, which cannot be done exactly: integers have 64 bits, other numbers 15 digits", l, n.op, r)
	}
	return out
}

func integers(op string, a, b int64) value {
	switch op {
	case "+":
		if s := a + b; (s > a) == (b > 0) {
			return integer(s)
		}
	case "-":
		if d := a - b; (d < a) == (b > 0) {
			return integer(d)
		}
	case "*":
		hi, lo := bits.Mul64(magnitude(a), magnitude(b))
		if p := int64(lo); hi == 0 && lo <= math.MaxInt64 {
			if (a < 0) != (b < 0) {
				p = -p
			}
			return integer(p)
		}
	case "%":
		return integer(a % b)
	}
	return value{}
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func floats(op string, l, r value) value {
	a, okA := l.exactFloat()
	b, okB := r.exactFloat()
	if !okA || !okB {
		return value{}
	}
	var f float64
	switch op {
	case "+":
		f = a + b
	case "-":
		f = a - b
	case "*":
		f = a * b
	case "/":
		f = a / b
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return value{}
	}
	return float(f)
}

// exactFloat is a number as float64, if it is one without loss.
func (v value) exactFloat() (float64, bool) {
	switch v.kind {
	case kindInteger:
		return float64(v.num), v.num >= -exactFloat && v.num <= exactFloat
	case kindFloat:
		return v.float(), true
	}
	return 0, false
}

// negative is -x.
type negative struct {
	span
	of node
}

func (n *negative) static() static { return alwaysNumber }

func (n *negative) eval(ev *Event) value {
	v := n.of.eval(ev)
	switch v.kind {
	case kindFault:
		return v
	case kindInteger:
		if v.num == math.MinInt64 {
			return n.fail(ev, "negates %s, whose opposite has more than 64 bits", v)
		}
		return integer(-v.num)
	case kindFloat:
		return float(-v.float())
	case kindDecimal:
		v.neg = !v.neg
		return v
	}
	return n.fail(ev, "negates %s; - takes a number", v.seen())
}
