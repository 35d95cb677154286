package state

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/eventlog"
)

// ErrSnapshot: a snapshot that cannot be used. Snapshots are disposable: the log is folded instead.
var ErrSnapshot = errors.New("state: unusable snapshot")

const snapshotMagic = "hookline state 2\n"

// Encode writes the state: magic, seq, time, chain, digest, entities in a fixed order (each a length and its
// encoding, sealed sections after it), a zero length, SHA-256 of everything before it. Holds no plaintext.
func (s *State) Encode(w io.Writer, chain eventlog.Hash) error {
	e := &snapshotWriter{w: bufio.NewWriterSize(w, 1<<18), sum: sha256.New()}
	e.bytes([]byte(snapshotMagic))
	head := au(ai(au(nil, uint64(s.Seq)), s.Time), uint64(s.Pending.Len()))
	for _, d := range s.digest {
		head = au(head, d)
	}
	e.entity(append(head, chain[:]...))
	for _, ep := range s.epochs {
		e.entity(au(au([]byte{kindEpoch}, uint64(ep.First)), uint64(ep.Tag)))
	}
	for _, p := range s.policies.sorted() { // before what refers to them; profiles bring their own
		e.entity(appendPolicy(nil, p))
	}
	for _, p := range s.profiles {
		e.entity(s.appendProfile(nil, p), p.Content)
	}
	if s.key != nil {
		e.entity(appendKey(nil, *s.key))
	}
	for _, t := range s.sortedTenants() {
		e.entity(s.appendTenant(nil, t), t.Private)
		for _, ep := range t.Endpoints {
			sections := []eventlog.Section{ep.Private, ep.Secret}
			if ep.Previous != nil {
				sections = append(sections, ep.Previous.Secret)
			}
			e.entity(s.appendEndpoint(nil, ep), sections...)
		}
		for _, p := range t.Subscriptions {
			e.entity(appendSubscription(nil, p), p.Private)
			if p.Version != p.Seq {
				e.entity(appendVersion(nil, p))
			}
		}
		for _, x := range t.Recoveries {
			e.entity(appendRecovery(nil, x))
		}
	}
	for _, k := range s.keys {
		e.entity(appendIssuedKey(nil, k), k.Private)
	}
	for _, p := range s.sessions {
		e.entity(appendSession(nil, p))
	}
	for _, x := range s.removals {
		e.entity(appendRemoval(nil, x))
	}
	var buf []byte
	s.Pending.All(func(_ uint32, d *Delivery) bool {
		buf = s.appendDelivery(buf[:0], d)
		e.entity(buf)
		return e.err == nil
	})
	return e.end()
}

func (s *State) sortedTenants() []*Tenant {
	list := make([]*Tenant, 0, len(s.tenants))
	for _, t := range s.tenants {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *Tenant) int { return cmp.Compare(a.Seq, b.Seq) })
	return list
}

func appendPolicy(b []byte, p Policy) []byte {
	b = au(append(b, kindPolicy), uint64(p.Source))
	f := record.Endpoint{Schedule: &p.Schedule}
	return as(b, string(f.AppendFacts(nil)))
}

type snapshotWriter struct {
	w   *bufio.Writer
	sum hash.Hash
	err error
	len []byte
}

func (e *snapshotWriter) bytes(b []byte) {
	if e.err == nil {
		e.sum.Write(b)
		_, e.err = e.w.Write(b)
	}
}

func (e *snapshotWriter) entity(b []byte, sections ...eventlog.Section) {
	e.len = au(e.len[:0], uint64(len(b)))
	e.bytes(e.len)
	e.bytes(b)
	for _, sec := range sections {
		e.len = au(e.len[:0], uint64(len(sec.Data)))
		e.bytes(e.len)
		e.bytes(sec.Data)
	}
}

func (e *snapshotWriter) end() error {
	e.bytes([]byte{0})
	if e.err == nil {
		_, e.err = e.w.Write(e.sum.Sum(nil))
	}
	if e.err == nil {
		e.err = e.w.Flush()
	}
	return e.err
}

