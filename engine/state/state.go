// Package state is what decisions need, in memory: tenants, endpoints, subscriptions, pending deliveries. It is a
// deterministic fold of the log (promise 3): Apply reads facts only, never a clock, a filter or a key; sealed sections
// are kept sealed.
//
// A State belongs to one goroutine, the sequencer's; nothing here locks. Encode and Decode are its snapshot form.
package state

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// ErrInconsistent: a record refers to something that the state does not have. The log or this build is wrong.
var ErrInconsistent = errors.New("state: record does not fit the state")

// State is the fold of all records up to Seq.
type State struct {
	Seq  eventlog.Seq
	Time int64 // of the record at Seq

	epochs        []Epoch
	profiles      []*Profile // by seq
	key           *[32]byte
	keys          []*Key     // by seq
	sessions      []*Session // by seq
	tenants       map[string]*Tenant
	endpoints     map[eventlog.Seq]*Endpoint
	subscriptions map[eventlog.Seq]*Subscription
	handles       []*Endpoint // by Delivery.endpoint
	freeHandles   []uint32
	removals      []*Removal // by rule
	policies      policies
	heldBy        map[string]int // deliveries, by transport
	digest        Digest
	scratch       []byte

	Pending *Pending

	event record.EventPublished // decoded in place of the record being applied
	ended record.DeliveriesEnded
}

// Epoch is one writer's time: ids of records from First on carry Tag.
type Epoch struct {
	First eventlog.Seq
	Tag   uint32
}

// Profile is a version of a profile.
type Profile struct {
	Seq eventlog.Seq
	record.ProfileDefined
	Content eventlog.Section
}

// Tenant is one customer of the provider. A deleted one stays, so that its id is never free again.
type Tenant struct {
	ID               string
	Seq              eventlog.Seq // of tenant.created
	CreatedAt        int64
	Profile          eventlog.Seq
	ManagementEvents bool
	Deleted          bool
	Erased           bool  // deleted too
	ErasedAt         int64 // Unix ms, with Erased
	Private          eventlog.Section
	PrivateType      eventlog.Type // of the record it was sealed in
	RouteVersion     uint64        // seq of the last record that changed how its events are routed
	NextNumber       uint64
	Endpoints        []*Endpoint     // oldest first
	Subscriptions    []*Subscription // oldest first
	Recoveries       []*Recovery     // oldest first: running ones and the newest that have ended
	hash             Digest
}

// Endpoint is a customer's address.
type Endpoint struct {
	Seq            eventlog.Seq // of endpoint.created
	Tenant         *Tenant
	CreatedAt      int64
	Version        eventlog.Seq // of the record that last set config or secret
	Config         record.Endpoint
	Private        eventlog.Section
	PrivateType    eventlog.Type
	Secret         eventlog.Section
	SecretType     eventlog.Type
	SecretSection  uint8
	Consented      bool            // its receiver said yes to a handshake about the present URL
	ConsentRate    uint32          // attempts a minute that it allowed; 0 = any
	Previous       *PreviousSecret // nil = none, or its time was over when the endpoint last changed
	DisabledAt     int64           // Unix ms; 0 = gate open
	DisabledReason record.Reason
	SuppressedAt   int64
	Failures       uint32          // consecutive
	Subscriptions  []*Subscription // oldest first
	Pending        int             // deliveries
	Held           int             // of those, by plugin_fault
	Unattempted    int             // of those that a recovery created: waiting for their first attempt
	Recovery       *Recovery       // running; nil = none
	handle         uint32
	policy         uint32
	hash           Digest
}

// PreviousSecret is a secret that was replaced and still signs beside the new one, until a record time.
type PreviousSecret struct {
	Secret  eventlog.Section
	Type    eventlog.Type // of the record it was sealed in
	Section uint8
	Until   int64 // Unix ms
}

// PreviousAt is the previous secret at a time; nil when there is none or its time is over.
func (e *Endpoint) PreviousAt(now int64) *PreviousSecret {
	if e.Previous == nil || now >= e.Previous.Until {
		return nil
	}
	return e.Previous
}

// Blocked says whether a gate is closed, and which reason a skipped delivery gets.
func (e *Endpoint) Blocked() (record.Reason, bool) {
	switch {
	case e.DisabledAt != 0:
		return record.ReasonDisabled, true
	case e.SuppressedAt != 0:
		return record.ReasonSuppressed, true
	}
	return record.ReasonNone, false
}

// Status derives from the gates.
func (e *Endpoint) Status() string {
	switch {
	case e.DisabledAt != 0:
		return "disabled"
	case e.SuppressedAt != 0:
		return "suppressed"
	}
	return "enabled"
}

// Handle is a small number for this endpoint while it lives.
func (e *Endpoint) Handle() uint32 { return e.handle }

// Subscription routes event types to an endpoint.
type Subscription struct {
	Seq         eventlog.Seq
	Version     eventlog.Seq // of the record that last set it
	CreatedAt   int64
	Endpoint    *Endpoint
	EventTypes  []string
	Shadow      bool         // it delivers nothing
	Failures    uint64       // events of this version that its filter failed on
	LastFailure eventlog.Seq // of the newest of them
	Private     eventlog.Section
	PrivateType eventlog.Type
	hash        Digest
}

