package state

// countHeld counts a delivery that comes or goes, by itself or with a change, if it is held.
func (s *State) countHeld(d *Delivery, by int) {
	if d.Held() {
		e := s.handles[d.endpoint]
		e.Held += by
		s.heldBy[e.Config.Transport] += by
	}
}

// moveHeld is for an endpoint whose transport is about to be set.
func (s *State) moveHeld(e *Endpoint, transport string) {
	if e.Held > 0 {
		s.heldBy[e.Config.Transport] -= e.Held
		s.heldBy[transport] += e.Held
	}
}

// HeldBy is how many pending deliveries a fault of this transport holds.
func (s *State) HeldBy(transport string) int { return s.heldBy[transport] }
