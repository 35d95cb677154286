package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

// page is one page of any list.
type page struct {
	Data       []json.RawMessage `json:"data"`
	NextCursor *string           `json:"next_cursor"`
}

// filterFlag is a flag that narrows a list: the name of the flag and of the query parameter.
type filterFlag struct{ flag, param, usage string }

func timeFilters() []filterFlag {
	return []filterFlag{{"from", "from", "the oldest `TIME`, RFC 3339"}, {"to", "to", "the newest `TIME`, RFC 3339"}}
}

func asOfFilter() []filterFlag {
	return []filterFlag{{"as-of", "as_of", "as it was at this `SEQ|TIME`: a seq of the log or an RFC 3339 time"}}
}

func statsFilters() []filterFlag {
	return append(timeFilters(), filterFlag{"step", "step", "also by spans of this `LENGTH`, e.g. 5m, at most 500 of them"})
}

func strictFilter() []filterFlag {
	return []filterFlag{{"strict", "strict", "`true`: what the catalogue warns of in the filter is refused"}}
}

func addFilterFlags(cmd *cobra.Command, flags []filterFlag) {
	for _, f := range flags {
		cmd.Flags().String(f.flag, "", f.usage)
	}
}

// chosen is the query of the flags that were given.
func chosen(cmd *cobra.Command, flags []filterFlag) url.Values {
	q := url.Values{}
	for _, f := range flags {
		if v, _ := cmd.Flags().GetString(f.flag); cmd.Flags().Changed(f.flag) {
			q.Set(f.param, v)
		}
	}
	return q
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// listCommand lists at a path made of the arguments named.
func listCommand(t *terminal, what string, args []string, path func(args []string) string, cols []column, flags ...filterFlag) *cobra.Command {
	cmd := &cobra.Command{Use: "list" + places(args), Aliases: []string{"ls"}, Short: "List " + what + ", newest first", Args: exactly(args...),
		Annotations: calls(get, path, args)}
	fs := cmd.Flags()
	addFilterFlags(cmd, flags)
	fs.Int("limit", 50, "at most this many, 1 or more")
	fs.Bool("all", false, "all there are")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := connect(cmd, t)
		if err != nil {
			return err
		}
		q := chosen(cmd, flags)
		want, _ := fs.GetInt("limit")
		if want < 1 {
			return usagef("--limit %d: want 1 or more", want)
		}
		if all, _ := fs.GetBool("all"); all {
			want = -1
		}
		out := listing{t: t, cols: cols, json: r.output == "json"}
		if err := r.list(cmd.Context(), path(args), q, want, out.page); err != nil {
			return err
		}
		return out.end()
	}
	return cmd
}

// listing shows a list page by page: however long it is, one page is held, and the first is there at once.
type listing struct {
	t    *terminal
	cols []column
	json bool // one object, {"data":[...],"next_cursor":...}, with the items' bytes as they came

	pages int
	items int
	next  *string
}

func (l *listing) page(p page) error {
	l.next = p.NextCursor
	l.pages++
	if !l.json {
		return l.t.table(l.cols, p.Data, l.pages == 1)
	}
	var b bytes.Buffer
	if l.pages == 1 {
		b.WriteString(`{"data":[`)
	}
	for _, item := range p.Data {
		if l.items > 0 {
			b.WriteByte(',')
		}
		b.Write(item)
		l.items++
	}
	_, err := l.t.out.Write(b.Bytes())
	return err
}

func (l *listing) end() error {
	if !l.json {
		if l.next != nil {
			l.t.warn("there are more: --all, or a larger --limit")
		}
		return nil
	}
	next, err := json.Marshal(l.next)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(l.t.out, "],\"next_cursor\":%s}\n", next)
	return err
}

const maxPage = 250 // of the API

// list reads pages until it has want items (-1: all) and shows each.
func (r *remote) list(ctx context.Context, path string, q url.Values, want int, show func(page) error) error {
	for left := want; ; {
		n := maxPage
		if want >= 0 {
			n = min(n, left)
		}
		q.Set("limit", strconv.Itoa(n))
		answer, err := r.call(ctx, http.MethodGet, path+"?"+q.Encode(), nil)
		if err != nil {
			return err
		}
		var p page
		if err := json.Unmarshal(answer, &p); err != nil {
			return err
		}
		if err := show(p); err != nil {
			return err
		}
		left -= len(p.Data)
		if p.NextCursor == nil || left == 0 {
			return nil
		}
		q.Set("cursor", *p.NextCursor)
	}
}

func places(args []string) string {
	s := ""
	for _, a := range args {
		s += " " + a
	}
	return s
}