// New is the state before all records.
func New() *State {
	return &State{
		tenants:       map[string]*Tenant{},
		endpoints:     map[eventlog.Seq]*Endpoint{},
		subscriptions: map[eventlog.Seq]*Subscription{},
		policies:      policies{index: map[eventlog.Seq]uint32{}},
		heldBy:        map[string]int{},
		Pending:       newPending(),
	}
}

// Digest stands for the whole state but for its epochs, seq and time.
func (s *State) Digest() Digest { return s.digest }

// Tenant finds a tenant that is not deleted.
func (s *State) Tenant(id string) (*Tenant, bool) {
	t, ok := s.tenants[id]
	return t, ok && !t.Deleted
}

// AnyTenant finds a tenant, deleted or not.
func (s *State) AnyTenant(id string) (*Tenant, bool) {
	t, ok := s.tenants[id]
	return t, ok
}

// TenantTaken says whether the id is or was ever in use.
func (s *State) TenantTaken(id string) bool { return s.tenants[id] != nil }

// Tenants calls f for every tenant that is not deleted, in no particular order.
func (s *State) Tenants(f func(*Tenant)) {
	for _, t := range s.tenants {
		if !t.Deleted {
			f(t)
		}
	}
}

// AllTenants calls f for every tenant, deleted ones included, oldest first.
func (s *State) AllTenants(f func(*Tenant)) {
	for _, t := range s.sortedTenants() {
		f(t)
	}
}

// ErasedTenants are the ids of those that were erased, oldest first.
func (s *State) ErasedTenants() (ids []string) {
	s.AllTenants(func(t *Tenant) {
		if t.Erased {
			ids = append(ids, t.ID)
		}
	})
	return ids
}

// Endpoint finds an endpoint of a tenant.
func (s *State) Endpoint(tenant string, seq eventlog.Seq) (*Endpoint, bool) {
	e, ok := s.endpoints[seq]
	return e, ok && e.Tenant.ID == tenant
}

// EndpointAt finds an endpoint of any tenant.
func (s *State) EndpointAt(seq eventlog.Seq) (*Endpoint, bool) {
	e, ok := s.endpoints[seq]
	return e, ok
}

// EndpointOf is the endpoint of a pending delivery.
func (s *State) EndpointOf(d *Delivery) *Endpoint { return s.handles[d.endpoint] }

// PolicyOf is the schedule that a pending delivery began with.
func (s *State) PolicyOf(d *Delivery) *Policy { return s.policies.at(d.policy) }

// PolicyOfEndpoint is the schedule that a new delivery to this endpoint begins with.
func (s *State) PolicyOfEndpoint(e *Endpoint) *Policy { return s.policies.at(e.policy) }

// Subscription finds a subscription of a tenant.
func (s *State) Subscription(tenant string, seq eventlog.Seq) (*Subscription, bool) {
	p, ok := s.subscriptions[seq]
	return p, ok && p.Endpoint.Tenant.ID == tenant
}

// Profile finds a profile version by the seq of its record. There may be many, and every attempt asks.
func (s *State) Profile(seq eventlog.Seq) (*Profile, bool) {
	i, ok := slices.BinarySearchFunc(s.profiles, seq, func(p *Profile, seq eventlog.Seq) int { return cmp.Compare(p.Seq, seq) })
	if !ok {
		return nil, false
	}
	return s.profiles[i], true
}

// LatestProfile is the newest version of a name.
func (s *State) LatestProfile(name string) (*Profile, bool) {
	for i := len(s.profiles) - 1; i >= 0; i-- {
		if s.profiles[i].Name == name {
			return s.profiles[i], true
		}
	}
	return nil, false
}

// ProfileAsOf is the newest version of a name that a record up to a seq defined.
func (s *State) ProfileAsOf(name string, seq eventlog.Seq) (*Profile, bool) {
	for i := len(s.profiles) - 1; i >= 0; i-- {
		if p := s.profiles[i]; p.Name == name && p.Seq <= seq {
			return p, true
		}
	}
	return nil, false
}

// LatestProfiles are the newest versions of all names, by name.
func (s *State) LatestProfiles() []*Profile {
	newest := map[string]*Profile{}
	for _, p := range s.profiles {
		newest[p.Name] = p
	}
	list := make([]*Profile, 0, len(newest))
	for _, name := range slices.Sorted(maps.Keys(newest)) {
		list = append(list, newest[name])
	}
	return list
}

// Key is the hash of the admin key; nil before the first.
func (s *State) Key() *[32]byte { return s.key }

// Endpoints is how many live endpoints there are.
func (s *State) Endpoints() int { return len(s.endpoints) }

// Epochs are the writers' times so far, oldest first. The slice is only appended to: a reader may keep it.
func (s *State) Epochs() []Epoch { return s.epochs }

// TagAt is the tag that ids of records at seq carry.
func TagAt(epochs []Epoch, seq eventlog.Seq) (uint32, bool) {
	for i := len(epochs) - 1; i >= 0; i-- {
		if epochs[i].First <= seq {
			return epochs[i].Tag, true
		}
	}
	return 0, false
}

func (s *State) inconsistent(r *eventlog.Record, format string, args ...any) error {
	return inconsistentRecord(r, format, args...)
}

func inconsistentRecord(r *eventlog.Record, format string, args ...any) error {
	return fmt.Errorf("%w: seq %d, %s: %s", ErrInconsistent, r.Seq, record.Name(r.Type), fmt.Sprintf(format, args...))
}
