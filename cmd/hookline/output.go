package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/hookline/hookline/engine/api/jsonstrict"
)

// column is one column of a table: a title and the path of a member, e.g. response.status.
type column struct{ title, path string }

// columns makes columns of "TITLE path" pairs.
func columns(pairs ...string) []column {
	out := make([]column, 0, len(pairs))
	for _, p := range pairs {
		title, path, _ := strings.Cut(p, " ")
		out = append(out, column{title, path})
	}
	return out
}

// table prints a list of JSON objects, under titles if it is the beginning of one.
func (t *terminal) table(cols []column, items []json.RawMessage, titles bool) error {
	w := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	if titles {
		for i, c := range cols {
			fmt.Fprint(w, sep(i), c.title)
		}
		fmt.Fprintln(w)
	}
	for _, item := range items {
		var object any
		if err := decodeNumbers(item, &object); err != nil {
			return err
		}
		for i, c := range cols {
			fmt.Fprint(w, sep(i), cell(object, c.path))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

func sep(i int) string {
	if i == 0 {
		return ""
	}
	return "\t"
}

// decodeNumbers keeps numbers as they are written.
func decodeNumbers(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

func cell(object any, path string) string {
	var name string
	for path != "" {
		name, path, _ = strings.Cut(path, ".")
		members, ok := object.(map[string]any)
		if !ok {
			return "-"
		}
		object = members[name]
	}
	if s, ok := object.(string); ok && strings.HasSuffix(name, "_at") {
		return moment(s)
	}
	return text(object)
}

// moment is a time as people read it, in UTC and to the second.
func moment(s string) string {
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return text(s)
	}
	return at.UTC().Format(time.DateTime)
}

// text is a value in one cell or line.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		if v == "" {
			return "-"
		}
		return printable(v)
	case []any:
		if len(v) == 0 {
			return "-"
		}
		words := make([]string, len(v))
		for i, e := range v {
			words[i] = text(e)
		}
		return strings.Join(words, ",")
	case map[string]any:
		b, _ := json.Marshal(v) // what was decoded encodes
		return printable(string(b))
	default:
		return fmt.Sprint(v)
	}
}

// printable keeps what customers wrote from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r) {
			return '?'
		}
		return r
	}, s)
}

// object prints one JSON object, a member a line, in its own order; what is within a member has a line of its own as well,
// such as request.url or attempts[0].outcome.
func (t *terminal) object(answer []byte) error {
	w := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	if in, err := members(w, "", answer); err != nil || !in {
		return fmt.Errorf("the answer is no object: %.100s", printable(string(answer)))
	}
	return w.Flush()
}

// members prints the members of an object; false if value is none.
func members(w io.Writer, prefix string, value []byte) (bool, error) {
	var s jsonstrict.Scanner
	s.Reset(value)
	if in, err := s.EnterObject(); err != nil || !in {
		return false, err
	}
	for {
		raw, ok, err := s.NextMember()
		if err != nil || !ok {
			return true, err
		}
		name := prefix + printable(string(raw))
		v, err := s.Value(jsonstrict.MaxNesting)
		if err != nil {
			return true, err
		}
		if err := member(w, name, v); err != nil {
			return true, err
		}
	}
}

func member(w io.Writer, name string, value []byte) error {
	var v any
	if err := decodeNumbers(value, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case map[string]any:
		if len(v) > 0 {
			_, err := members(w, name+".", value)
			return err
		}
	case []any:
		var items []json.RawMessage
		if err := json.Unmarshal(value, &items); err != nil {
			return err
		}
		if len(v) > 0 && items[0][0] == '{' {
			for i, item := range items {
				if err := member(w, fmt.Sprintf("%s[%d]", name, i), item); err != nil {
					return err
				}
			}
			return nil
		}
	}
	_, err := fmt.Fprintln(w, name+"\t"+text(v))
	return err
}

// show prints an answer in the form asked for.
func (r *remote) show(answer []byte) error {
	if r.output == "json" {
		_, err := r.t.out.Write(answer)
		return err
	}
	return r.t.object(answer)
}
