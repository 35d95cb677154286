package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// differ compares two states by what the API shows of them.
type differ struct {
	e    *Engine
	a, b stateReader
	out  LogDiff
}

// count counts the records between.
func (d *differ) count(ctx context.Context, progress func(eventlog.Seq)) error {
	from, to := d.a.st.Seq, d.b.st.Seq
	if from == to {
		return nil
	}
	counts := map[eventlog.Type]uint64{}
	for b, err := range d.e.cfg.Log.ReadBatches(ctx, from) {
		if err != nil {
			return storeError(err)
		}
		for i := range b.Records {
			if seq := b.Records[i].Seq; seq > from && seq <= to {
				counts[b.Records[i].Type]++
			}
		}
		if progress != nil {
			progress(min(b.Last(), to) - from)
		}
		if b.Last() >= to {
			break
		}
	}
	for t, n := range counts {
		d.out.Records[record.Name(t)] = n
	}
	return nil
}

func (d *differ) profiles() error {
	old := map[string]*state.Profile{}
	for _, p := range d.a.st.LatestProfiles() {
		old[p.Name] = p
	}
	for _, p := range d.b.st.LatestProfiles() {
		was := old[p.Name]
		if was != nil && was.Seq == p.Seq {
			continue
		}
		version := func(p *state.Profile) any {
			if p == nil {
				return nil
			}
			return struct {
				Version uint32 `json:"version"`
			}{p.Version}
		}
		if err := d.add("profile", p.Name, nil, version(was), version(p), nil); err != nil {
			return err
		}
	}
	return nil
}

func (d *differ) tenants() error {
	a, b := tenantsOf(d.a.st), tenantsOf(d.b.st)
	return each(a, b, (*state.Tenant).Same, func(was, is *state.Tenant) error {
		x, err1 := object(was, d.a.sealedTenant, d.e.tenantObject)
		y, err2 := object(is, d.b.sealedTenant, d.e.tenantObject)
		return d.add("tenant", cmp.Or(was, is).ID, nil, x, y, cmp.Or(err1, err2))
	})
}

func (d *differ) endpoints() error {
	a, b := map[eventlog.Seq]*state.Endpoint{}, map[eventlog.Seq]*state.Endpoint{}
	d.a.st.EachEndpoint(func(ep *state.Endpoint) { a[ep.Seq] = ep })
	d.b.st.EachEndpoint(func(ep *state.Endpoint) { b[ep.Seq] = ep })
	return each(a, b, (*state.Endpoint).Same, func(was, is *state.Endpoint) error {
		x, err1 := object(was, d.a.sealedEndpoint, d.e.endpointObject)
		y, err2 := object(is, d.b.sealedEndpoint, d.e.endpointObject)
		var hidden []FieldChange
		if was != nil && is != nil && was.Secret.Sum != is.Secret.Sum {
			hidden = append(hidden, FieldChange{Field: "secret", From: json.RawMessage(`"(the one before)"`), To: json.RawMessage(`"(another)"`)})
		}
		one := cmp.Or(was, is)
		return d.add("endpoint", d.e.id(record.PrefixEndpoint, one.Seq, 0), &one.Tenant.ID, x, y, cmp.Or(err1, err2), hidden...)
	})
}

func (d *differ) subscriptions() error {
	a, b := map[eventlog.Seq]*state.Subscription{}, map[eventlog.Seq]*state.Subscription{}
	d.a.st.EachSubscription(func(p *state.Subscription) { a[p.Seq] = p })
	d.b.st.EachSubscription(func(p *state.Subscription) { b[p.Seq] = p })
	return each(a, b, (*state.Subscription).Same, func(was, is *state.Subscription) error {
		x, err1 := object(was, d.a.sealedSubscription, d.e.subscriptionObject)
		y, err2 := object(is, d.b.sealedSubscription, d.e.subscriptionObject)
		one := cmp.Or(was, is)
		return d.add("subscription", d.e.id(record.PrefixSubscription, one.Seq, 0), &one.Endpoint.Tenant.ID, x, y, cmp.Or(err1, err2))
	})
}

func tenantsOf(st *state.State) map[eventlog.Seq]*state.Tenant {
	all := map[eventlog.Seq]*state.Tenant{}
	st.Tenants(func(t *state.Tenant) { all[t.Seq] = t })
	return all
}

