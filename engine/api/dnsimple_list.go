package api

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/hookline/hookline/engine"
)

// webhookList is the whole list, as DNSimple answers this one; who asks for a page gets one, with DNSimple's pagination.
type webhookList struct {
	Data       []webhook   `json:"data"`
	Pagination *pagination `json:"pagination,omitempty"`
}

type pagination struct {
	CurrentPage  int `json:"current_page"`
	PerPage      int `json:"per_page"`
	TotalEntries int `json:"total_entries"`
	TotalPages   int `json:"total_pages"`
}

// DNSimple's bounds of a page, in items.
const (
	webhooksPerPage    = 30
	maxWebhooksPerPage = 100
)

func webhookQuery() []parameter {
	return []parameter{
		{name: "sort", doc: "default id:asc", enum: []string{"id:asc", "id:desc", "id"}},
		{name: "page", doc: "which page, from 1; default 1", number: true, initial: 1},
		{name: "per_page", doc: "items of a page, 1 to 100, default 30", number: true, initial: webhooksPerPage, max: maxWebhooksPerPage},
	}
}

func listWebhooks(c *call) error {
	account, err := c.account()
	if err != nil {
		return err
	}
	page, paged, err := c.pagination()
	if err != nil {
		return err
	}
	all, err := c.allWebhooks(c.r.Context(), account)
	if err != nil {
		return unless(err, noAccount(account))
	}
	slices.SortFunc(all, func(a, b webhook) int {
		if c.values["sort"] == "id:desc" {
			a, b = b, a
		}
		return cmp.Compare(a.ID, b.ID)
	})
	if !paged {
		return c.json(c.op.status, webhookList{Data: all})
	}
	return c.json(c.op.status, webhookList{Data: page.cut(all), Pagination: &page})
}

// pagination is the page asked for; paged is false when none was.
func (c *call) pagination() (p pagination, paged bool, err error) {
	p = pagination{CurrentPage: 1, PerPage: webhooksPerPage}
	for name, into := range map[string]*int{"page": &p.CurrentPage, "per_page": &p.PerPage} {
		text, ok := c.values[name]
		if !ok {
			continue
		}
		paged = true
		if *into, err = strconv.Atoi(text); err != nil || *into < 1 {
			return p, true, engine.Invalid(name, "%q is no whole number of 1 or more", clip(text))
		}
	}
	if p.PerPage > maxWebhooksPerPage {
		return p, true, engine.Invalid("per_page", "%d is more than %d: ask for further pages with page", p.PerPage, maxWebhooksPerPage)
	}
	return p, paged, nil
}

// cut takes the page out of the whole list and counts; a page after the last one is empty.
func (p *pagination) cut(all []webhook) []webhook {
	p.TotalEntries = len(all)
	p.TotalPages = max(1, (len(all)+p.PerPage-1)/p.PerPage)
	if p.CurrentPage > p.TotalPages {
		return []webhook{}
	}
	from := (p.CurrentPage - 1) * p.PerPage
	return all[from:min(from+p.PerPage, len(all))]
}

// allWebhooks reads all pages of the engine's list: numbers have no index, and a tenant's endpoints are bounded.
func (c *call) allWebhooks(ctx context.Context, account string) ([]webhook, error) {
	out := []webhook{}
	in := engine.ListInput{Limit: maxLimit, MinSeq: c.minSeq}
	for {
		p, err := c.svc.Endpoints(ctx, account, in)
		if err != nil {
			return nil, err
		}
		for _, e := range p.Data {
			out = append(out, webhookOf(e))
		}
		if p.NextCursor == nil {
			return out, nil
		}
		in.Cursor = *p.NextCursor
	}
}
