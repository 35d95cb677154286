// Package nearest finds the known name that a mistyped one was meant to be, for error messages.
package nearest

// maxName bounds the work spent on a name that a stranger sent, in bytes.
const maxName = 64

// Of returns the entry of known that is closest to name, or "" when none is close: at most a third of its letters, and
// at least one, may be wrong, missing, extra or swapped with a neighbour. The first of several equally close ones wins.
// Letter case counts half: a name that differs in case only is always close.
func Of(name string, known []string) string {
	if len(name) == 0 || len(name) > maxName {
		return ""
	}
	best, least := "", -1
	for _, k := range known {
		limit := 2 * max(1, max(len(name), len(k))/3)
		if d := distance(name, k); (d <= limit || d <= len(name) && sameLetters(name, k)) && (least < 0 || d < least) {
			best, least = k, d
		}
	}
	return best
}

// distance counts edits (optimal string alignment) in halves: 2 for each, 1 where only the case differs.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = 2 * j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = 2 * i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+2, row[j-1]+2, last[j-1]+change(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+2)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func change(a, b byte) int {
	switch {
	case a == b:
		return 0
	case lower(a) == lower(b):
		return 1
	}
	return 2
}

func sameLetters(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
