package matchers

import (
	"strconv"
	"strings"
)

// Convoy carries over the filter of a Convoy subscription: the matcher of the body alone, or one with its scopes (body,
// headers, query, path), or a filter_config with its event types. Convoy writes paths with dots and finds them in the
// payload laid flat.
func Convoy(raw []byte) (Imported, error) {
	m, err := object(raw)
	if err != nil {
		return Imported{}, err
	}
	c := &carrier{}
	if config, ok := m["filter_config"].(map[string]any); ok {
		m = config
	}
	if types, ok := m["event_types"]; ok {
		if c.out.EventTypes, err = eventTypes(types); err != nil {
			return Imported{}, err
		}
		m, _ = m["filter"].(map[string]any)
	}
	if body, ok := scopes(m); ok {
		for _, scope := range []string{"headers", "path", "query"} {
			if other, ok := m[scope].(map[string]any); ok && len(other) > 0 {
				c.lose(scope, "events have no %s of a request: put what is needed into metadata when publishing", scope)
			}
		}
		m = body
	}
	return c.finish(c.convoy("data", m, 0))
}

// scopes says whether a matcher is one with scopes, and gives the body's.
func scopes(m map[string]any) (body map[string]any, ok bool) {
	for name, v := range m {
		switch name {
		case "body", "headers", "header", "query", "path", "is_flattened":
		default:
			return nil, false
		}
		if _, isObject := v.(map[string]any); !isObject && name != "is_flattened" && v != nil {
			return nil, false
		}
	}
	body, _ = m["body"].(map[string]any)
	return body, len(m) > 0
}

func (c *carrier) convoy(path string, m map[string]any, depth int) string {
	level := func(sub map[string]any, depth int) string { return c.convoy(path, sub, depth) }
	return c.each(m, depth, level, func(name string, v any) string {
		if strings.HasPrefix(name, "$") && !strings.HasPrefix(name, "$.") {
			return c.operator(path, name, v)
		}
		c.note("", "Convoy left conditions on members that are not there out of account when others held; here they are false")
		var parts []string
		for _, p := range c.convoyPaths(path, name) {
			parts = append(parts, c.convoyValue(p, v, depth+1))
		}
		return join("or", parts)
	})
}

func (c *carrier) convoyValue(path string, v any, depth int) string {
	if m, ok := v.(map[string]any); ok {
		return c.convoy(path, m, depth)
	}
	return c.equal(path, v)
}

// maxStars is how many steps over an array a path may have.
const maxStars = 3

// convoyPaths are the paths that a name with dots means. $ is any element of an array, of which Convoy looks at as many
// as the path has $, and one more.
func (c *carrier) convoyPaths(path, name string) []string {
	steps := strings.Split(name, ".")
	stars := 0
	for _, s := range steps {
		if s == "$" {
			stars++
		}
	}
	switch {
	case stars > maxStars || steps[len(steps)-1] == "$" || steps[0] == "":
		c.lose(name, "is no path: $ stands for an element, up to %d times and not at the end", maxStars)
		return nil
	case stars > 0:
		c.note(name, "$ looks at the first %d elements, as in Convoy", stars+1)
	}
	paths := []string{path}
	for _, s := range steps {
		var next []string
		for _, p := range paths {
			switch n, err := strconv.Atoi(s); {
			case s == "$":
				for i := range stars + 1 {
					next = append(next, p+"["+strconv.Itoa(i)+"]")
				}
			case err == nil && n >= 0 && n < 1000:
				next = append(next, p+"["+s+"]")
			default:
				next = append(next, below(p, s))
			}
		}
		paths = next
	}
	return paths
}
