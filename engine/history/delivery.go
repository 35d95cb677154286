package history

import (
	"bytes"
	"errors"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// DeliveryRow is a delivery as it stood.
type DeliveryRow struct {
	Endpoint    eventlog.Seq
	Ref         record.Ref
	Event       eventlog.Seq
	EventID     string
	EventType   string
	Status      record.Status
	Reason      record.Reason
	Made        uint16 // finished attempts
	MaxAttempts uint8  // by the schedule it began with
	NextDue     int64  // Unix ms; 0 unless pending
	ResendOf    record.Ref
	CreatedMS   int64        // record time, Unix ms
	Version     eventlog.Seq // of the record that says so
}

// deliveryCursor reads deliveries as of a seq: their creation and, where they soon succeeded, their end in the list of their
// endpoint, all else in the d keys. It belongs to one query.
type deliveryCursor struct {
	it   *projection.Iter // over d keys
	near arounds          // the same state of the store
	asOf eventlog.Seq
	err  error
	key  []byte

	// The delivery read last. id and typ are the cursor's own.
	row     DeliveryRow
	id, typ []byte
}

func (h *History) deliveryCursor(asOf eventlog.Seq) (*deliveryCursor, error) {
	it, err := h.store.Iter([]byte{keyDelivery}, []byte{keyDelivery + 1})
	if err != nil {
		return nil, err
	}
	return &deliveryCursor{it: it, near: arounds{h: h, like: it}, asOf: asOf}, nil
}

func (c *deliveryCursor) close() error {
	if err := errors.Join(c.near.close(), c.it.Close()); err != nil {
		return err
	}
	return c.err
}

// created is the creation of a delivery, nil when there is none.
func (c *deliveryCursor) created(near *around, endpoint eventlog.Seq, ref record.Ref) *row {
	if near == nil {
		return nil
	}
	if r := near.find(endpoint, ref.Seq); r != nil && r.kind == rowCreated && r.ref == ref && r.seq <= c.asOf {
		return r
	}
	return nil
}

// read puts what is said about a delivery together into c.row (without the strings, which stay in c.id and c.typ). It
// says false when there is none.
func (c *deliveryCursor) read(d candidate) bool {
	near := c.near.of(d.endpoint)
	r := c.created(near, d.endpoint, d.ref)
	if r == nil {
		return false
	}
	c.row = DeliveryRow{Endpoint: d.endpoint, Ref: d.ref, Event: r.event, Status: record.Pending, MaxAttempts: r.max,
		NextDue: r.due, ResendOf: r.resendOf, CreatedMS: r.time, Version: r.seq}
	c.id, c.typ = append(c.id[:0], r.id...), append(c.typ[:0], r.typ...)
	if !d.unsuccessful {
		// Nothing is said about a delivery after its success.
		if s, ok := near.success(d.ref); ok && s.seq <= c.asOf {
			c.row.Status, c.row.NextDue, c.row.Version, c.row.Made = record.Succeeded, 0, s.seq, s.number
			return true
		}
	}
	var v versions
	for version, value := range c.versions(d.endpoint, d.ref) {
		if c.err = v.add(&c.row, version, value); c.err != nil {
			return false
		}
		if v.stood && v.made {
			break
		}
	}
	if c.row.Status != record.Pending {
		c.row.NextDue = 0
	}
	return true
}

// versions yields what the d keys say about a delivery up to asOf, newest first. The values are valid until the next one.
func (c *deliveryCursor) versions(endpoint eventlog.Seq, ref record.Ref) func(yield func(eventlog.Seq, []byte) bool) {
	return func(yield func(eventlog.Seq, []byte) bool) {
		c.key = append(appendDelivery(c.key[:0], endpoint, ref, c.asOf), 0)
		for ok := c.it.SeekLT(c.key); ok && bytes.HasPrefix(c.it.Key(), c.key[:deliveryLen]); ok = c.it.Prev() {
			if !yield(lastSeq(c.it.Key()), c.it.Value()) {
				return
			}
		}
	}
}

// full is the row with its strings.
func (c *deliveryCursor) full() DeliveryRow {
	r := c.row
	r.EventID, r.EventType = string(c.id), string(c.typ)
	return r
}

// versions puts what the versions say into a row, newest first: the first one to say something wins.
type versions struct{ stood, made bool }

func (v *versions) add(r *DeliveryRow, version eventlog.Seq, value []byte) error {
	f := fields{b: value}
	switch f.u8() {
	case versionAttempt:
		status, reason, number := record.Status(f.u8()), record.Reason(f.u8()), uint16(f.u())
		var due int64
		if status == record.Pending {
			due = f.i()
		}
		v.count(r, number)
		v.stand(r, version, status, reason, due)
	case versionInterrupted:
		reason := record.ReasonNone
		if f.u8() == 1 {
			reason = record.ReasonPluginFault
		}
		number := uint16(f.u())
		v.count(r, max(number, 1)-1)
		v.stand(r, version, record.Pending, reason, f.i())
	case versionEnded:
		status, reason := record.Status(f.u8()), record.Reason(f.u8())
		v.stand(r, version, status, reason, 0)
	case versionReleased:
		v.stand(r, version, record.Pending, record.ReasonNone, f.i())
	default:
		f.fail()
	}
	return f.end("delivery")
}

func (v *versions) stand(r *DeliveryRow, version eventlog.Seq, s record.Status, reason record.Reason, due int64) {
	if !v.stood {
		v.stood, r.Version, r.Status, r.Reason, r.NextDue = true, version, s, reason, due
	}
}

func (v *versions) count(r *DeliveryRow, made uint16) {
	if !v.made {
		v.made, r.Made = true, made
	}
}

// Delivery returns one delivery of an endpoint at present. found is false when there is none.
func (h *History) Delivery(endpoint eventlog.Seq, ref record.Ref) (row DeliveryRow, found bool, err error) {
	return h.deliveryAsOf(endpoint, ref, maxSeq)
}

func (h *History) deliveryAsOf(endpoint eventlog.Seq, ref record.Ref, asOf eventlog.Seq) (row DeliveryRow, found bool, err error) {
	c, err := h.deliveryCursor(asOf)
	if err != nil {
		return row, false, err
	}
	if found = c.read(candidate{endpoint: endpoint, ref: ref}); found {
		row = c.full()
	}
	return row, found, c.close()
}

// DeliveryAny returns one delivery of a tenant whose endpoint is not known, at present.
func (h *History) DeliveryAny(tenant string, ref record.Ref) (row DeliveryRow, found bool, err error) {
	return h.DeliveryAsOf(tenant, ref, 0)
}

// DeliveryAsOf is DeliveryAny as when the record at a seq was the newest; 0 = the present. The seq must be applied.
func (h *History) DeliveryAsOf(tenant string, ref record.Ref, asOf eventlog.Seq) (row DeliveryRow, found bool, err error) {
	if asOf == 0 {
		asOf = maxSeq
	}
	endpoint, err := h.endpointOf(tenant, ref)
	if err != nil || endpoint == 0 {
		return row, false, err
	}
	return h.deliveryAsOf(endpoint, ref, asOf)
}

// endpointOf finds the endpoint of a tenant's delivery through the record that created it; 0 when there is none.
func (h *History) endpointOf(tenant string, ref record.Ref) (eventlog.Seq, error) {
	r, err := h.tenantRow(tenant, ref.Seq)
	switch {
	case err != nil || r == nil:
		return 0, err
	case r.kind == rowLater && ref.Ord == 0:
		return r.endpoint, nil
	case r.kind != rowEvent || int(ref.Ord) >= r.count:
		return 0, nil
	}
	for range ref.Ord {
		r.endpoints.u()
	}
	return eventlog.Seq(r.endpoints.u()), nil
}
