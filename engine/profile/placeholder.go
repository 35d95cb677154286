package profile

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Attempt is what the headers of one attempt are made of.
type Attempt struct {
	EventID   string
	EventType string
	At        time.Time // of signing
	Body      []byte
}

// pattern is a text with places to fill, compiled: "{timestamp}.{body}".
type pattern []part

type part struct {
	place string // a placeholder's name; "" = text
	text  string
}

// readPattern reads a text whose placeholders are among the given ones.
func readPattern(dst *pattern, places ...string) func(place) error {
	return func(at place) error {
		src, err := at.scalar("!!str")
		if err != nil {
			return err
		}
		if src == "" || len(src) > 256 {
			return at.errorf("has %d bytes; give 1 to 256", len(src))
		}
		*dst, err = parsePattern(at, src, places)
		return err
	}
}

func parsePattern(at place, src string, places []string) (pattern, error) {
	var out pattern
	for src != "" {
		open := strings.IndexByte(src, '{')
		if open < 0 {
			return append(out, part{text: src}), nil
		}
		if open > 0 {
			out = append(out, part{text: src[:open]})
		}
		length := strings.IndexByte(src[open:], '}')
		if length < 0 {
			return nil, at.errorf("has { without }; placeholders are {%s}", strings.Join(places, "}, {"))
		}
		name := src[open+1 : open+length]
		if !slices.Contains(places, name) {
			return nil, at.errorf("unknown placeholder {%.40s}%s", name, meant(name, places)+"; placeholders are {"+strings.Join(places, "}, {")+"}")
		}
		out = append(out, part{place: name})
		src = src[open+length+1:]
	}
	return out, nil
}

// has says whether a placeholder is in it.
func (p pattern) has(name string) bool {
	return slices.ContainsFunc(p, func(one part) bool { return one.place == name })
}

// plain is the value of a pattern of one part, which needs no copy.
func (p pattern) plain(a *Attempt) (string, bool) {
	if len(p) == 1 {
		switch p[0].place {
		case "":
			return p[0].text, true
		case "id":
			return a.EventID, true
		case "type":
			return a.EventType, true
		}
	}
	return "", false
}

// append appends everything but the body, for which write is called with what stands before it.
func (p pattern) append(dst []byte, a *Attempt, write func([]byte)) []byte {
	for i := range p {
		switch p[i].place {
		case "":
			dst = append(dst, p[i].text...)
		case "id":
			dst = append(dst, a.EventID...)
		case "type":
			dst = append(dst, a.EventType...)
		case "timestamp":
			dst = strconv.AppendInt(dst, a.At.Unix(), 10)
		case "body":
			write(dst)
			write(a.Body)
			dst = dst[:0]
		}
	}
	return dst
}
