package api

import (
	"context"
	"strconv"

	"github.com/hookline/hookline/engine"
)

// one answers with the object that a call of the Service returned, or passes its error on.
func one(c *call) func(v any, err error) error {
	return func(v any, err error) error {
		if err != nil {
			return err
		}
		return c.json(c.op.status, v)
	}
}

// gone answers 204.
func (c *call) gone(err error) error {
	if err != nil {
		return err
	}
	return c.noContent()
}

// list answers with one page of a tenant's list.
func list[T any](c *call, page func(ctx context.Context, tenant string, in engine.ListInput) (engine.Page[T], error)) error {
	in, err := c.list()
	if err != nil {
		return err
	}
	p, err := page(c.r.Context(), c.tenant(), in)
	return answerPage(c, p, err)
}

func answerPage[T any](c *call, p engine.Page[T], err error) error {
	if err != nil {
		return err
	}
	if p.Data == nil {
		p.Data = []T{}
	}
	return c.json(c.op.status, p)
}

// short answers with one page of a list that is in memory: the cursor is the number of items before it.
func short[T any](c *call, all []T) error {
	in, err := c.list()
	if err != nil {
		return err
	}
	from := 0
	if in.Cursor != "" {
		if from, err = strconv.Atoi(in.Cursor); err != nil || from < 0 || from > len(all) {
			return engine.Invalid("cursor", "is none that this list gave out: pass next_cursor as it came")
		}
	}
	if in.Limit == 0 {
		in.Limit = engine.DefaultLimit
	}
	p := engine.Page[T]{Data: all[from:min(from+in.Limit, len(all))]}
	if end := from + len(p.Data); end < len(all) {
		next := strconv.Itoa(end)
		p.NextCursor = &next
	}
	return answerPage(c, p, nil)
}
