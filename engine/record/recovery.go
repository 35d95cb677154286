package record

import "github.com/hookline/hookline/eventlog"

// RecoveryStarted is a resend in bulk that was accepted: which deliveries it selects is fixed by Upto. Section 0:
// WhoPrivate.
type RecoveryStarted struct {
	Endpoint   eventlog.Seq
	Upto       eventlog.Seq // the selection is answered as when this was the newest record
	Matched    uint64       // deliveries that it selects
	Statuses   []Status     // ascending, each once: of exhausted and skipped
	EventTypes []string     // as a subscription selects them; none = all
	Since      int64        // Unix ms, of the delivery's creation, inclusive; 0 = open
	Until      int64        // Unix ms, exclusive; 0 = open
	Rate       uint32       // deliveries a second; 0 = no limit of its own
}

func (p *RecoveryStarted) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.u(uint64(p.Endpoint))
	e.u(uint64(p.Upto))
	e.u(p.Matched)
	e.u(uint64(len(p.Statuses)))
	for _, s := range p.Statuses {
		e.u8(byte(s))
	}
	e.u(uint64(len(p.EventTypes)))
	for _, t := range p.EventTypes {
		e.s(t)
	}
	e.i(p.Since)
	e.i(p.Until)
	e.u(uint64(p.Rate))
	return e
}

func (p *RecoveryStarted) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "recovery.started"); err != nil {
		return err
	}
	p.Endpoint = eventlog.Seq(d.u())
	p.Upto = eventlog.Seq(d.u())
	p.Matched = d.u()
	p.Statuses = nil
	for range d.n(1) {
		p.Statuses = append(p.Statuses, Status(d.u8()))
	}
	p.EventTypes = nil
	for range d.n(1) {
		p.EventTypes = append(p.EventTypes, d.s())
	}
	p.Since = d.i()
	p.Until = d.i()
	p.Rate = d.u32()
	return d.end("recovery.started")
}

// RecoveryAdvanced stands in one batch with the delivery.created records of a page: where the next page begins.
type RecoveryAdvanced struct {
	Recovery eventlog.Seq // of its recovery.started
	Cursor   Ref          // the delivery looked at last; the next page begins behind it
	CursorMS int64        // when that was created, Unix ms
	Created  uint64       // deliveries created so far, this page's included
	NextAt   int64        // Unix ms, before which its rate allows no further one; 0 = at once
}

func (p *RecoveryAdvanced) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.u(uint64(p.Recovery))
	e.ref(p.Cursor)
	e.i(p.CursorMS)
	e.u(p.Created)
	e.i(p.NextAt)
	return e
}

func (p *RecoveryAdvanced) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "recovery.advanced"); err != nil {
		return err
	}
	p.Recovery = eventlog.Seq(d.u())
	p.Cursor = d.ref()
	p.CursorMS = d.i()
	p.Created = d.u()
	p.NextAt = d.i()
	return d.end("recovery.advanced")
}

// RecoveryState is how a recovery stands. Running is the only one that is not final.
type RecoveryState uint8

const (
	RecoveryRunning  RecoveryState = iota + 1
	RecoveryDone                   // everything that it selected was delivered again
	RecoveryCanceled               // by a person
	RecoveryStopped                // its endpoint was blocked or deleted
)

var recoveryStateNames = [...]string{"", "running", "done", "canceled", "stopped"}

func (s RecoveryState) String() string { return nameOf(recoveryStateNames[:], uint8(s)) }

// RecoveryEnded ends a recovery; what it created stays. Section 0, when a person canceled it: WhoPrivate.
type RecoveryEnded struct {
	Recovery eventlog.Seq
	State    RecoveryState
	Reason   Reason // of a stopped one: disabled, suppressed, endpoint_deleted, tenant_deleted; of a canceled one canceled_by_user
}

func (p *RecoveryEnded) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.u(uint64(p.Recovery))
	e.u8(byte(p.State))
	e.u8(byte(p.Reason))
	return e
}

func (p *RecoveryEnded) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "recovery.ended"); err != nil {
		return err
	}
	p.Recovery = eventlog.Seq(d.u())
	p.State = RecoveryState(d.u8())
	p.Reason = Reason(d.u8())
	return d.end("recovery.ended")
}