// each calls f for what is only on one side (the other is nil) or not the same on both, in order of seqs.
func each[T any](a, b map[eventlog.Seq]*T, same func(*T, *T) bool, f func(was, is *T) error) error {
	union := maps.Clone(a)
	maps.Copy(union, b)
	for _, seq := range slices.Sorted(maps.Keys(union)) {
		was, is := a[seq], b[seq]
		if was != nil && is != nil && same(was, is) {
			continue
		}
		if err := f(was, is); err != nil {
			return err
		}
	}
	return nil
}

// object shows what is there as the API does; nil where nothing is.
func object[T, S, O any](there *T, seal func(*T) S, show func(S) (O, error)) (any, error) {
	if there == nil {
		return nil, nil
	}
	return show(seal(there))
}

// add notes an object that was and is; nil = it was not, or is not. erased is why its content cannot be shown.
func (d *differ) add(kind, id string, tenant *string, was, is any, failed error, hidden ...FieldChange) error {
	if len(d.out.Changes) == maxDiff {
		d.out.Truncated = true
		return nil
	}
	c := ObjectChange{Kind: kind, ID: id, TenantID: tenant, Change: "changed", Fields: []FieldChange{}}
	switch {
	case was == nil:
		c.Change = "created"
	case is == nil:
		c.Change = "deleted"
	}
	switch {
	case isErased(failed):
		c.Erased = true
	case failed != nil:
		return storeError(failed)
	default:
		var err error
		if c.Fields, err = fieldChanges(was, is); err != nil {
			return err
		}
		if c.Fields = append(c.Fields, hidden...); len(c.Fields) == 0 && c.Change == "changed" {
			return nil // what differs is not an object's: how it is routed, or counted
		}
	}
	d.out.Changes = append(d.out.Changes, c)
	return nil
}

func fieldChanges(was, is any) ([]FieldChange, error) {
	a, err := fieldsOf(was)
	if err != nil {
		return nil, err
	}
	b, err := fieldsOf(is)
	if err != nil {
		return nil, err
	}
	union := maps.Clone(a)
	maps.Copy(union, b)
	out := []FieldChange{}
	for _, name := range slices.Sorted(maps.Keys(union)) {
		f := FieldChange{Field: name, From: orNull(a[name]), To: orNull(b[name])}
		if name != "id" && !bytes.Equal(f.From, f.To) {
			out = append(out, f)
		}
	}
	return out, nil
}

func fieldsOf(v any) (map[string]json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	if v == nil {
		return fields, nil
	}
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &fields)
	}
	return fields, err
}

func orNull(b json.RawMessage) json.RawMessage {
	if b == nil {
		return json.RawMessage("null")
	}
	return b
}

// words says all of it in sentences.
func (d *differ) words() {
	if len(d.out.Records) > 0 {
		line := fmt.Sprintf("%d records lie between:", d.out.ToSeq-d.out.FromSeq)
		for i, name := range slices.Sorted(maps.Keys(d.out.Records)) {
			if i > 0 {
				line += ","
			}
			line += fmt.Sprintf(" %d %s", d.out.Records[name], name)
		}
		d.out.Text = append(d.out.Text, line)
	}
	for i := range d.out.Changes {
		d.out.Text = append(d.out.Text, d.out.Changes[i].words())
	}
	switch {
	case d.out.Truncated:
		d.out.Text = append(d.out.Text, fmt.Sprintf("there are more changes than %d: take nearer points", maxDiff))
	case len(d.out.Changes) == 0:
		d.out.Text = append(d.out.Text, "no tenant, endpoint, subscription or profile differs")
	}
}

func (c *ObjectChange) words() string {
	s := c.Kind + " " + c.ID
	if c.TenantID != nil {
		s += " of tenant " + *c.TenantID
	}
	s += " was " + c.Change
	if c.Erased {
		return s + "; its content was erased"
	}
	if c.Change == "deleted" {
		return s
	}
	for i, f := range c.Fields {
		if i == 0 {
			s += ": "
		} else {
			s += ", "
		}
		if c.Change == "created" {
			s += fmt.Sprintf("%s %s", f.Field, f.To)
		} else {
			s += fmt.Sprintf("%s %s -> %s", f.Field, f.From, f.To)
		}
	}
	return s
}
