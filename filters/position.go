package filters

import (
	"strings"
	"unicode/utf8"
)

// position finds the line and column, from 1, of the character at an offset in characters, and the line's text.
func position(src string, at int32) (line, column int, text string) {
	line, column = 1, 1
	start := 0
	for i, r := range src {
		if at == 0 {
			break
		}
		at--
		column++
		if r == '\n' {
			line, column, start = line+1, 1, i+1
		}
	}
	text = src[start:]
	if end := strings.IndexByte(text, '\n'); end >= 0 {
		text = text[:end]
	}
	return line, column, strings.Map(func(r rune) rune { // one character stays one character, so that the caret fits
		if r < ' ' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
}

// excerpt is the source of a span on one line.
func excerpt(src string, s span) string { return excerptOf([]rune(src), s) }

func excerptOf(chars []rune, s span) string {
	return strings.Join(strings.Fields(string(chars[s.from:s.to])), " ")
}

// bracketed takes in the brackets that a span opens before it or closes behind it: expr's tree has no brackets.
func bracketed(src string, s span) span { return bracketedIn([]rune(src), s) }

func bracketedIn(chars []rune, s span) span {
	opened, unopened := 0, 0
	for _, r := range chars[s.from:s.to] {
		switch {
		case r == '(':
			opened++
		case r == ')' && opened > 0:
			opened--
		case r == ')':
			unopened++
		}
	}
	for ; unopened > 0 && s.from > 0; s.from-- {
		if chars[s.from-1] == '(' {
			unopened--
		}
	}
	for ; opened > 0 && int(s.to) < len(chars); s.to++ {
		if chars[s.to] == ')' {
			opened--
		}
	}
	return s
}
