package record

import "github.com/hookline/hookline/eventlog"

// AttemptFinished is one counted attempt and what follows from it. Section 0: AttemptPrivate.
// endpoint.tested has the same facts, with no delivery, number 1 and trigger test; its sections: 0 AttemptPrivate,
// 1 the body sent.
type AttemptFinished struct {
	Delivery   Ref
	Event      eventlog.Seq // zero in endpoint.tested
	Endpoint   eventlog.Seq
	Profile    eventlog.Seq // whose rule judged it
	Number     uint16
	Trigger    Trigger
	StartedAt  int64     // Unix ms
	TookMS     uint32    // finished_at = StartedAt + TookMS
	Outcome    uint8     // transports.Outcome
	Kind       uint8     // KindNumber
	StatusCode uint16    // 0 = none was read
	Timings    [5]uint32 // µs: dns, connect, tls, wait, body
	Status     Status    // of the delivery from now on
	Reason     Reason
	NextDue    int64 // Unix ms, when Status is pending
	EventID    string
	EventType  string
}

// FinishedAt is the end of the attempt, Unix ms.
func (a *AttemptFinished) FinishedAt() int64 { return a.StartedAt + int64(a.TookMS) }

func (a *AttemptFinished) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.ref(a.Delivery)
	e.u(uint64(a.Event))
	e.u(uint64(a.Endpoint))
	e.u(uint64(a.Profile))
	e.u(uint64(a.Number))
	e.u8(byte(a.Trigger))
	e.i(a.StartedAt)
	e.u(uint64(a.TookMS))
	e.u8(a.Outcome)
	e.u8(a.Kind)
	e.u(uint64(a.StatusCode))
	for _, t := range a.Timings {
		e.u(uint64(t))
	}
	e.u8(byte(a.Status))
	e.u8(byte(a.Reason))
	e.i(a.NextDue)
	e.s(a.EventID)
	e.s(a.EventType)
	return e
}

func (a *AttemptFinished) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "attempt.finished"); err != nil {
		return err
	}
	a.Delivery = d.ref()
	a.Event = eventlog.Seq(d.u())
	a.Endpoint = eventlog.Seq(d.u())
	a.Profile = eventlog.Seq(d.u())
	a.Number = d.u16()
	a.Trigger = Trigger(d.u8())
	a.StartedAt = d.i()
	a.TookMS = d.u32()
	a.Outcome = d.u8()
	a.Kind = d.u8()
	a.StatusCode = d.u16()
	for i := range a.Timings {
		a.Timings[i] = d.u32()
	}
	a.Status = Status(d.u8())
	a.Reason = Reason(d.u8())
	a.NextDue = d.i()
	a.EventID = d.s()
	a.EventType = d.s()
	return d.end("attempt.finished")
}

// AttemptInterrupted is an attempt that our side broke off: it does not count (promise 9).
type AttemptInterrupted struct {
	Delivery      Ref
	Endpoint      eventlog.Seq
	Number        uint16 // the attempt number that will be made again
	Interruptions uint8  // of this delivery so far
	Due           int64  // Unix ms
	Held          bool   // pending with reason plugin_fault
	FirstStarted  int64  // Unix ms, of the delivery's first attempt if that was this one
	Plugin        uint32 // first 4 bytes of the plugin's checksum: another one releases what is held
}

func (a *AttemptInterrupted) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.ref(a.Delivery)
	e.u(uint64(a.Endpoint))
	e.u(uint64(a.Number))
	e.u8(a.Interruptions)
	e.i(a.Due)
	e.flag(a.Held)
	e.i(a.FirstStarted)
	e.u(uint64(a.Plugin))
	return e
}

func (a *AttemptInterrupted) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "attempt.interrupted"); err != nil {
		return err
	}
	a.Delivery = d.ref()
	a.Endpoint = eventlog.Seq(d.u())
	a.Number = d.u16()
	a.Interruptions = d.u8()
	a.Due = d.i()
	a.Held = d.flag()
	a.FirstStarted = d.i()
	a.Plugin = d.u32()
	return d.end("attempt.interrupted")
}
