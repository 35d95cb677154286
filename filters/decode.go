package filters

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// maxDepth is how deep JSON may nest. The engine refuses more than 64 when an event is published.
const maxDepth = 512

var errTooDeep = fmt.Errorf("nests deeper than %d", maxDepth)

// decode reads one JSON value (RFC 8259) in a single pass, without recursion: what nests deep costs a list, not a stack.
func decode(src string) (*document, error) {
	if len(src) > math.MaxInt32 {
		return nil, errors.New("is larger than 2 GiB")
	}
	// One allocation: no document has more nodes than this, and only strings full of punctuation have far fewer.
	most := 1 + strings.Count(src, ",") + strings.Count(src, ":") + strings.Count(src, "[") + strings.Count(src, "{")
	d := decoder{src: src, nodes: make([]jsonNode, 0, most), open: make([]int32, 0, 16)}
	if err := d.value(); err != nil {
		return nil, fmt.Errorf("at byte %d: %w", d.pos, err)
	}
	return &document{src: src, nodes: d.nodes, unread: d.unread}, nil
}

type decoder struct {
	src   string
	pos   int
	nodes []jsonNode
	open  []int32 // containers not closed yet

	unread bool
}

var (
	errEnd     = errors.New("ends too early")
	errValue   = errors.New("want a value")
	errKey     = errors.New("want a member's name")
	errColon   = errors.New("want a colon")
	errComma   = errors.New("want a comma or the container's end")
	errMore    = errors.New("goes on after its end")
	errControl = errors.New("has a control character in a string")
	errEscape  = errors.New("has an unknown escape in a string")
	errNumber  = errors.New("has a malformed number")
	errCount   = errors.New("has too many members")
)

// value reads the one value of a document and all within.
func (d *decoder) value() error {
	for {
		c := d.peek()
		if c == '{' || c == '[' {
			entered, err := d.enter(c)
			if err != nil {
				return err
			}
			if entered {
				continue
			}
		} else if err := d.scalar(c); err != nil {
			return err
		}
		done, err := d.leave()
		if done || err != nil {
			return err
		}
	}
}

// enter opens a container. entered is false when it is empty: then it is closed already.
func (d *decoder) enter(c byte) (entered bool, err error) {
	if len(d.open) == maxDepth {
		return false, errTooDeep
	}
	kind, end := kindArray, byte(']')
	if c == '{' {
		kind, end = kindObject, '}'
	}
	at := int32(len(d.nodes))
	d.nodes = append(d.nodes, jsonNode{start: uint32(d.pos), meta: uint32(kind)})
	d.pos++
	if d.peek() == end {
		d.pos++
		d.nodes[at].next, d.nodes[at].end = at+1, uint32(d.pos)
		return false, nil
	}
	d.open = append(d.open, at)
	if kind == kindObject {
		return true, d.key()
	}
	return true, nil
}

// leave comes after a value: it goes on to the next one, closing what ends here. done means the document has ended.
func (d *decoder) leave() (done bool, err error) {
	for len(d.open) > 0 {
		at := d.open[len(d.open)-1]
		n := &d.nodes[at]
		if n.count() == maxCount {
			return false, errCount
		}
		n.meta += 1 << metaCount
		end := byte(']')
		if n.kind() == kindObject {
			end = '}'
		}
		switch c := d.peek(); {
		case c == ',':
			d.pos++
			if end == '}' {
				return false, d.key()
			}
			return false, nil
		case c != end:
			return false, d.orEnd(errComma)
		}
		d.pos++
		n.next, n.end = int32(len(d.nodes)), uint32(d.pos)
		d.open = d.open[:len(d.open)-1]
	}
	if d.peek(); d.pos < len(d.src) {
		return false, errMore
	}
	return true, nil
}

// peek skips space and returns the next byte, 0 at the end.
func (d *decoder) peek() byte {
	for d.pos < len(d.src) {
		switch c := d.src[d.pos]; c {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return c
		}
	}
	return 0
}

func (d *decoder) orEnd(err error) error {
	if d.pos >= len(d.src) {
		return errEnd
	}
	return err
}

func (d *decoder) key() error {
	if d.peek() != '"' {
		return d.orEnd(errKey)
	}
	if err := d.string(); err != nil {
		return err
	}
	if d.peek() != ':' {
		return d.orEnd(errColon)
	}
	d.pos++
	return nil
}

func (d *decoder) scalar(c byte) error {
	switch {
	case c == '"':
		return d.string()
	case c == '-' || '0' <= c && c <= '9':
		return d.number()
	case c == 't':
		return d.word("true", kindTrue)
	case c == 'f':
		return d.word("false", kindFalse)
	case c == 'n':
		return d.word("null", kindNull)
	}
	return d.orEnd(errValue)
}

func (d *decoder) add(start, end int, meta uint32) {
	d.nodes = append(d.nodes, jsonNode{start: uint32(start), end: uint32(end), next: int32(len(d.nodes) + 1), meta: meta})
}

func (d *decoder) word(w string, k kind) error {
	if len(d.src)-d.pos < len(w) || d.src[d.pos:d.pos+len(w)] != w {
		return d.orEnd(errValue)
	}
	d.add(d.pos, d.pos+len(w), uint32(k))
	d.pos += len(w)
	return nil
}

func (d *decoder) string() error {
	start := d.pos + 1
	meta := uint32(kindText)
	for i := start; i < len(d.src); i++ {
		for i < len(d.src) && plainByte[d.src[i]] {
			i++
		}
		if i == len(d.src) {
			break
		}
		switch d.src[i] {
		case '"':
			d.add(start, i, meta)
			d.pos = i + 1
			return nil
		case '\\':
			meta |= metaEscaped
			n := escapeLength(d.src[i+1:])
			if n == 0 {
				d.pos = i
				return errEscape
			}
			i += n
		default:
			d.pos = i
			return errControl
		}
	}
	d.pos = len(d.src)
	return errEnd
}

// plainByte is what a string may hold unescaped.
var plainByte = func() (ok [256]bool) {
	for c := range ok {
		ok[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return ok
}()

// escapeLength is the length of an escape behind its backslash, 0 if it is none.
func escapeLength(s string) int {
	if s == "" {
		return 0
	}
	if s[0] != 'u' {
		if escapes[s[0]] == 0 {
			return 0
		}
		return 1
	}
	if len(s) < 5 {
		return 0
	}
	for i := 1; i < 5; i++ {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return 0
		}
	}
	return 5
}

func (d *decoder) number() error {
	start, i := d.pos, d.pos
	if d.src[i] == '-' {
		i++
	}
	whole := digits(d.src, i)
	ok := whole > i && (d.src[i] != '0' || whole == i+1)
	i = whole
	if ok && i < len(d.src) && d.src[i] == '.' {
		end := digits(d.src, i+1)
		ok, i = end > i+1, end
	}
	if ok && i < len(d.src) && d.src[i]|0x20 == 'e' {
		i++
		if i < len(d.src) && (d.src[i] == '+' || d.src[i] == '-') {
			i++
		}
		end := digits(d.src, i)
		d.unread = d.unread || end-i > 9
		ok, i = end > i, end
	}
	d.unread = d.unread || i-start > maxNumeral
	if !ok {
		return errNumber
	}
	d.add(start, i, uint32(kindNumber))
	d.pos = i
	return nil
}

// digits is the end of the decimal digits from i on.
func digits(s string, i int) int {
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}
