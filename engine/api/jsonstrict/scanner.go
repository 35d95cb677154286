// Package jsonstrict reads JSON text (RFC 8259) as strictly as the API promises, in one pass, without building values.
//
// What it hands out are slices of the text itself: nothing is copied or re-encoded, numbers stay text, key order and
// white space inside a value stay as they came. Beyond the grammar it finds duplicate names at every level (compared
// unescaped), text that is not UTF-8 and nesting deeper than allowed. Those three are faults that do not end the
// reading: the caller learns the first one from Fault, and in a batch the items after it are still found. Errors of
// the grammar end it.
//
// Time is linear in the text; memory is a few bytes for every name of an open object and every open container.
// A Scanner belongs to one goroutine; Reset makes it ready for another text and keeps its memory.
package jsonstrict

import "math"

// MaxNesting is the number of open containers after which a text is given up, whatever depth the caller allows.
const MaxNesting = 4096

// Scanner walks one text. The zero value is ready for Reset.
type Scanner struct {
	text  []byte
	pos   int
	root  int // number of open containers where paths begin
	stack []frame
	names []span    // names of the open objects, oldest object first
	plain []byte    // names that carried escapes, unescaped
	sets  []nameSet // of the open objects with many names
	fault *Error
}

// frame is an open container.
type frame struct {
	object bool
	hashed bool  // the last of sets belongs to it
	count  int32 // members or elements begun
	names  int32 // where its names begin
	plain  int32 // where its unescaped names begin
}

// span is a piece of text; of plain when start is negative (then ^start).
type span struct{ start, end int32 }

// Reset begins another text. The text must stay unchanged while the Scanner and what it handed out are in use.
func (s *Scanner) Reset(text []byte) {
	s.text, s.pos, s.root, s.fault = text, 0, 0, nil
	s.stack, s.names, s.plain = s.stack[:0], s.names[:0], s.plain[:0]
	s.sets = s.sets[:0]
	if len(text) > math.MaxInt32-8 {
		s.text = nil
	}
}

// Release drops the text and what grew beyond everyday size, for a Scanner that waits in a pool.
func (s *Scanner) Release() {
	const many = 1024
	s.Reset(nil)
	if cap(s.names) > many || cap(s.plain) > 16*many || cap(s.stack) > many || cap(s.sets) > 8 {
		*s = Scanner{}
		return
	}
	for i := range s.sets[:cap(s.sets)] {
		s.sets[:cap(s.sets)][i].trim(many)
	}
}

// Fault returns the first fault since Reset or ClearFault that did not end the reading, or nil.
func (s *Scanner) Fault() *Error { return s.fault }

// ClearFault forgets the fault and makes paths begin inside the innermost open container's present element.
func (s *Scanner) ClearFault() {
	s.fault = nil
	s.root = len(s.stack)
}

// Value reads one value of any kind and returns its bytes, first to last, without white space around it. Containers in
// it may nest to depth, the value itself counting as 1; deeper is a fault (TooDeep).
func (s *Scanner) Value(depth int) ([]byte, error) {
	s.space()
	start, base := s.pos, len(s.stack)
	for {
		opened, err := s.begin(base, depth)
		if err != nil {
			return nil, err
		}
		if opened {
			if done, err := s.firstIn(); err != nil {
				return nil, err
			} else if !done {
				continue
			}
		}
		for {
			if len(s.stack) == base {
				return s.text[start:s.pos], nil
			}
			more, err := s.nextIn()
			if err != nil {
				return nil, err
			}
			if more {
				break
			}
		}
	}
}

// begin reads a scalar whole, or the opening bracket of a container (then it returns true).
func (s *Scanner) begin(base, depth int) (opened bool, err error) {
	s.space()
	if s.pos >= len(s.text) {
		return false, s.ended("a value")
	}
	switch c := s.text[s.pos]; c {
	case '{', '[':
		if err := s.push(c == '{'); err != nil {
			return false, err
		}
		if len(s.stack)-base > depth {
			s.note(TooDeep, s.pos-1, "nested deeper than %d levels (the value itself is level 1): flatten it", depth)
		}
		return true, nil
	case '"':
		s.pos++
		_, err := s.str()
		return false, err
	case 't':
		return false, s.literal("true")
	case 'f':
		return false, s.literal("false")
	case 'n':
		return false, s.literal("null")
	default:
		if c == '-' || c >= '0' && c <= '9' {
			return false, s.number()
		}
		return false, s.unexpected("a value")
	}
}

// firstIn stands behind an opening bracket: it closes an empty container (true) or goes to its first value.
func (s *Scanner) firstIn() (done bool, err error) {
	s.space()
	top := &s.stack[len(s.stack)-1]
	if s.pos < len(s.text) && s.text[s.pos] == closing(top.object) {
		s.pop()
		return true, nil
	}
	top.count++
	if top.object {
		return false, s.member()
	}
	return false, nil
}

// nextIn stands behind a value in a container: it goes to the next value (true) or closes the container.
func (s *Scanner) nextIn() (more bool, err error) {
	s.space()
	top := &s.stack[len(s.stack)-1]
	if s.pos >= len(s.text) {
		return false, s.ended(bracketOrComma(top.object))
	}
	switch s.text[s.pos] {
	case ',':
		s.pos++
		top.count++
		if top.object {
			s.space()
			return true, s.member()
		}
		return true, nil
	case closing(top.object):
		s.pop()
		return false, nil
	}
	return false, s.unexpected(bracketOrComma(top.object))
}

func closing(object bool) byte {
	if object {
		return '}'
	}
	return ']'
}

func bracketOrComma(object bool) string {
	if object {
		return "a comma or }"
	}
	return "a comma or ]"
}

// push opens a container whose bracket stands at pos.
func (s *Scanner) push(object bool) error {
	s.pos++
	if len(s.stack) >= MaxNesting {
		return s.fail(TooDeep, s.pos-1, "nested deeper than %d levels", MaxNesting)
	}
	s.stack = append(s.stack, frame{object: object, names: int32(len(s.names)), plain: int32(len(s.plain))})
	return nil
}

// pop closes the innermost container, whose bracket stands at pos.
func (s *Scanner) pop() {
	s.pos++
	top := s.stack[len(s.stack)-1]
	if top.hashed {
		s.sets = s.sets[:len(s.sets)-1]
	}
	s.names, s.plain = s.names[:top.names], s.plain[:top.plain]
	s.stack = s.stack[:len(s.stack)-1]
}

func (s *Scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}
