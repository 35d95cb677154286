package engine

import (
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// viewChanges is what lies between a tenant's last view and the state.
type viewChanges struct {
	none        bool // the last view is the state's
	all         bool // put is everything there is
	version     uint64
	profile     eventlog.Seq
	private     eventlog.Section
	privateType eventlog.Type
	put         []viewPut
	out         []uint64 // keys
}

// routeJournal is what has changed about a tenant's routing since its last view was begun. It belongs to the sequencer.
type routeJournal struct {
	base      uint64 // route version of that view
	subs      map[eventlog.Seq]struct{}
	endpoints map[eventlog.Seq]struct{} // their schedules may be others
	all       bool                      // too much, or a profile
}

// maxJournal is how many changes are noted before the next view is made of everything.
const maxJournal = 10_000

// noteRoute notes what a record is about to change about routing. Called before it is applied.
func (s *sequencer) noteRoute(r *eventlog.Record) {
	s.noteShadows(r)
	switch r.Type {
	case record.TypeSubscriptionCreated, record.TypeSubscriptionUpdated, record.TypeSubscriptionDeleted,
		record.TypeEndpointCreated, record.TypeEndpointUpdated, record.TypeEndpointDeleted, record.TypeTenantUpdated:
		s.e.dropView(r.Tenant)
		if j := s.routes[r.Tenant]; j != nil && !j.all {
			s.noteIn(j, r)
		}
	case record.TypeTenantDeleted, record.TypeTenantErased:
		s.e.views.Delete(r.Tenant)
		delete(s.routes, r.Tenant)
	case record.TypeProfileDefined: // tenants follow their profile
		for tenant, j := range s.routes {
			j.all = true
			s.e.dropView(tenant)
		}
	}
}

func (s *sequencer) noteIn(j *routeJournal, r *eventlog.Record) {
	switch r.Type {
	case record.TypeSubscriptionCreated:
		j.subscription(r.Seq)
	case record.TypeSubscriptionUpdated, record.TypeSubscriptionDeleted:
		var f record.Subscription
		j.all = f.Decode(r.Facts) != nil
		j.subscription(f.Subscription)
	case record.TypeEndpointUpdated:
		var f record.Endpoint
		j.all = f.Decode(r.Facts) != nil
		if j.endpoints == nil {
			j.endpoints = map[eventlog.Seq]struct{}{}
		}
		j.endpoints[f.Endpoint] = struct{}{}
	case record.TypeEndpointDeleted:
		var f record.EndpointChange
		j.all = f.Decode(r.Facts) != nil
		if ep, ok := s.st.Endpoint(r.Tenant, f.Endpoint); ok {
			for _, p := range ep.Subscriptions {
				j.subscription(p.Seq)
			}
		}
	case record.TypeTenantUpdated:
		j.all = true // perhaps another profile; filters are not compiled again for that
	}
	if len(j.subs)+len(j.endpoints) > maxJournal {
		*j = routeJournal{all: true}
	}
}

func (j *routeJournal) subscription(seq eventlog.Seq) {
	if j.subs == nil {
		j.subs = map[eventlog.Seq]struct{}{}
	}
	j.subs[seq] = struct{}{}
}

// take collects the changes, in the sequencer, and begins the journal for the view that is made of them.
func (c *viewChanges) take(s *sequencer, tenant string, last *tenantView) error {
	t, ok := s.st.Tenant(tenant)
	if !ok {
		return notFound("tenant", tenant)
	}
	if last != nil && last.version == t.RouteVersion {
		c.none = true
		return nil
	}
	c.version, c.profile = t.RouteVersion, t.Profile
	c.private, c.privateType = t.Private, t.PrivateType
	j := s.routes[tenant]
	if last != nil && j != nil && !j.all && j.base == last.version {
		c.changed(s, tenant, j, last)
	} else {
		c.all = true
		c.put = make([]viewPut, 0, len(t.Subscriptions))
		for _, p := range t.Subscriptions {
			c.add(s, p)
		}
	}
	s.routes[tenant] = &routeJournal{base: c.version}
	return nil
}

func (c *viewChanges) changed(s *sequencer, tenant string, j *routeJournal, last *tenantView) {
	for seq := range j.subs {
		if p, ok := s.st.Subscription(tenant, seq); ok {
			c.add(s, p)
		} else {
			c.out = append(c.out, uint64(seq))
		}
	}
	for seq := range j.endpoints {
		ep, ok := s.st.Endpoint(tenant, seq)
		if !ok {
			continue
		}
		attempts := maxAttempts(s, ep)
		for _, p := range ep.Subscriptions {
			if _, noted := j.subs[p.Seq]; noted {
				continue
			}
			if had, ok := last.index.Get(uint64(p.Seq)); !ok || had.Value.(*viewSubscription).maxAttempts != attempts {
				c.add(s, p)
			}
		}
	}
}

func (c *viewChanges) add(s *sequencer, p *state.Subscription) {
	c.put = append(c.put, viewPut{*p, viewSubscription{seq: p.Seq, endpoint: p.Endpoint.Seq,
		maxAttempts: maxAttempts(s, p.Endpoint), private: p.Private.Sum}})
}

func maxAttempts(s *sequencer, ep *state.Endpoint) uint8 {
	return uint8(s.st.PolicyOfEndpoint(ep).Schedule.MaxAttempts())
}
