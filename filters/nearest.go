package filters

import "strings"

// maxNearest bounds the work spent on a name that a stranger wrote, in bytes.
const maxNearest = 100

// nearest is the known name that a mistyped one was meant to be, "" when none is close: a third of its letters, and at
// least one, may be wrong, missing, extra or swapped with a neighbour; case does not count. The first of several counts.
func nearest(name string, known []string) string {
	if name == "" || len(name) > maxNearest {
		return ""
	}
	best, least := "", 1<<30
	for _, k := range known {
		if len(k) > maxNearest {
			continue
		}
		if d := edits(strings.ToLower(name), strings.ToLower(k)); d <= max(1, len(name)/3) && d < least && d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// edits counts the characters to insert, remove, change or swap with a neighbour to make b of a.
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// nearestPath is the known path that a mistyped one was meant to be: one whose last step is close or longer, else the first
// whose last step has the same name.
func nearestPath(path string, known []string) string {
	path = dotted(path)
	parent, last := cutLast(path)
	best, least := "", max(1, len(last)/3)+1
	same, longer := "", ""
	for _, k := range known {
		plain := dotted(k)
		above, name := cutLast(plain)
		if len(path) <= maxNearest && len(plain)-len(path) < least && len(path)-len(plain) < least {
			if d := edits(strings.ToLower(path), strings.ToLower(plain)); d < least {
				best, least = k, d
			}
		}
		if same == "" && name == last {
			same = k
		}
		if longer == "" && above == parent && len(last) > 2 && strings.HasPrefix(name, last) {
			longer = k
		}
	}
	switch {
	case best != "":
		return best
	case longer != "":
		return longer
	}
	return same
}

// dotted is a path with all its steps behind dots, to compare it.
func dotted(path string) string {
	return strings.NewReplacer(`["`, ".", `"]`, "", "[", ".", "]", "").Replace(path)
}

func cutLast(path string) (parent, last string) {
	at := strings.LastIndexByte(path, '.')
	return path[:max(at, 0)], path[at+1:]
}
