package filters

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// document is decoded JSON as one flat list of nodes in source order: a container is followed by its members (key and
// value in turn for an object), next leads past them. Strings and numbers stay in the source until somebody looks.
type document struct {
	src   string
	nodes []jsonNode
	plain map[int32]string    // strings that had escapes, once looked at
	wide  map[int32]*keyIndex // of objects with many members, once looked into

	unread bool // it holds a number that may not be read, see parseNumber
}

type jsonNode struct {
	start, end uint32 // in src; of a string without its quotes
	next       int32  // index past this value
	meta       uint32 // kind, escaped, and the number of elements or members
}

const (
	metaKind    = 0xf
	metaEscaped = 0x10
	metaCount   = 8 // shift
	maxCount    = 1<<(32-metaCount) - 1
)

// wideObject is beyond how many members an object gets an index.
const wideObject = 32

func (n jsonNode) kind() kind { return kind(n.meta & metaKind) }
func (n jsonNode) count() int { return int(n.meta >> metaCount) }

// member returns the value under a key: the first one, should a key repeat.
func (d *document) member(object int32, key string) (at int32, ok bool) {
	n := d.nodes[object]
	if n.count() > wideObject {
		at = d.index(object).find(d, key)
		return at + 1, at != 0
	}
	for i := object + 1; i < n.next; i = d.nodes[i+1].next {
		if d.textIs(i, key) {
			return i + 1, true
		}
	}
	return 0, false
}

// textIs compares a string without keeping it unescaped: an array of many must not cost memory.
func (d *document) textIs(at int32, s string) bool {
	n := d.nodes[at]
	if n.meta&metaEscaped != 0 {
		return escapedIs(d.src[n.start:n.end], s)
	}
	return d.src[n.start:n.end] == s
}

// has says whether an array has an element equal to v; ok is false when it meets a number that cannot be read.
func (d *document) has(array int32, v value) (found, ok bool) {
	if v.isNumber() {
		v = v.decimal()
	}
	for i, end := array+1, d.nodes[array].next; i < end; i = d.nodes[i].next {
		switch k := d.nodes[i].kind(); k {
		case kindText:
			found = v.kind == kindText && d.textIs(i, v.text)
		case kindNumber:
			if v.isNumber() {
				n := d.nodes[i]
				if found, ok = numeralIs(d.src[n.start:n.end], v); !ok {
					return false, false
				}
			}
		case kindObject, kindArray: // equal to nothing
		default:
			found = k == v.kind
		}
		if found {
			return true, true
		}
	}
	return false, true
}

func (d *document) index(object int32) *keyIndex {
	x, ok := d.wide[object]
	if !ok {
		if d.wide == nil {
			d.wide = map[int32]*keyIndex{}
		}
		x = newKeyIndex(d, object)
		d.wide[object] = x
	}
	return x
}

// element returns the value at an index, counted from the end if negative.
func (d *document) element(array int32, index int) (at int32, ok bool) {
	n := d.nodes[array]
	if index < 0 {
		index += n.count()
	}
	if index < 0 || index >= n.count() {
		return 0, false
	}
	at = array + 1
	for ; index > 0; index-- {
		at = d.nodes[at].next
	}
	return at, true
}

// text is a string without its escapes.
func (d *document) text(at int32) string {
	n := d.nodes[at]
	raw := d.src[n.start:n.end]
	if n.meta&metaEscaped == 0 {
		return raw
	}
	if s, ok := d.plain[at]; ok {
		return s
	}
	if d.plain == nil {
		d.plain = map[int32]string{}
	}
	s := string(unescape(nil, raw))
	d.plain[at] = s
	return s
}

// unescape appends a string without its escapes, which decode has checked. A lone surrogate becomes U+FFFD, as in
// encoding/json.
func unescape(dst []byte, raw string) []byte {
	for {
		i := strings.IndexByte(raw, '\\')
		if i < 0 {
			return append(dst, raw...)
		}
		dst, raw = unescapeOne(append(dst, raw[:i]...), raw[i:])
	}
}

// escapedIs says whether a string with escapes is s.
func escapedIs(raw, s string) bool {
	if len(raw) > 6*len(s) || len(raw) < len(s) { // an escape of six bytes stands for at least one
		return false
	}
	var room [utf8.UTFMax]byte
	for {
		i := strings.IndexByte(raw, '\\')
		if i < 0 {
			return raw == s
		}
		if len(s) < i || raw[:i] != s[:i] {
			return false
		}
		var one []byte
		one, raw = unescapeOne(room[:0], raw[i:])
		if s = s[i:]; len(s) < len(one) || s[:len(one)] != string(one) {
			return false
		}
		s = s[len(one):]
	}
}

// unescapeOne appends what the escape at the beginning of raw stands for, and returns what is behind it.
func unescapeOne(dst []byte, raw string) ([]byte, string) {
	c := raw[1]
	raw = raw[2:]
	if c != 'u' {
		return append(dst, escapes[c]), raw
	}
	r := hex4(raw)
	raw = raw[4:]
	if utf16.IsSurrogate(r) {
		pair := rune(utf8.RuneError)
		if len(raw) >= 6 && raw[0] == '\\' && raw[1] == 'u' {
			pair = utf16.DecodeRune(r, hex4(raw[2:]))
		}
		if r = pair; r != utf8.RuneError {
			raw = raw[6:]
		}
	}
	return utf8.AppendRune(dst, r), raw
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func hex4(s string) (r rune) {
	for i := range 4 {
		c := s[i]
		switch {
		case c <= '9':
			c -= '0'
		default:
			c = c&^0x20 - 'A' + 10
		}
		r = r<<4 | rune(c)
	}
	return r
}
