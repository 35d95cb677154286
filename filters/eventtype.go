package filters

import (
	"errors"
	"fmt"
	"strings"
)

// Bounds of event types and selections.
const (
	MaxTypeLength = 200 // bytes of an event type or a selected one
	MaxSegment    = 64  // bytes of one segment
	MaxTypes      = 200 // entries of a selection
)

// ErrType is wrapped by every error about an event type or a selection of them.
var ErrType = errors.New("filters: event type")

func typeError(format string, args ...any) error {
	return fmt.Errorf("%w %s", ErrType, fmt.Sprintf(format, args...))
}

// CheckType says whether s is an event type: segments joined by dots and at most one state behind a colon,
// `seg(.seg)*(:seg)?`, each segment 1 to 64 of A-Z, a-z, 0-9, _ and -, at most 200 bytes in all. Case matters.
func CheckType(s string) error {
	if len(s) > MaxTypeLength {
		return typeError("%.40q... has %d bytes; at most %d are allowed", s, len(s), MaxTypeLength)
	}
	start, state := 0, false
	for i := 0; i <= len(s); i++ {
		if i < len(s) && segmentByte[s[i]] {
			continue
		}
		switch {
		case i < len(s) && s[i] != '.' && s[i] != ':':
			return typeError("%q holds %q; use A-Z, a-z, 0-9, _ and -, dots between segments and one colon before the state", s, s[i:i+1])
		case i == start:
			return typeError("%q has an empty segment at byte %d; write it like domain.created or domain.register:started", s, i)
		case i-start > MaxSegment:
			return typeError("%q has a segment of %d bytes; at most %d are allowed", s, i-start, MaxSegment)
		case i == len(s):
			return nil
		case state:
			return typeError("%q goes on after its state; a state is the last segment", s)
		}
		state = s[i] == ':'
		start = i + 1
	}
	return nil
}

var segmentByte = func() (ok [256]bool) {
	for c := range ok {
		ok[c] = '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '-'
	}
	return ok
}()

// Types is a selection of event types: the union of its entries. The zero value selects nothing; ParseTypes makes others.
type Types struct {
	entries  []string // as given
	names    []string // plain ones
	prefixes []string // of `prefix.*`, with the dot
	all      bool
}

// ParseTypes reads a selection of 1 to 200 entries, each a plain event type (itself only: `x` is not `x:state`, R-8),
// `prefix.*` (everything that begins with `prefix.`, deeper segments and states included) or `*` (every type).
func ParseTypes(entries []string) (Types, error) {
	if n := len(entries); n < 1 || n > MaxTypes {
		return Types{}, typeError("selection has %d entries; give 1 to %d, or * for every type", n, MaxTypes)
	}
	t := Types{entries: append([]string(nil), entries...)}
	for _, e := range t.entries {
		prefix, wild := strings.CutSuffix(e, ".*")
		switch {
		case e == "*":
			t.all = true
		case wild:
			if strings.ContainsRune(prefix, ':') || CheckType(prefix) != nil || len(e) > MaxTypeLength {
				return Types{}, typeError("%.220q: before .* stand segments joined by dots, as in domain.*", e)
			}
			t.prefixes = append(t.prefixes, e[:len(e)-1])
		case strings.ContainsRune(e, '*'):
			return Types{}, typeError("%.220q: * stands alone or at the end behind a dot, as in domain.*", e)
		default:
			if err := CheckType(e); err != nil {
				return Types{}, err
			}
			t.names = append(t.names, e)
		}
	}
	return t, nil
}

// Match says whether the selection holds an event type.
func (t Types) Match(eventType string) bool {
	if t.all {
		return true
	}
	for _, n := range t.names {
		if n == eventType {
			return true
		}
	}
	for _, p := range t.prefixes {
		if strings.HasPrefix(eventType, p) {
			return true
		}
	}
	return false
}

// Strings returns the entries as they were given.
func (t Types) Strings() []string { return append([]string(nil), t.entries...) }
