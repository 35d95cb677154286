package matchers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hookline/hookline/filters"
)

// ErrMatcher is wrapped by errors about a text that is no matcher, or one that cannot become a filter at all.
var ErrMatcher = errors.New("matchers: cannot be carried over")

// Imported is a filter that was carried over.
type Imported struct {
	EventTypes []string // as selected there; nil = it does not say
	Filter     string   // formatted; empty = every event
	Lost       bool     // a condition has no counterpart and was left out: the filter takes other events than before
	Notes      []Note   // in the order of the members
}

// Note is something to look at.
type Note struct {
	At      string // the member, as in data.zone.name; empty = the whole
	Message string
	Lost    bool // the condition was left out
}

func (n Note) String() string {
	if n.At == "" {
		return n.Message
	}
	return n.At + ": " + n.Message
}

// maxNesting bounds how deep a matcher may nest.
const maxNesting = 64

// object reads one JSON object with numbers as they are written.
func object(raw []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("%w: it is not JSON: %w", ErrMatcher, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows the JSON object", ErrMatcher)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: a matcher is a JSON object", ErrMatcher)
	}
	return m, nil
}

// carrier translates one matcher.
type carrier struct {
	out Imported
}

func (c *carrier) note(at, format string, args ...any) {
	n := Note{At: at, Message: fmt.Sprintf(format, args...)}
	if !slices.Contains(c.out.Notes, n) {
		c.out.Notes = append(c.out.Notes, n)
	}
}

// lose notes a condition that is left out.
func (c *carrier) lose(at, format string, args ...any) string {
	c.out.Lost = true
	c.out.Notes = append(c.out.Notes, Note{At: at, Message: fmt.Sprintf(format, args...), Lost: true})
	return ""
}

// finish formats the filter, which makes sure that it compiles.
func (c *carrier) finish(condition string) (Imported, error) {
	if condition == "" {
		return c.out, nil
	}
	text, err := filters.Format(condition)
	if err != nil {
		return Imported{}, fmt.Errorf("%w: as a filter it would be\n%s\n%w", ErrMatcher, condition, err)
	}
	c.out.Filter = text
	return c.out, nil
}

// join joins conditions; empty ones are left out.
func join(word string, conditions []string) string {
	conditions = slices.DeleteFunc(conditions, func(s string) bool { return s == "" })
	switch len(conditions) {
	case 0:
		return ""
	case 1:
		return conditions[0]
	}
	return "(" + strings.Join(conditions, ") "+word+" (") + ")"
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// literal writes a constant; false for objects and arrays.
func literal(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "nil", true
	case bool:
		return strconv.FormatBool(v), true
	case string:
		return strconv.Quote(v), true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// list writes a list of constants.
func list(v any) (string, bool) {
	items, ok := v.([]any)
	if !ok || len(items) == 0 {
		return "", false
	}
	parts := make([]string, len(items))
	for i, item := range items {
		if parts[i], ok = literal(item); !ok {
			return "", false
		}
	}
	return "[" + strings.Join(parts, ", ") + "]", true
}

// below is the path to a member: an index where the name is a number and the other system means one.
func below(path, name string) string { return path + "[" + strconv.Quote(name) + "]" }

// asWritten shows a path in notes.
func asWritten(path string) string {
	if text, err := filters.Format(path + " == nil"); err == nil {
		return strings.TrimSuffix(text, " == nil")
	}
	return path
}
