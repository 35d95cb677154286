package jsonstrict

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Fault classes an Error.
type Fault uint8

const (
	Syntax       Fault = iota + 1 // not JSON
	DuplicateKey                  // a name twice in one object
	NotUTF8                       // a string that is not UTF-8
	TooDeep                       // nested deeper than allowed
)

// Error says what is wrong with a text, and where.
type Error struct {
	Fault   Fault
	Offset  int    // in bytes, from 0
	Line    int    // from 1
	Column  int    // in bytes, from 1
	Path    string // e.g. data.items[3].name; "" = the text as a whole
	Message string
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// maxPath bounds what a path repeats of the text, in bytes.
const maxPath = 200

func (s *Scanner) fail(f Fault, at int, format string, args ...any) *Error {
	before := s.text[:at]
	return &Error{
		Fault: f, Offset: at, Path: s.Path(), Message: fmt.Sprintf(format, args...),
		Line: 1 + bytes.Count(before, []byte{'\n'}), Column: at - bytes.LastIndexByte(before, '\n'),
	}
}

// note keeps the first fault that does not end the reading.
func (s *Scanner) note(f Fault, at int, format string, args ...any) {
	if s.fault == nil {
		s.fault = s.fail(f, at, format, args...)
	}
}

func (s *Scanner) ended(want string) *Error {
	return s.fail(Syntax, len(s.text), "not JSON: the text ends where %s should be", want)
}

func (s *Scanner) unexpected(want string) *Error {
	return s.fail(Syntax, s.pos, "not JSON: %s where %s should be", character(s.text[s.pos]), want)
}

func character(c byte) string {
	if c > 0x20 && c < 0x7F {
		return strconv.Quote(string(rune(c)))
	}
	return fmt.Sprintf("byte 0x%02X", c)
}

// Path names the present place: members by name, elements by number from 0, beginning where ClearFault was called last.
func (s *Scanner) Path() string {
	var b strings.Builder
	for i := min(s.root, len(s.stack)); i < len(s.stack) && b.Len() < maxPath; i++ {
		f := s.stack[i]
		if !f.object {
			if f.count > 0 {
				fmt.Fprintf(&b, "[%d]", f.count-1)
			}
			continue
		}
		end := int32(len(s.names))
		if i+1 < len(s.stack) {
			end = s.stack[i+1].names
		}
		if end == f.names {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strings.ToValidUTF8(string(s.nameOf(s.names[end-1])), "\uFFFD"))
	}
	p := b.String()
	if len(p) > maxPath {
		p = strings.ToValidUTF8(p[:maxPath], "") + "..."
	}
	return p
}
