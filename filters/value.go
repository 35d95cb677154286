package filters

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is what a value is. Those up to kindArray are also the kinds of JSON nodes, in four bits.
type kind uint8

const (
	kindFault kind = iota // evaluation failed; Event.fault says why
	kindNull
	kindFalse
	kindTrue
	kindNumber // of a JSON node; a value has one of the three last kinds instead
	kindText
	kindObject
	kindArray
	kindInteger // int64
	kindFloat   // float64 of a decimal of at most 15 digits, or a result of arithmetic
	kindDecimal // any other number, see parseNumber
)

// value is the result of an evaluation. It points into the event and is good as long as that.
type value struct {
	kind kind
	neg  bool      // of a decimal
	at   int32     // node of an object or array
	num  int64     // integer, bits of a float, exponent of a decimal
	text string    // of a text; the digits of a decimal
	doc  *document // of an object or array
}

func boolean(b bool) value {
	if b {
		return value{kind: kindTrue}
	}
	return value{kind: kindFalse}
}

func integer(n int64) value { return value{kind: kindInteger, num: n} }

func text(s string) value { return value{kind: kindText, text: s} }

func (d *document) value(at int32) value {
	n := d.nodes[at]
	switch k := n.kind(); k {
	case kindText:
		return value{kind: kindText, text: d.text(at)}
	case kindNumber:
		return parseNumber(d.src[n.start:n.end])
	case kindObject, kindArray:
		return value{kind: k, at: at, doc: d}
	default:
		return value{kind: k}
	}
}

func (v value) isNumber() bool { return v.kind >= kindInteger }

func (v value) isBool() bool { return v.kind == kindTrue || v.kind == kindFalse }

func (v value) isContainer() bool { return v.kind == kindObject || v.kind == kindArray }

// maxShown is how many bytes of a value a message shows.
const maxShown = 60

// String shows a value to people, cut to maxShown bytes.
func (v value) String() string {
	switch v.kind {
	case kindFault:
		return "an error"
	case kindNull:
		return "nil"
	case kindFalse:
		return "false"
	case kindTrue:
		return "true"
	case kindText:
		if s := cut(v.text); len(s) < len(v.text) {
			return strconv.Quote(s) + "..."
		}
		return strconv.Quote(v.text)
	case kindObject, kindArray:
		n := v.doc.nodes[v.at]
		if s := cut(v.doc.src[n.start:n.end]); len(s) < int(n.end-n.start) {
			return s + "..."
		}
		return v.doc.src[n.start:n.end]
	case kindInteger:
		return strconv.FormatInt(v.num, 10)
	case kindFloat:
		return strconv.FormatFloat(v.float(), 'g', -1, 64)
	}
	return v.numeral()
}

// numeral writes a decimal: in full if that is short.
func (v value) numeral() string {
	sign := ""
	if v.neg {
		sign = "-"
	}
	if zeros := v.num - int64(len(v.text)); zeros >= 0 && v.num <= maxShown {
		return sign + v.text + strings.Repeat("0", int(zeros))
	}
	return fmt.Sprintf("%s0.%se%d", sign, cut(v.text), v.num)
}

func cut(s string) string {
	if len(s) <= maxShown {
		return s
	}
	n := maxShown
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.ToValidUTF8(s[:n], "\uFFFD")
}

// seen is a value and what it is.
func (v value) seen() string {
	if v.kind == kindNull {
		return "nil"
	}
	return v.String() + " (" + v.what() + ")"
}

// what names a value's kind in a sentence.
func (v value) what() string {
	switch v.kind {
	case kindNull:
		return "nil"
	case kindFalse, kindTrue:
		return "a boolean"
	case kindText:
		return "a string"
	case kindObject:
		return "an object"
	case kindArray:
		return "an array"
	}
	return "a number"
}
