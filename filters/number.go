package filters

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// JSON numbers are decimals, and compare as such. Three forms keep that cheap: an integral number that fits is an int64;
// one of at most 15 digits is a float64, where decimals of that length are distinct and in order; any other keeps its
// digits d and an exponent e, meaning 0.d * 10^e.

const (
	floatDigits   = 15  // every decimal of so many digits has a float64 of its own
	floatExponent = 300 // and this far from the ends of its range
	exactFloat    = 1 << 53
)

// maxNumeral is how many bytes of a number are read: comparing must not cost what an endless number would.
const maxNumeral = 128

// parseNumber reads a JSON number. One of more than maxNumeral bytes or with an exponent of more than 9 digits is not
// read: a fault.
func parseNumber(s string) value {
	if n, ok := parseInteger(s); ok {
		return integer(n)
	}
	if v, ok := parseShort(s); ok {
		return v
	}
	if len(s) > maxNumeral {
		return value{}
	}
	v, ok := parseDecimal(s)
	if !ok {
		return value{}
	}
	digits := int64(len(v.text))
	switch {
	case digits == 0:
		return integer(0)
	case v.num >= digits && v.num <= 19: // integral, and perhaps an int64
		whole := v.text + strings.Repeat("0", int(v.num-digits))
		if v.neg {
			whole = "-" + whole
		}
		if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
			return integer(n)
		}
	case digits <= floatDigits && v.num < floatExponent && v.num > -floatExponent:
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return float(f)
		}
	}
	return v
}

// float makes a number of a finite float64. An integral one is an integer where it fits, so that equal numbers have
// equal forms.
func float(f float64) value {
	if f == math.Trunc(f) && f >= -1<<63 && f < 1<<63 {
		return integer(int64(f))
	}
	return value{kind: kindFloat, num: int64(math.Float64bits(f))}
}

func (v value) float() float64 { return math.Float64frombits(uint64(v.num)) }

// parseInteger reads up to 18 digits without point and exponent.
func parseInteger(s string) (n int64, ok bool) {
	i := 0
	if s[0] == '-' {
		i = 1
	}
	if len(s)-i > 18 {
		return 0, false
	}
	for ; i < len(s); i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	if s[0] == '-' {
		n = -n
	}
	return n, true
}

// powers of ten that a float64 holds exactly.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// parseShort reads a number of at most 15 bytes whose value is below 2^53, as most fractions are: a product or quotient
// of two exact float64 is the nearest one. ok is false for what it leaves to parseDecimal.
func parseShort(s string) (v value, ok bool) {
	if len(s) > floatDigits {
		return v, false
	}
	i, fraction, point := 0, 0, false
	if s[0] == '-' {
		i = 1
	}
	digits := int64(0)
	for ; i < len(s); i++ {
		if c := s[i] - '0'; c <= 9 {
			digits = digits*10 + int64(c)
			if point {
				fraction++
			}
		} else if s[i] == '.' {
			point = true
		} else {
			break
		}
	}
	scale, ok := exponent(s[i:])
	if scale -= fraction; !ok || scale <= -len(powers) || scale >= len(powers) {
		return v, false
	}
	if s[0] == '-' {
		digits = -digits
	}
	if scale <= 0 {
		return float(float64(digits) / powers[-scale]), true
	}
	f := float64(digits) * powers[scale]
	return float(f), f > -exactFloat && f < exactFloat
}

