package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookline/hookline/cmd/hookline/demo/client"
)

const (
	listRounds = 100 // of every form of list
	listPage   = 50
)

// list measures pages of 50 deliveries of a tenant that has Options.Records of them: the forms that people use, at the
// newest page and deep inside.
func (m *measuring) list(ctx context.Context) error {
	p, err := m.deliver(ctx, m.o.Records)
	if err != nil {
		return err
	}
	began := time.Unix(0, p.First)
	forms, err := m.listForms(ctx, began, began.Add(p.Elapsed))
	if err != nil {
		return err
	}
	out := &Listing{Deliveries: m.next, ByForm: map[string]float64{}}
	var all []float64
	for _, f := range forms {
		took, err := m.listForm(ctx, f.name, f.query)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		slices.Sort(took)
		out.ByForm[f.name] = quantile(took, 0.99)
		all = append(all, took...)
	}
	slices.Sort(all)
	out.P50, out.P99, out.Max = quantile(all, 0.50), quantile(all, 0.99), all[len(all)-1]
	m.out.Listing = out
	return nil
}

type listForm struct {
	name  string
	query url.Values
}

func (m *measuring) listForms(ctx context.Context, from, to time.Time) ([]listForm, error) {
	var eps client.Page[struct {
		ID string `json:"id"`
	}]
	if err := m.s.api.Do(ctx, http.MethodGet, "/v1/tenants/"+tenant+"/endpoints?limit=1", nil, &eps); err != nil {
		return nil, err
	}
	at := func(share float64) string {
		return from.Add(time.Duration(share * float64(to.Sub(from)))).UTC().Format(time.RFC3339Nano)
	}
	return []listForm{
		{"newest", url.Values{}},
		{"succeeded", url.Values{"status": {"succeeded"}}},
		{"exhausted (none)", url.Values{"status": {"exhausted"}}},
		{"pending (none)", url.Values{"status": {"pending"}}},
		{"of an endpoint", url.Values{"endpoint_id": {eps.Data[0].ID}}},
		{"of a type", url.Values{"event_type": {string(appendType(nil, 0, m.row.addresses, false))}}},
		{"of a time", url.Values{"from": {at(0.4)}, "to": {at(0.6)}}},
	}, nil
}

// listForm walks pages one after the other: the first is the newest, the others lie behind it.
func (m *measuring) listForm(ctx context.Context, name string, q url.Values) (ms []float64, err error) {
	q.Set("limit", fmt.Sprint(listPage))
	for range listRounds {
		var p client.Page[json.RawMessage]
		began := time.Now()
		if err := m.s.api.Do(ctx, http.MethodGet, "/v1/tenants/"+tenant+"/deliveries?"+q.Encode(), nil, &p); err != nil {
			return nil, err
		}
		if empty := strings.HasSuffix(name, "(none)"); empty != (len(p.Data) == 0) {
			return nil, fmt.Errorf("bench: a page has %d deliveries", len(p.Data))
		}
		ms = append(ms, float64(time.Since(began))/float64(time.Millisecond))
		if p.NextCursor == nil {
			q.Del("cursor")
			continue
		}
		q.Set("cursor", *p.NextCursor)
	}
	return ms, nil
}