// Decode reads what Encode wrote, checks its sum and that the entities add up to its digest.
func Decode(snapshot []byte) (s *State, chain eventlog.Hash, err error) {
	body, ok := bytes.CutPrefix(snapshot, []byte(snapshotMagic))
	if !ok || len(body) < sha256.Size {
		return nil, chain, fmt.Errorf("%w: not a snapshot of this version", ErrSnapshot)
	}
	n := len(snapshot) - sha256.Size
	if sum := sha256.Sum256(snapshot[:n]); !bytes.Equal(sum[:], snapshot[n:]) {
		return nil, chain, fmt.Errorf("%w: its sum is wrong", ErrSnapshot)
	}
	d := &snapshotReader{b: body[:len(body)-sha256.Size], s: New()}
	defer func() { // the sum was right: what panics here is another build's form
		if p := recover(); p != nil {
			s, err = nil, fmt.Errorf("%w: %v", ErrSnapshot, p)
		}
	}()
	want := d.head(&chain)
	for d.entity() {
	}
	if len(d.b) != 0 {
		return nil, chain, fmt.Errorf("%w: %d bytes after its end", ErrSnapshot, len(d.b))
	}
	d.s.policies.sweep() // builds before kept all there ever were
	if d.s.digest != want || uint64(d.s.Pending.Len()) != d.pending {
		return nil, chain, fmt.Errorf("%w: its entities do not add up to its head", ErrSnapshot)
	}
	return d.s, chain, nil
}

type snapshotReader struct {
	b       []byte
	e       []byte // the entity being read
	s       *State
	pending uint64 // how many deliveries the head says
}

func (d *snapshotReader) u() uint64 {
	v, n := binary.Uvarint(d.e)
	if n <= 0 {
		panic("cut short")
	}
	d.e = d.e[n:]
	return v
}

func (d *snapshotReader) i() int64 {
	v, n := binary.Varint(d.e)
	if n <= 0 {
		panic("cut short")
	}
	d.e = d.e[n:]
	return v
}

func (d *snapshotReader) take(n uint64) []byte { v := d.e[:n]; d.e = d.e[n:]; return v }
func (d *snapshotReader) u8() byte             { return d.take(1)[0] }
func (d *snapshotReader) str() string          { return string(d.take(d.u())) }

func (d *snapshotReader) block() []byte {
	n, k := binary.Uvarint(d.b)
	if k <= 0 || n > uint64(len(d.b)-k) {
		panic("cut short")
	}
	v := d.b[k : k+int(n) : k+int(n)] // nothing reads past its own block
	d.b = d.b[k+int(n):]
	return v
}

func (d *snapshotReader) sec() (sec eventlog.Section, t eventlog.Type) {
	t = eventlog.Type(d.u())
	copy(sec.Sum[:], d.take(32))
	return sec, t
}

func (d *snapshotReader) data(sec *eventlog.Section) {
	sec.Data = bytes.Clone(d.block())
	sec.Len = uint32(len(sec.Data))
}

func (d *snapshotReader) head(chain *eventlog.Hash) (want Digest) {
	d.e = d.block()
	d.s.Seq, d.s.Time = eventlog.Seq(d.u()), d.i()
	d.pending = d.u()
	for i := range want {
		want[i] = d.u()
	}
	copy(chain[:], d.take(32))
	d.used()
	return want
}

// used refuses what an entity has beside its fields.
func (d *snapshotReader) used() {
	if len(d.e) != 0 {
		panic(fmt.Sprintf("%d bytes too many", len(d.e)))
	}
}

func (d *snapshotReader) entity() bool {
	d.e = d.block()
	if len(d.e) == 0 {
		return false
	}
	switch kind := d.u8(); kind {
	case kindEpoch:
		d.s.epochs = append(d.s.epochs, Epoch{First: eventlog.Seq(d.u()), Tag: uint32(d.u())})
	case kindPolicy:
		d.s.policies.add(Policy{Source: eventlog.Seq(d.u()), Schedule: d.schedule()})
	case kindProfile:
		d.profile()
	case kindKey:
		d.s.setKey([32]byte(d.take(32)))
	case kindIssuedKey:
		d.issuedKey()
	case kindSession:
		d.session()
	case kindTenant:
		d.tenant()
	case kindEndpoint:
		d.endpoint()
	case kindSubscription:
		d.subscription()
	case kindVersion:
		p := d.s.subscriptions[eventlog.Seq(d.u())]
		p.Version = eventlog.Seq(d.u())
	case kindDelivery:
		d.delivery()
	case kindRecovery:
		d.recovery()
	case kindRemoval:
		d.removal()
	default:
		panic(fmt.Sprintf("entity kind %d", kind))
	}
	d.used()
	return true
}