// exponent reads nothing, or an exponent of at most two digits.
func exponent(s string) (n int, ok bool) {
	if s == "" {
		return 0, true
	}
	s = s[1:] // the e
	negative := s[0] == '-'
	if negative || s[0] == '+' {
		s = s[1:]
	}
	if len(s) > 2 {
		return 0, false
	}
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// parseDecimal reads a number in the decimal form: no zero at either end of the digits. Zero has no digits.
func parseDecimal(s string) (v value, ok bool) {
	v.kind = kindDecimal
	s, v.neg = strings.CutPrefix(s, "-")
	if e := strings.IndexAny(s, "eE"); e >= 0 {
		exp := strings.TrimLeft(s[e+1:], "+")
		if len(exp) > 10 {
			return v, false
		}
		n, err := strconv.ParseInt(exp, 10, 64)
		if err != nil {
			return v, false
		}
		v.num, s = n, s[:e]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	whole = strings.TrimLeft(whole, "0")
	v.num += int64(len(whole))
	v.text = whole + fraction
	if whole == "" {
		v.text = strings.TrimLeft(fraction, "0")
		v.num -= int64(len(fraction) - len(v.text))
	}
	v.text = strings.TrimRight(v.text, "0")
	if v.text == "" {
		v.neg, v.num = false, 0
	}
	return v, true
}

// numeralIs says whether a JSON number equals v, a number in the decimal form, digit by digit: reading a number costs
// several times as much, and an array may hold 100 000. ok is false when it cannot be told because it cannot be read.
func numeralIs(s string, v value) (equals, ok bool) {
	if len(s) > maxNumeral {
		n := parseNumber(s)
		return n.kind != kindFault && compareNumbers(n, v) == 0, n.kind != kindFault
	}
	i, same, point, exp := 0, 0, false, int64(0)
	negative := s[0] == '-'
	if negative {
		i = 1
	}
	for ; i < len(s) && s[i]|0x20 != 'e'; i++ {
		switch c := s[i]; {
		case c == '.':
			point = true
			continue
		case same == 0 && c == '0': // before the first digit that counts
			if point {
				exp--
			}
			continue
		case same < len(v.text) && c == v.text[same]:
			same++
		case same < len(v.text) || same == 0 || c != '0':
			return false, true
		}
		if !point {
			exp++
		}
	}
	if same == 0 || same < len(v.text) || negative != v.neg {
		return same == 0 && v.text == "", true
	}
	if i++; i < len(s) {
		shift, err := strconv.ParseInt(strings.TrimPrefix(s[i:], "+"), 10, 64)
		if err != nil {
			return false, false
		}
		exp += shift
	}
	return exp == v.num, true
}

// compareNumbers orders two numbers by their value.
func compareNumbers(a, b value) int {
	switch {
	case a.kind == kindInteger && b.kind == kindInteger:
		return cmp.Compare(a.num, b.num)
	case a.kind == kindFloat && b.kind == kindFloat:
		return cmp.Compare(a.float(), b.float())
	case a.kind == kindInteger && b.kind == kindFloat:
		return compareMixed(a.num, b.float())
	case a.kind == kindFloat && b.kind == kindInteger:
		return -compareMixed(b.num, a.float())
	}
	return compareDecimals(a.decimal(), b.decimal())
}

// compareMixed orders an int64 and a finite float64 exactly.
func compareMixed(n int64, f float64) int {
	switch {
	case f >= 1<<63:
		return -1
	case f < -1<<63:
		return 1
	}
	whole := math.Trunc(f)
	if c := cmp.Compare(n, int64(whole)); c != 0 {
		return c
	}
	return -cmp.Compare(f, whole)
}

// decimal is a number in the decimal form.
func (v value) decimal() value {
	var s string
	switch v.kind {
	case kindInteger:
		s = strconv.FormatInt(v.num, 10)
	case kindFloat:
		s = strconv.FormatFloat(v.float(), 'e', -1, 64)
	default:
		return v
	}
	d, _ := parseDecimal(s)
	return d
}

func compareDecimals(a, b value) int {
	if c := cmp.Compare(a.sign(), b.sign()); c != 0 || a.sign() == 0 {
		return c
	}
	c := cmp.Compare(a.num, b.num)
	if c == 0 {
		c = strings.Compare(a.text, b.text)
	}
	return c * a.sign()
}

func (v value) sign() int {
	switch {
	case v.text == "":
		return 0
	case v.neg:
		return -1
	}
	return 1
}
