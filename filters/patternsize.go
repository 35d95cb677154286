package filters

import (
	"fmt"
	"regexp/syntax"
	"strings"
)

// Bounds of a pattern.
const (
	MaxPattern  = 256 // bytes
	maxPatternN = 512 // states, before MaxCost is asked
)

// patternStates is how many states a pattern compiles to, at least as many as regexp will make: they decide what
// matching costs. It is counted on the parsed pattern, before repetitions are written out, since writing them out is
// what a hostile pattern would make dear. message says why a pattern is refused.
func patternStates(source string) (states int, message string) {
	if len(source) > MaxPattern {
		return 0, fmt.Sprintf("the pattern has %d bytes; at most %d are allowed", len(source), MaxPattern)
	}
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return 0, strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	}
	if states = 2 + count(re); states > maxPatternN {
		return 0, fmt.Sprintf("the pattern has about %d states; at most %d are allowed", states, maxPatternN)
	}
	return states, ""
}

func count(re *syntax.Regexp) int {
	n := 0
	for _, sub := range re.Sub {
		n += count(sub)
	}
	switch re.Op {
	case syntax.OpLiteral:
		n += len(re.Rune)
	case syntax.OpRepeat:
		times := re.Max
		if times < 0 {
			times = re.Min + 1
		}
		n = min((n+1)*max(times, 1), 1<<20)
	case syntax.OpCapture:
		n += 2
	case syntax.OpAlternate:
		n += len(re.Sub)
	default:
		n++
	}
	return n
}
