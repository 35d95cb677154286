package record

import (
	"slices"
	"strings"

	"github.com/hookline/hookline/eventlog"
)

// Bounds of one body.removed.
const MaxKept = 20_000 // events in Kept, and in Also

// BodyRule says which bodies are removed once they are old, or the oldest of too many.
type BodyRule struct {
	Tenant    string // "" = of all
	EventType string // a name, a beginning like domain.*, or "" = all
	AgeMS     uint64 // 0 = the rule is not by age
	Size      uint64 // bytes of all bodies together; 0 = the rule is not by size
}

// Selects says whether the rule is for bodies of a tenant's event type.
func (r *BodyRule) Selects(tenant, eventType string) bool {
	if r.Tenant != "" && r.Tenant != tenant {
		return false
	}
	if begin, ok := strings.CutSuffix(r.EventType, "*"); ok {
		return strings.HasPrefix(eventType, begin)
	}
	return r.EventType == "" || r.EventType == eventType
}

// BodyRemoved is body.removed: the bodies that a rule selects among the records after After, up to Upto, are gone for good,
// but those of events in Kept, which pending deliveries still need; and those of events in Also, which an earlier record
// kept. Of an event its body goes, of an attempt what was sent and what came back, of a test both. The record is durable
// before the first body goes; what it covers may be removed again and again.
type BodyRemoved struct {
	Rule  BodyRule
	After eventlog.Seq
	Upto  eventlog.Seq
	Kept  []eventlog.Seq // events, rising; at most MaxKept
	Also  []eventlog.Seq // events, rising; at most MaxKept
}

func (p *BodyRemoved) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.s(p.Rule.Tenant)
	e.s(p.Rule.EventType)
	e.u(p.Rule.AgeMS)
	e.u(p.Rule.Size)
	e.u(uint64(p.After))
	e.u(uint64(p.Upto))
	e.seqs(p.Kept)
	e.seqs(p.Also)
	return e
}

func (e *encoder) seqs(list []eventlog.Seq) {
	e.u(uint64(len(list)))
	for _, seq := range list {
		e.u(uint64(seq))
	}
}

func (p *BodyRemoved) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "body.removed"); err != nil {
		return err
	}
	p.Rule = BodyRule{Tenant: d.s(), EventType: d.s(), AgeMS: d.u(), Size: d.u()}
	p.After = eventlog.Seq(d.u())
	p.Upto = eventlog.Seq(d.u())
	p.Kept, p.Also = d.seqs(), d.seqs()
	return d.end("body.removed")
}

func (d *decoder) seqs() (list []eventlog.Seq) {
	n := d.n(1)
	if n > MaxKept {
		d.fail()
		return nil
	}
	for range n {
		list = append(list, eventlog.Seq(d.u()))
	}
	return list
}

// Removes says which sections of a record go by this one, bit 0 the first. It looks at type, tenant and facts.
func (p *BodyRemoved) Removes(r *eventlog.Record) (sections uint16, err error) {
	within := r.Seq > p.After && r.Seq <= p.Upto
	switch r.Type {
	case TypeEventPublished:
		if _, also := slices.BinarySearch(p.Also, r.Seq); also {
			return 1, nil
		}
		if _, kept := slices.BinarySearch(p.Kept, r.Seq); kept || !within {
			return 0, nil
		}
		sections = 1
	case TypeAttemptFinished:
		sections = 1
	case TypeEndpointTested:
		sections = 3
	}
	if sections == 0 || !within {
		return 0, nil
	}
	typ, err := bodyType(r)
	if err != nil || !p.Rule.Selects(r.Tenant, typ) {
		return 0, err
	}
	return sections, nil
}

// bodyType is the event type of a record that has a body.
func bodyType(r *eventlog.Record) (string, error) {
	if r.Type == TypeEventPublished {
		var ev EventPublished
		err := ev.Decode(r.Facts)
		return ev.Type, err
	}
	var a AttemptFinished
	err := a.Decode(r.Facts)
	return a.EventType, err
}
