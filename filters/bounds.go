package filters

import (
	"fmt"
	"unicode/utf8"
)

// Bounds of an expression.
const (
	MaxSource  = 2048 // bytes
	MaxNesting = 32   // brackets and operators within each other
	maxSigns   = 8    // - + ! in a row
	maxNodes   = 1000 // after the parser has expanded what it shares, such as a < b < c
)

// bounded checks what the parser does not: it has no limit of its own, and a megabyte of opening brackets would
// overflow the stack, which nothing can recover from.
func (c *compiler) bounded() *Error {
	if n := len(c.src); n > MaxSource {
		return &Error{Line: 1, Column: 1, Message: fmt.Sprintf("the expression has %d bytes; at most %d are allowed", n, MaxSource),
			Suggestion: "use several subscriptions, or `in [...]` instead of many comparisons"}
	}
	if !utf8.ValidString(c.src) {
		return &Error{Line: 1, Column: 1, Message: "the expression is not UTF-8"}
	}
	depth, signs, blank := 0, 0, true
	at, quote := int32(-1), rune(0)
	escaped := false
	for _, r := range c.src {
		at++
		if quote != 0 {
			switch {
			case escaped:
				escaped = false
			case r == '\\' && quote != '`':
				escaped = true
			case r == quote:
				quote = 0
			}
			continue
		}
		switch r {
		case ' ', '\t', '\n', '\r':
			continue
		case '"', '\'', '`':
			quote = r
		case '(', '[', '{':
			if depth++; depth > MaxNesting {
				return c.errorAt(at, "take parts apart with `and` and `or`", "brackets nest deeper than %d", MaxNesting)
			}
		case ')', ']', '}':
			depth--
		}
		blank = false
		if r != '-' && r != '+' && r != '!' {
			signs = 0
		} else if signs++; signs > maxSigns {
			return c.errorAt(at, "one is enough", "more than %d signs follow each other", maxSigns)
		}
	}
	if blank {
		return &Error{Line: 1, Column: 1, Message: "the expression is empty", Suggestion: "leave the filter out to take every event"}
	}
	return nil
}
