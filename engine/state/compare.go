package state

// Same says whether two are equal in all that a digest covers. They may be of two states of one log.
func (t *Tenant) Same(o *Tenant) bool { return t.hash == o.hash }

// Same says whether two are equal in all that a digest covers: config, secret, gates, failures.
func (e *Endpoint) Same(o *Endpoint) bool { return e.hash == o.hash }

// Same says whether two are equal in all that a digest covers.
func (p *Subscription) Same(o *Subscription) bool { return p.hash == o.hash }

// EachEndpoint calls f for every endpoint of every tenant, in no particular order.
func (s *State) EachEndpoint(f func(*Endpoint)) {
	for _, e := range s.endpoints {
		f(e)
	}
}

// EachSubscription calls f for every subscription of every tenant, in no particular order.
func (s *State) EachSubscription(f func(*Subscription)) {
	for _, p := range s.subscriptions {
		f(p)
	}
}
