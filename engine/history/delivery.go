package history

import (
	"bytes"
	"fmt"

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

// deliveryCursor walks the d keys of deliveries, and reads each as of a seq. It belongs to one query.
type deliveryCursor struct {
	it   *projection.Iter
	desc bool
	asOf eventlog.Seq
	err  error

	// Where the iterator is: at the first version (in the walk's direction) of the delivery `at`, or past all of them.
	place    cursorPlace
	endpoint eventlog.Seq
	at       record.Ref

	key []byte

	// The delivery read last. id and typ are the cursor's own.
	row     DeliveryRow
	id, typ []byte
}

type cursorPlace uint8

const (
	astray cursorPlace = iota
	ahead              // at the first version of `at`
	past               // behind the last version of `at`
)

func (h *History) deliveryCursor(desc bool, asOf eventlog.Seq) (*deliveryCursor, error) {
	it, err := h.store.Iter([]byte{keyDelivery}, []byte{keyDelivery + 1})
	if err != nil {
		return nil, err
	}
	return &deliveryCursor{it: it, desc: desc, asOf: asOf}, nil
}

func (c *deliveryCursor) close() error {
	if err := c.it.Close(); err != nil {
		return err
	}
	return c.err
}

// step finds the first delivery of an endpoint at or after `at`, in the cursor's direction.
func (c *deliveryCursor) step(endpoint eventlog.Seq, at record.Ref) (record.Ref, bool) {
	if !c.follows(endpoint, at) {
		if c.desc {
			c.key = appendDelivery(c.key[:0], endpoint, at, maxSeq)
			c.it.SeekLT(c.key)
		} else {
			c.key = appendDelivery(c.key[:0], endpoint, at, 0)
			c.it.SeekGE(c.key)
		}
	}
	c.place = astray
	if !c.it.Valid() {
		return at, false
	}
	e, ref, _, ok := c.parse()
	if !ok || e != endpoint {
		return at, false
	}
	c.place, c.endpoint, c.at = ahead, endpoint, ref
	return ref, true
}

// follows says whether the iterator is already where a seek for `at` would lead.
func (c *deliveryCursor) follows(endpoint eventlog.Seq, at record.Ref) bool {
	if c.place != past || c.endpoint != endpoint {
		return false
	}
	if c.desc {
		return at == prev(c.at)
	}
	return at == next(c.at)
}

func (c *deliveryCursor) parse() (endpoint eventlog.Seq, ref record.Ref, version eventlog.Seq, ok bool) {
	k := c.it.Key()
	if len(k) != deliveryLen+8 {
		c.err = fmt.Errorf("%w: delivery key of %d bytes", ErrMalformed, len(k))
		return 0, ref, 0, false
	}
	return lastSeq(k[:endpointLen]), refAt(k[endpointLen:]), lastSeq(k), true
}

// read puts a delivery's versions together into c.row (without the strings, which stay in c.id and c.typ). It says
// false when there is none.
func (c *deliveryCursor) read(endpoint eventlog.Seq, ref record.Ref) bool {
	if c.place != ahead || c.endpoint != endpoint || c.at != ref {
		if at, ok := c.step(endpoint, ref); !ok || at != ref {
			return false
		}
	}
	c.row = DeliveryRow{Endpoint: endpoint, Ref: ref}
	v := versions{newestFirst: c.desc}
	c.key = append(c.key[:0], c.it.Key()[:deliveryLen]...)
	for c.it.Valid() && c.err == nil && bytes.HasPrefix(c.it.Key(), c.key) {
		if version := lastSeq(c.it.Key()); version <= c.asOf {
			if c.err = v.add(c, version, c.it.Value()); c.err != nil {
				return false
			}
		}
		if c.desc {
			c.it.Prev()
		} else {
			c.it.Next()
		}
	}
	c.place = past
	if c.row.Status != record.Pending {
		c.row.NextDue = 0
	}
	return v.created
}

// full is the row with its strings.
func (c *deliveryCursor) full() DeliveryRow {
	r := c.row
	r.EventID, r.EventType = string(c.id), string(c.typ)
	return r
}

// versions puts what the versions say into a row, oldest first (later ones win) or newest first (earlier ones win).
type versions struct {
	newestFirst          bool
	created, stood, made bool
}

func (v *versions) add(c *deliveryCursor, version eventlog.Seq, value []byte) error {
	f := fields{b: value}
	switch f.u8() {
	case versionCreated:
		event, most := c.row.Ref.Seq-eventlog.Seq(f.i()), uint8(f.u())
		due, at := f.i(), f.i()
		c.row.ResendOf = record.Ref{Seq: eventlog.Seq(f.u()), Ord: uint16(f.u())}
		c.id, c.typ = append(c.id[:0], f.bytes()...), append(c.typ[:0], f.bytes()...)
		c.row.Event, c.row.MaxAttempts, c.row.CreatedMS = event, most, at
		v.created = true
		v.stand(&c.row, version, record.Pending, record.ReasonNone, at+due)
	case versionAttempt:
		status, reason, number := record.Status(f.u8()), record.Reason(f.u8()), uint16(f.u())
		var due int64
		if status == record.Pending {
			due = f.i()
		}
		v.count(&c.row, number)
		v.stand(&c.row, version, status, reason, due)
	case versionInterrupted:
		reason := record.ReasonNone
		if f.u8() == 1 {
			reason = record.ReasonPluginFault
		}
		number := uint16(f.u())
		v.count(&c.row, max(number, 1)-1)
		v.stand(&c.row, version, record.Pending, reason, f.i())
	case versionEnded:
		status, reason := record.Status(f.u8()), record.Reason(f.u8())
		v.stand(&c.row, version, status, reason, 0)
	case versionReleased:
		v.stand(&c.row, version, record.Pending, record.ReasonNone, f.i())
	default:
		f.fail()
	}
	return f.end("delivery")
}

func (v *versions) stand(r *DeliveryRow, version eventlog.Seq, s record.Status, reason record.Reason, due int64) {
	if v.newestFirst && v.stood {
		return
	}
	v.stood = true
	r.Version, r.Status, r.Reason, r.NextDue = version, s, reason, due
}

func (v *versions) count(r *DeliveryRow, made uint16) {
	if v.newestFirst && v.made {
		return
	}
	v.made = true
	r.Made = made
}

// Delivery returns one delivery of an endpoint at present. found is false when there is none.
func (h *History) Delivery(endpoint eventlog.Seq, ref record.Ref) (row DeliveryRow, found bool, err error) {
	return h.deliveryAsOf(endpoint, ref, maxSeq)
}

func (h *History) deliveryAsOf(endpoint eventlog.Seq, ref record.Ref, asOf eventlog.Seq) (row DeliveryRow, found bool, err error) {
	c, err := h.deliveryCursor(true, asOf)
	if err != nil {
		return row, false, err
	}
	if found = c.read(endpoint, ref); found {
		row = c.full()
	}
	return row, found, c.close()
}

// DeliveryAny returns one delivery of a tenant whose endpoint is not known, at present.
func (h *History) DeliveryAny(tenant string, ref record.Ref) (row DeliveryRow, found bool, err error) {
	endpoint, err := h.endpointOf(tenant, ref)
	if err != nil || endpoint == 0 {
		return row, false, err
	}
	return h.Delivery(endpoint, ref)
}

// endpointOf finds the endpoint of a tenant's delivery through the record that created it; 0 when there is none.
func (h *History) endpointOf(tenant string, ref record.Ref) (eventlog.Seq, error) {
	key := appendTenantSeq(nil, keyEvent, tenant, ref.Seq)
	value, found, err := h.store.Get(key, nil)
	if err != nil {
		return 0, err
	}
	if found {
		var e eventValue
		if err := e.decode(value); err != nil {
			return 0, err
		}
		if int(ref.Ord) >= e.count {
			return 0, nil
		}
		for range ref.Ord {
			e.endpoints.u()
		}
		return eventlog.Seq(e.endpoints.u()), nil
	}
	if ref.Ord != 0 {
		return 0, nil
	}
	key[0] = keyCreated
	if value, found, err = h.store.Get(key, value[:0]); err != nil || !found {
		return 0, err
	}
	f := fields{b: value}
	endpoint, _ := f.u(), f.u()
	return eventlog.Seq(endpoint), f.end("delivery.created")
}
