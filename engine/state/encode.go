package state

import (
	"encoding/binary"

	"github.com/hookline/hookline/eventlog"
)

// Entities are encoded once for both their hash and the snapshot: a kind byte, then fields in fixed order. In a hash a
// sealed section stands as its sum only, which is what `sealed` leaves out.

func au(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }
func ai(b []byte, v int64) []byte  { return binary.AppendVarint(b, v) }
func as(b []byte, v string) []byte { return append(au(b, uint64(len(v))), v...) }

func ab(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func asec(b []byte, sec eventlog.Section, t eventlog.Type) []byte {
	b = au(b, uint64(t))
	return append(b, sec.Sum[:]...)
}

func (s *State) appendDelivery(b []byte, d *Delivery) []byte {
	b = append(b, kindDelivery)
	b = au(b, uint64(d.Seq))
	b = au(b, uint64(d.Ord))
	b = au(b, uint64(d.Event))
	b = au(b, uint64(s.handles[d.endpoint].Seq))
	b = au(b, uint64(s.policies.at(d.policy).Source))
	b = ai(b, d.Due)
	b = ai(b, d.First)
	b = au(b, uint64(d.Made))
	b = au(b, uint64(d.Plugin))
	return append(b, d.Interruptions, d.flags)
}

func (s *State) appendProfile(b []byte, p *Profile) []byte {
	b = append(b, kindProfile)
	b = au(b, uint64(p.Seq))
	b = as(b, string(p.AppendFacts(nil)))
	return asec(b, p.Content, 0)
}

func appendKey(b []byte, k [32]byte) []byte { return append(append(b, kindKey), k[:]...) }

func (s *State) appendTenant(b []byte, t *Tenant) []byte {
	b = append(b, kindTenant)
	b = as(b, t.ID)
	b = au(b, uint64(t.Seq))
	b = ai(b, t.CreatedAt)
	b = au(b, uint64(t.Profile))
	b = ab(b, t.ManagementEvents)
	b = ab(b, t.Deleted)
	b = au(b, t.RouteVersion)
	b = au(b, t.NextNumber)
	b = asec(b, t.Private, t.PrivateType)
	if t.Erased { // nothing where it is not: digests of logs without erasures stay what they were
		b = ai(b, t.ErasedAt)
	}
	return b
}

func (s *State) appendEndpoint(b []byte, e *Endpoint) []byte {
	b = append(b, kindEndpoint)
	b = au(b, uint64(e.Seq))
	b = as(b, e.Tenant.ID)
	b = ai(b, e.CreatedAt)
	b = au(b, uint64(e.Version))
	b = as(b, string(e.Config.AppendFacts(nil)))
	b = ai(b, e.DisabledAt)
	b = append(b, byte(e.DisabledReason))
	b = ai(b, e.SuppressedAt)
	b = au(b, uint64(e.Failures))
	b = au(b, uint64(s.policies.at(e.policy).Source))
	b = asec(b, e.Private, e.PrivateType)
	b = append(b, e.SecretSection)
	b = asec(b, e.Secret, e.SecretType)
	if p := e.Previous; p != nil { // nothing where there is none: digests of logs without overlaps stay what they were
		b = ai(b, p.Until)
		b = append(b, p.Section)
		b = asec(b, p.Secret, p.Type)
	}
	if e.Consented { // ditto; a previous secret never ends at 0
		b = au(ai(b, 0), uint64(e.ConsentRate))
	}
	return b
}

func appendSubscription(b []byte, p *Subscription) []byte {
	b = append(b, kindSubscription)
	b = au(b, uint64(p.Seq))
	b = ai(b, p.CreatedAt)
	b = au(b, uint64(p.Endpoint.Seq))
	b = au(b, uint64(len(p.EventTypes)))
	for _, t := range p.EventTypes {
		b = as(b, t)
	}
	b = asec(b, p.Private, p.PrivateType)
	if p.Shadow || p.Failures > 0 { // nothing where there is neither: digests of logs without stay what they were
		b = au(au(ab(b, p.Shadow), p.Failures), uint64(p.LastFailure))
	}
	return b
}

// appendVersion stands in snapshots only: the version follows from the log, and digests have what it says.
func appendVersion(b []byte, p *Subscription) []byte {
	return au(au(append(b, kindVersion), uint64(p.Seq)), uint64(p.Version))
}
