package state

import (
	"slices"
	"strings"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// KeptRecoveries is how many ended recoveries of a tenant are kept: the older ones are in the log only.
const KeptRecoveries = 100

// Recovery is a resend in bulk: running, or one of a tenant's newest that have ended.
type Recovery struct {
	Seq       eventlog.Seq // of recovery.started
	Tenant    *Tenant
	StartedAt int64 // Unix ms
	record.RecoveryStarted
	Created  uint64 // deliveries so far
	Cursor   record.Ref
	CursorMS int64 // when the delivery at the cursor was created, Unix ms; 0 = none was looked at
	NextAt   int64 // Unix ms, before which its rate allows no further delivery
	State    record.RecoveryState
	Reason   record.Reason
	EndedAt  int64 // Unix ms; 0 = running
	hash     Digest
}

// Recovery finds a recovery of a tenant that runs or is kept.
func (s *State) Recovery(tenant string, seq eventlog.Seq) (*Recovery, bool) {
	t, ok := s.tenants[tenant]
	if !ok {
		return nil, false
	}
	i := slices.IndexFunc(t.Recoveries, func(r *Recovery) bool { return r.Seq == seq })
	if i < 0 {
		return nil, false
	}
	return t.Recoveries[i], true
}

// RunningRecoveries are those that have not ended, in no particular order.
func (s *State) RunningRecoveries() []*Recovery {
	var all []*Recovery
	for _, e := range s.endpoints {
		if e.Recovery != nil {
			all = append(all, e.Recovery)
		}
	}
	return all
}

func (s *State) recoveryStarted(r *eventlog.Record) error {
	x := &Recovery{Seq: r.Seq, StartedAt: r.Time, State: record.RecoveryRunning}
	if err := x.Decode(r.Facts); err != nil {
		return err
	}
	for i, t := range x.EventTypes {
		x.EventTypes[i] = strings.Clone(t)
	}
	e := s.endpoints[x.Endpoint]
	switch {
	case e == nil || e.Tenant.ID != r.Tenant:
		return s.inconsistent(r, "endpoint %d is not there", x.Endpoint)
	case e.Recovery != nil:
		return s.inconsistent(r, "recovery %d of the endpoint has not ended", e.Recovery.Seq)
	}
	s.addRecovery(e, x)
	return nil
}

func (s *State) addRecovery(e *Endpoint, x *Recovery) {
	x.Tenant, e.Recovery = e.Tenant, x
	e.Tenant.Recoveries = append(e.Tenant.Recoveries, x)
	s.rehashRecovery(x)
}

func (s *State) recoveryAdvanced(r *eventlog.Record) error {
	var a record.RecoveryAdvanced
	if err := a.Decode(r.Facts); err != nil {
		return err
	}
	x, err := s.running(r, a.Recovery)
	if err != nil {
		return err
	}
	x.Cursor, x.CursorMS, x.Created, x.NextAt = a.Cursor, a.CursorMS, a.Created, a.NextAt
	s.rehashRecovery(x)
	return nil
}

func (s *State) running(r *eventlog.Record, seq eventlog.Seq) (*Recovery, error) {
	x, ok := s.Recovery(r.Tenant, seq)
	if !ok || x.State != record.RecoveryRunning {
		return nil, s.inconsistent(r, "recovery %d does not run", seq)
	}
	return x, nil
}

func (s *State) recoveryEnded(r *eventlog.Record) error {
	var f record.RecoveryEnded
	if err := f.Decode(r.Facts); err != nil {
		return err
	}
	x, err := s.running(r, f.Recovery)
	if err != nil {
		return err
	}
	x.State, x.Reason, x.EndedAt = f.State, f.Reason, r.Time
	s.endpoints[x.Endpoint].Recovery = nil
	s.rehashRecovery(x)
	s.forgetRecoveries(x.Tenant)
	return nil
}

// forgetRecoveries drops the oldest that have ended beyond those that are kept.
func (s *State) forgetRecoveries(t *Tenant) {
	ended := 0
	for _, x := range t.Recoveries {
		if x.EndedAt != 0 {
			ended++
		}
	}
	t.Recoveries = slices.DeleteFunc(t.Recoveries, func(x *Recovery) bool {
		if x.EndedAt == 0 || ended <= KeptRecoveries {
			return false
		}
		ended--
		s.digest.sub(x.hash)
		return true
	})
}

func (s *State) rehashRecovery(x *Recovery) {
	s.digest.sub(x.hash)
	x.hash = hashOf(appendRecovery(nil, x))
	s.digest.add(x.hash)
}

func appendRecovery(b []byte, x *Recovery) []byte {
	b = append(b, kindRecovery)
	b = au(b, uint64(x.Seq))
	b = as(b, x.Tenant.ID)
	b = ai(b, x.StartedAt)
	b = as(b, string(x.AppendFacts(nil)))
	b = au(b, x.Created)
	b = au(b, uint64(x.Cursor.Seq))
	b = au(b, uint64(x.Cursor.Ord))
	b = ai(b, x.CursorMS)
	b = ai(b, x.NextAt)
	b = append(b, byte(x.State), byte(x.Reason))
	return ai(b, x.EndedAt)
}

func (d *snapshotReader) recovery() {
	x := &Recovery{Seq: eventlog.Seq(d.u())}
	x.Tenant = d.s.tenants[d.str()]
	x.StartedAt = d.i()
	if err := x.Decode([]byte(d.str())); err != nil {
		panic(err)
	}
	x.Created = d.u()
	x.Cursor = record.Ref{Seq: eventlog.Seq(d.u()), Ord: uint16(d.u())}
	x.CursorMS, x.NextAt = d.i(), d.i()
	x.State, x.Reason = record.RecoveryState(d.u8()), record.Reason(d.u8())
	if x.EndedAt = d.i(); x.EndedAt == 0 {
		d.s.addRecovery(d.s.endpoints[x.Endpoint], x)
		return
	}
	x.Tenant.Recoveries = append(x.Tenant.Recoveries, x)
	d.s.rehashRecovery(x)
}

// unattempted counts a delivery of a recovery that waits for its first attempt: a recovery goes no further while many
// do.
func (s *State) unattempted(d *Delivery, by int) {
	if d.flags&flagRecovery != 0 && d.Made == 0 {
		s.handles[d.endpoint].Unattempted += by
	}
}
