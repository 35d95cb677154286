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

// excerpt is the source between two offsets in characters, on one line. Brackets that a clause opens before it or closes
// behind it are taken in.
func excerpt(src string, s span) string {
	chars := []rune(src)
	from, to := max(0, min(int(s.from), len(chars))), max(0, min(int(s.to), len(chars)))
	if from > to {
		return ""
	}
	opened, unopened := 0, 0
	for _, r := range chars[from:to] {
		switch {
		case r == '(':
			opened++
		case r == ')' && opened > 0:
			opened--
		case r == ')':
			unopened++
		}
	}
	for ; unopened > 0 && from > 0; from-- {
		if chars[from-1] == '(' {
			unopened--
		}
	}
	for ; opened > 0 && to < len(chars); to++ {
		if chars[to] == ')' {
			opened--
		}
	}
	return strings.Join(strings.Fields(string(chars[from:to])), " ")
}