func (d *snapshotReader) schedule() (sched schedule.Schedule) {
	var f record.Endpoint
	if err := f.Decode(d.take(d.u())); err != nil {
		panic(err)
	}
	return *f.Schedule
}

// policy reads who is meant, for one more user.
func (d *snapshotReader) policy() uint32 {
	i, ok := d.s.policies.find(eventlog.Seq(d.u()))
	if !ok {
		panic("a policy is missing")
	}
	return d.s.policies.use(i)
}

func (d *snapshotReader) profile() {
	p := &Profile{Seq: eventlog.Seq(d.u())}
	if err := p.Decode([]byte(d.str())); err != nil {
		panic(err)
	}
	p.Content, _ = d.sec()
	d.data(&p.Content)
	d.s.addProfile(p)
}

func (d *snapshotReader) tenant() {
	t := &Tenant{ID: d.str(), Seq: eventlog.Seq(d.u()), CreatedAt: d.i(), Profile: eventlog.Seq(d.u())}
	t.ManagementEvents, t.Deleted = d.u8() == 1, d.u8() == 1
	t.RouteVersion, t.NextNumber = d.u(), d.u()
	t.Private, t.PrivateType = d.sec()
	if t.Erased = len(d.e) > 0; t.Erased {
		t.ErasedAt = d.i()
	}
	d.data(&t.Private)
	d.s.tenants[t.ID] = t
	d.s.rehashTenant(t)
}

func (d *snapshotReader) endpoint() {
	e := &Endpoint{Seq: eventlog.Seq(d.u())}
	e.Tenant = d.s.tenants[d.str()]
	e.CreatedAt, e.Version = d.i(), eventlog.Seq(d.u())
	if err := e.Config.Decode([]byte(d.str())); err != nil {
		panic(err)
	}
	e.DisabledAt, e.DisabledReason, e.SuppressedAt = d.i(), record.Reason(d.u8()), d.i()
	e.Failures = uint32(d.u())
	e.policy = d.policy()
	e.Private, e.PrivateType = d.sec()
	e.SecretSection = d.u8()
	e.Secret, e.SecretType = d.sec()
	for len(d.e) > 0 {
		if until := d.i(); until == 0 {
			e.Consented, e.ConsentRate = true, uint32(d.u())
		} else {
			e.Previous = &PreviousSecret{Until: until, Section: d.u8()}
			e.Previous.Secret, e.Previous.Type = d.sec()
		}
	}
	d.data(&e.Private)
	d.data(&e.Secret)
	if e.Previous != nil {
		d.data(&e.Previous.Secret)
	}
	d.s.addEndpoint(e)
	d.s.rehashEndpoint(e)
}

func (d *snapshotReader) subscription() {
	p := &Subscription{Seq: eventlog.Seq(d.u()), CreatedAt: d.i()}
	p.Version = p.Seq
	p.Endpoint = d.s.endpoints[eventlog.Seq(d.u())]
	for range d.u() {
		p.EventTypes = append(p.EventTypes, d.str())
	}
	p.Private, p.PrivateType = d.sec()
	if len(d.e) > 0 {
		p.Shadow, p.Failures, p.LastFailure = d.u8() == 1, d.u(), eventlog.Seq(d.u())
	}
	d.data(&p.Private)
	d.s.subscriptions[p.Seq] = p
	p.Endpoint.Tenant.Subscriptions = append(p.Endpoint.Tenant.Subscriptions, p)
	p.Endpoint.Subscriptions = append(p.Endpoint.Subscriptions, p)
	d.s.rehashSubscription(p)
}

func (d *snapshotReader) delivery() {
	x := Delivery{Seq: eventlog.Seq(d.u()), Ord: uint16(d.u()), Event: eventlog.Seq(d.u())}
	e := d.s.endpoints[eventlog.Seq(d.u())]
	x.endpoint, x.policy = e.handle, d.policy()
	x.Due, x.First, x.Made, x.Plugin = d.i(), d.i(), uint16(d.u()), uint32(d.u())
	x.Interruptions, x.flags = d.u8(), d.u8()
	e.Pending++
	d.s.unattempted(&x, 1)
	d.s.countHeld(&x, 1)
	d.s.digest.add(d.s.hashDelivery(&x))
	d.s.Pending.add(x)
}
