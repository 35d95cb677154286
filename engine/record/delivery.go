package record

import "github.com/hookline/hookline/eventlog"

// DeliveryCreated is a delivery that a person asked for: a resend, or an event brought to an endpoint that it did not
// match. Its ref is (the record's seq, 0). It is due at once.
type DeliveryCreated struct {
	Event       eventlog.Seq
	EventID     string
	EventType   string
	Endpoint    eventlog.Seq
	ResendOf    Ref          // zero when it is no resend
	MaxAttempts uint8        // by the schedule that the delivery begins with
	Recovery    eventlog.Seq // of the recovery.started that asked for it; 0 = none did. Version 2 only
}

func (c *DeliveryCreated) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	version := byte(1)
	if c.Recovery != 0 {
		version = 2
	}
	e.version(version)
	e.u(uint64(c.Event))
	e.s(c.EventID)
	e.s(c.EventType)
	e.u(uint64(c.Endpoint))
	e.ref(c.ResendOf)
	e.u8(c.MaxAttempts)
	if version == 2 {
		e.u(uint64(c.Recovery))
	}
	return e
}

func (c *DeliveryCreated) Decode(b []byte) error {
	d := decoder{b: b}
	version, err := d.upTo(2, "delivery.created")
	if err != nil {
		return err
	}
	c.Event = eventlog.Seq(d.u())
	c.EventID = d.s()
	c.EventType = d.s()
	c.Endpoint = eventlog.Seq(d.u())
	c.ResendOf = d.ref()
	c.MaxAttempts = d.u8()
	c.Recovery = 0
	if version == 2 {
		if c.Recovery = eventlog.Seq(d.u()); c.Recovery == 0 {
			d.fail() // version 1 says that
		}
	}
	return d.end("delivery.created")
}

func (e *encoder) ref(r Ref) { e.u(uint64(r.Seq)); e.u(uint64(r.Ord)) }

// MaxEnded is how many deliveries one delivery.skipped or delivery.canceled may end.
const MaxEnded = 1000

// DeliveriesEnded is delivery.skipped and delivery.canceled: deliveries of one endpoint that end without an attempt.
type DeliveriesEnded struct {
	Endpoint   eventlog.Seq
	Reason     Reason
	Deliveries []Ref // at most MaxEnded
}

func (s *DeliveriesEnded) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.u(uint64(s.Endpoint))
	e.u8(byte(s.Reason))
	e.u(uint64(len(s.Deliveries)))
	for _, r := range s.Deliveries {
		e.ref(r)
	}
	return e
}

func (s *DeliveriesEnded) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "deliveries ended"); err != nil {
		return err
	}
	s.Endpoint = eventlog.Seq(d.u())
	s.Reason = Reason(d.u8())
	n := d.n(2)
	if n > MaxEnded {
		d.fail()
		n = 0
	}
	s.Deliveries = s.Deliveries[:0]
	for range n {
		s.Deliveries = append(s.Deliveries, d.ref())
	}
	return d.end("deliveries ended")
}

// DeliveryReleased ends a hold by plugin_fault: the delivery is due at once and its interruptions count anew.
type DeliveryReleased struct {
	Delivery Ref
	Endpoint eventlog.Seq
}

func (r *DeliveryReleased) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.ref(r.Delivery)
	e.u(uint64(r.Endpoint))
	return e
}

func (r *DeliveryReleased) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "delivery.released"); err != nil {
		return err
	}
	r.Delivery = d.ref()
	r.Endpoint = eventlog.Seq(d.u())
	return d.end("delivery.released")
}
