package main

import (
	"context"
	"encoding/json"
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

// listCommand lists at a path made of the arguments named.
func listCommand(t *terminal, what string, args []string, path func(args []string) string, cols []column, filters ...filterFlag) *cobra.Command {
	cmd := &cobra.Command{Use: "list" + places(args), Aliases: []string{"ls"}, Short: "List " + what + ", newest first", Args: exactly(args...),
		Annotations: calls(get, path, args)}
	fs := cmd.Flags()
	for _, f := range filters {
		fs.String(f.flag, "", f.usage)
	}
	fs.Int("limit", 50, "at most this many, 1 or more")
	fs.Bool("all", false, "all there are")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := connect(cmd, t)
		if err != nil {
			return err
		}
		q := url.Values{}
		for _, f := range filters {
			if v, _ := fs.GetString(f.flag); fs.Changed(f.flag) {
				q.Set(f.param, v)
			}
		}
		want, _ := fs.GetInt("limit")
		if want < 1 {
			return usagef("--limit %d: want 1 or more", want)
		}
		if all, _ := fs.GetBool("all"); all {
			want = -1
		}
		p, err := r.list(cmd.Context(), path(args), q, want)
		if err != nil {
			return err
		}
		if r.output == "json" {
			return json.NewEncoder(t.out).Encode(p)
		}
		if err := t.table(cols, p.Data); err != nil {
			return err
		}
		if p.NextCursor != nil {
			t.warn("there are more: --all, or a larger --limit")
		}
		return nil
	}
	return cmd
}

const maxPage = 250 // of the API

// list reads pages until it has want items (-1: all).
func (r *remote) list(ctx context.Context, path string, q url.Values, want int) (page, error) {
	out := page{Data: []json.RawMessage{}}
	for {
		n := maxPage
		if want >= 0 {
			n = min(n, want-len(out.Data))
		}
		q.Set("limit", strconv.Itoa(n))
		answer, err := r.call(ctx, http.MethodGet, path+"?"+q.Encode(), nil)
		if err != nil {
			return out, err
		}
		var p page
		if err := json.Unmarshal(answer, &p); err != nil {
			return out, err
		}
		out.Data, out.NextCursor = append(out.Data, p.Data...), p.NextCursor
		if p.NextCursor == nil || len(out.Data) == want {
			return out, nil
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
