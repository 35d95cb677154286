package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/hookline/hookline/engine"
)

// dnsimpleAccount is what a client learns of the account that its token is for: with the id it builds its paths.
type dnsimpleAccount struct {
	ID        int64       `json:"id"`
	Email     string      `json:"email"`
	Name      string      `json:"name"`
	CreatedAt engine.Time `json:"created_at"`
}

// dnsimpleWho is whom a token stands for; user is always null, since people are no part of this.
type dnsimpleWho struct {
	User    *struct{}        `json:"user"`
	Account *dnsimpleAccount `json:"account"`
}

type dnsimpleWhoAnswer struct {
	Data dnsimpleWho `json:"data"`
}

func dnsimpleWhoami() *operation {
	return &operation{method: http.MethodGet, path: "/v2/whoami", id: "dnsimple-whoami", tag: dnsimpleTag, status: 200, need: needKey,
		summary: "Whom a key stands for", answer: dnsimpleWhoAnswer{},
		doc: "The account of a key that is bound to one and may read it; null for any other key.",
		handle: func(c *call) error {
			if !c.who.Bound() || !grants(c.who, needRead) {
				return c.json(c.op.status, dnsimpleWhoAnswer{})
			}
			t, err := c.svc.Tenant(c.r.Context(), c.who.Tenant)
			if err != nil {
				return unless(err, noAccount(c.who.Tenant))
			}
			account, err := accountOf(t)
			if err != nil {
				return err
			}
			return c.json(c.op.status, dnsimpleWhoAnswer{Data: dnsimpleWho{Account: account}})
		}}
}

// accountOf is nil for a tenant that has no account here. The id is the one of its paths where that is a number, as it is
// with DNSimple; else the one that its deliveries name, or 0 when no client could hold that.
func accountOf(t engine.Tenant) (*dnsimpleAccount, error) {
	if t.Profile != "dnsimple" {
		return nil, nil
	}
	var attributes struct {
		ID         json.Number `json:"id"`
		Identifier string      `json:"identifier"`
		Display    string      `json:"display"`
	}
	if err := json.Unmarshal(t.Attributes, &attributes); err != nil {
		return nil, err
	}
	a := &dnsimpleAccount{Email: attributes.Identifier, Name: attributes.Display, CreatedAt: t.CreatedAt}
	if n, err := strconv.ParseInt(t.ID, 10, 64); err == nil && n > 0 && strconv.FormatInt(n, 10) == t.ID {
		a.ID = n
	} else if n, err := attributes.ID.Int64(); err == nil {
		a.ID = n
	}
	return a, nil
}
