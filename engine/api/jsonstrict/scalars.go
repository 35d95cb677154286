package jsonstrict

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// str reads to the end of a string whose opening quote is behind pos, and says whether it holds escapes.
func (s *Scanner) str() (escaped bool, err error) {
	start, high := s.pos, uint64(0)
	for {
		// Eight bytes at a time while there is nothing but text: no quote, no backslash, no control character.
		for s.pos+8 <= len(s.text) {
			w := binary.LittleEndian.Uint64(s.text[s.pos:])
			if m := special(w); m != 0 {
				n := bits.TrailingZeros64(m) / 8
				high |= w & (1<<(8*n) - 1)
				s.pos += n
				break
			}
			high |= w
			s.pos += 8
		}
		if s.pos >= len(s.text) {
			return escaped, s.ended("the closing quote of a string")
		}
		switch c := s.text[s.pos]; {
		case c == '"':
			if high&highBits != 0 && !utf8.Valid(s.text[start:s.pos]) {
				s.note(NotUTF8, start, "text that is not UTF-8: send UTF-8")
			}
			s.pos++
			return escaped, nil
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return escaped, err
			}
		case c < 0x20:
			return escaped, s.fail(Syntax, s.pos, "control character U+%04X in a string: escape it", c)
		default:
			high |= uint64(c)
			s.pos++
		}
	}
}

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// special is non-zero when one of the eight bytes is a quote, a backslash or below 0x20; its lowest set bit belongs to the
// first of them. (A borrow may set bits of bytes behind that one, which nobody looks at.)
func special(w uint64) uint64 {
	quote := w ^ (lowBits * '"')
	slash := w ^ (lowBits * '\\')
	return ((w-lowBits*0x20)&^w | (quote-lowBits)&^quote | (slash-lowBits)&^slash) & highBits
}

// escape reads one escape sequence; pos stands at its backslash.
func (s *Scanner) escape() error {
	at := s.pos
	s.pos++
	if s.pos >= len(s.text) {
		return s.ended("the rest of an escape")
	}
	c := s.text[s.pos]
	s.pos++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			if s.pos >= len(s.text) {
				return s.ended("four hex digits")
			}
			if _, ok := hexDigit(s.text[s.pos]); !ok {
				return s.fail(Syntax, at, "\\u without four hex digits")
			}
			s.pos++
		}
		return nil
	}
	return s.fail(Syntax, at, "an escape that JSON does not know: only \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX")
}

func hexDigit(c byte) (rune, bool) {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0'), true
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10, true
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}

// number reads a number by RFC 8259 section 6; pos stands at its first character.
func (s *Scanner) number() error {
	if s.text[s.pos] == '-' {
		s.pos++
	}
	switch {
	case s.pos >= len(s.text):
		return s.ended("a digit")
	case s.text[s.pos] == '0':
		s.pos++
		if s.pos < len(s.text) && isDigit(s.text[s.pos]) {
			return s.fail(Syntax, s.pos-1, "a number with a leading zero")
		}
	default:
		if err := s.digits(); err != nil {
			return err
		}
	}
	if s.pos < len(s.text) && s.text[s.pos] == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return err
		}
	}
	if s.pos < len(s.text) && s.text[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.text) && (s.text[s.pos] == '+' || s.text[s.pos] == '-') {
			s.pos++
		}
		return s.digits()
	}
	return nil
}

// digits reads one or more.
func (s *Scanner) digits() error {
	start := s.pos
	for s.pos < len(s.text) && isDigit(s.text[s.pos]) {
		s.pos++
	}
	if s.pos > start {
		return nil
	}
	if s.pos >= len(s.text) {
		return s.ended("a digit")
	}
	return s.unexpected("a digit")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (s *Scanner) literal(word string) error {
	if len(s.text)-s.pos >= len(word) && string(s.text[s.pos:s.pos+len(word)]) == word {
		s.pos += len(word)
		return nil
	}
	return s.unexpected("a value")
}
