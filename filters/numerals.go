package filters

import "strings"

// expr's parser reads numbers as int and float64: what has more digits or a larger exponent is refused there, or loses
// digits without a word. Such numerals are hidden from it behind names of the same length, and read as JSON's are.

// exactChars is how many characters of a numeral a float64 holds exactly.
const exactChars = 15

// hideNumerals returns the source with a name in the place of each numeral that the parser would not read exactly.
// Positions stay.
func (c *compiler) hideNumerals() string {
	out := []byte(nil)
	for at := 0; at < len(c.src); {
		if n := skipped(c.src[at:]); n > 0 {
			at += n
			continue
		}
		end := at
		if d := c.src[at]; '0' <= d && d <= '9' && (at == 0 || !joinsNumeral(c.src[at-1])) {
			end = numeralEnd(c.src, at)
		}
		if end == at || end < len(c.src) && joinsNumeral(c.src[end]) || !c.hides(c.src[at:end]) {
			at = max(end, at+1)
			continue
		}
		if out == nil {
			out = []byte(c.src)
		}
		copy(out[at:end], c.hide(c.src[at:end]))
		at = end
	}
	if out == nil {
		return c.src
	}
	return string(out)
}

// skipped is the length of a text or a comment at the beginning of s; 0 if there is none.
func skipped(s string) int {
	end := -1
	switch {
	case s[0] == '`':
		end = 1 + strings.IndexByte(s[1:], '`')
	case s[0] == '"' || s[0] == '\'':
		for i := 1; i < len(s); i++ {
			if s[i] == '\\' {
				i++
			} else if s[i] == s[0] {
				return i + 1
			}
		}
		return len(s)
	case strings.HasPrefix(s, "//") || s[0] == '#':
		end = strings.IndexByte(s, '\n')
	case strings.HasPrefix(s, "/*"):
		if end = strings.Index(s, "*/"); end >= 0 {
			end++
		}
	default:
		return 0
	}
	if end <= 0 { // it is not closed
		return len(s)
	}
	return end + 1
}

// joinsNumeral says whether a byte beside digits makes them a part of something else.
func joinsNumeral(b byte) bool {
	return b == '_' || b == '$' || b == '.' || b >= 0x80 || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

// numeralEnd is the end of a JSON number that begins at a digit.
func numeralEnd(s string, at int) int {
	end := digits(s, at)
	if end+1 < len(s) && s[end] == '.' {
		if more := digits(s, end+1); more > end+1 {
			end = more
		}
	}
	if end+1 < len(s) && s[end]|0x20 == 'e' {
		from := end + 1
		if s[from] == '+' || s[from] == '-' {
			from++
		}
		if more := digits(s, from); more > from {
			end = more
		}
	}
	return end
}

func (c *compiler) hides(numeral string) bool {
	if len(numeral) > maxNumeral || numeral[0] == '0' && len(numeral) > 1 && numeral[1] != '.' {
		return false
	}
	e := strings.IndexAny(numeral, "eE")
	return len(numeral) > exactChars || e > 0 && len(numeral)-e > 3
}

// hide makes a name for a numeral.
func (c *compiler) hide(numeral string) string {
	for n := len(c.numerals); ; n++ {
		name := "_" + string(rune('a'+n/26%26)) + string(rune('a'+n%26))
		name += strings.Repeat("_", len(numeral)-len(name))
		if _, taken := c.numerals[name]; taken || strings.Contains(c.src, name) {
			continue
		}
		if c.numerals == nil {
			c.numerals = map[string]string{}
		}
		c.numerals[name] = numeral
		return name
	}
}

// shown puts the numerals back into a text that shows parts of what the parser saw.
func (c *compiler) shown(text string) string {
	for name, numeral := range c.numerals {
		text = strings.ReplaceAll(text, name, numeral)
	}
	return text
}
