package engine

import (
	"context"
	"encoding/json"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Change is one entry of the audit: what was changed, when and by whom.
type Change struct {
	StreamRecord
	By     *string `json:"by" doc:"admin_key, or the id of a key or portal session; null for what a policy or the configuration did"`
	ByName *string `json:"by_name" doc:"the key's name"`
}

// Audit lists the changes that people, policies and the configuration made, of one tenant or ("") of all, newest first.
func (e *Engine) Audit(ctx context.Context, tenant string, in ListInput) (Page[Change], error) {
	out := Page[Change]{Data: []Change{}}
	page, err := e.auditPage(ctx, tenant, &in)
	if err != nil {
		return out, err
	}
	seqs, next, err := e.cfg.History.Changes(ctx, history.ChangeQuery{Tenant: tenant, FromMS: unixMS(in.From), ToMS: unixMS(in.To), Page: page})
	if err != nil {
		return out, storeError(err)
	}
	for _, seq := range seqs {
		c, err := e.changeAt(ctx, seq)
		if err != nil {
			return out, err
		}
		out.Data = append(out.Data, c)
	}
	out.NextCursor = nextCursor('m', next)
	return out, e.nameActors(ctx, out.Data)
}

func (e *Engine) auditPage(ctx context.Context, tenant string, in *ListInput) (p history.Page, err error) {
	if tenant != "" {
		return e.list(ctx, tenant, in, 'm')
	}
	if p.Limit, err = in.limit(); err != nil {
		return p, err
	}
	if p.After, err = decodeCursor('m', in.Cursor); err != nil {
		return p, err
	}
	p.Ascending = in.Ascending
	return p, e.seeAll(ctx, in.MinSeq)
}

func (e *Engine) changeAt(ctx context.Context, seq eventlog.Seq) (c Change, err error) {
	r, err := e.cfg.Log.Get(ctx, seq)
	if err != nil {
		return c, storeError(err)
	}
	if c.StreamRecord, err = e.show(&r); err != nil {
		return c, storeError(err)
	}
	section := uint8(0)
	if r.Type == record.TypeEndpointSecretRotated {
		section = 1 // the first one is the secret
	}
	if int(section) >= len(r.Sections) || r.Type == record.TypeProfileDefined {
		return c, nil
	}
	plain, err := e.openSection(r.Sections[section], record.SealedFor(&r), r.Type, section)
	if isErased(err) {
		c.By = ptr("erased")
		return c, nil
	}
	if err != nil {
		return c, storeError(err)
	}
	var who struct {
		By string `json:"by"`
	}
	if err := json.Unmarshal(plain, &who); err != nil {
		return c, storeError(err)
	}
	c.By = textOrNull(who.By)
	return c, nil
}

// nameActors says whose the keys are.
func (e *Engine) nameActors(ctx context.Context, list []Change) error {
	names := map[string]*string{}
	for i := range list {
		by := list[i].By
		if by == nil {
			continue
		}
		name, known := names[*by]
		if _, isKey := parseID(e.epochs, record.PrefixKey, *by); isKey && !known {
			k, err := e.IssuedKey(ctx, *by)
			if err != nil {
				return err
			}
			name = textOrNull(k.Name)
			names[*by] = name
		}
		list[i].ByName = name
	}
	return nil
}
