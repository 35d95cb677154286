package history

import (
	"errors"
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// FuzzPart: no value of a list panics; what decodes has rows that rise from the seq of the key.
func FuzzPart(f *testing.F) {
	key := map[bool][]byte{true: appendTenantSeq(nil, 'e', "ten", 50), false: appendEndpointSeq(nil, 'c', 3, 50)}
	f.Add(true, []byte(tenantPart().rows))
	f.Add(false, []byte(endpointPart().rows))
	f.Add(true, []byte{})
	f.Add(false, []byte{0x42, 0x01})
	f.Fuzz(func(t *testing.T, ofTenant bool, b []byte) {
		var p partReader
		if err := p.read(key[ofTenant], b); err != nil {
			if !errors.Is(err, ErrMalformed) || len(p.rows) != 0 {
				t.Fatal(len(p.rows), err)
			}
			return
		}
		for i, r := range p.rows {
			if r.seq < 50 || i > 0 && r.seq < p.rows[i-1].seq || r.count > len(b) {
				t.Fatalf("row %d of %d is %+v", i, len(p.rows), r)
			}
			for range r.count {
				r.endpoints.u()
			}
			if r.count > 0 && r.endpoints.end("") != nil {
				t.Fatalf("endpoints of %+v", r)
			}
		}
	})
}

func tenantPart() *part {
	p := new(part)
	p.begin(listKey{letter: 'e', tenant: "ten"}, 50)
	head := func(kind rowKind) {
		p.rows.u(1<<kindBits | uint64(kind))
		p.rows.i(benchEpoch + int64(p.seq) - p.time)
		p.seq, p.time = p.seq+1, benchEpoch+int64(p.seq)
	}
	head(rowEvent)
	p.putEvent(&record.EventPublished{Type: "a.b", Matches: []record.Match{{Endpoint: 3}, {Endpoint: 300}}})
	head(rowLater)
	p.putLater(3, 40)
	head(rowSuccess)
	p.rows.u(3)
	p.putAttempt(&record.AttemptFinished{Delivery: record.Ref{Seq: 51, Ord: 1}, Event: 51, Number: 2, TookMS: 7, StartedAt: benchEpoch, Outcome: 1})
	return p
}

func endpointPart() *part {
	p := new(part)
	p.begin(listKey{letter: 'c', endpoint: 3}, 50)
	for i, id := range []string{"evt_1", "evt_12", "x", ""} {
		p.rows.u(1<<kindBits | uint64(rowCreated))
		p.rows.i(int64(i) - p.time)
		p.seq, p.time = p.seq+1, int64(i)
		p.putCreated(&creation{ord: uint16(i), event: 50, max: 5, due: 1000, resendOf: record.Ref{Seq: eventlog.Seq(i), Ord: 7}, id: id, typ: []string{"a.b", "z"}[i%2]})
	}
	p.rows.u(1<<kindBits | uint64(rowAttempt))
	p.rows.i(0)
	p.seq++
	p.putAttempt(&record.AttemptFinished{Number: 1, Outcome: 2, TookMS: 4, StartedAt: -1})
	return p
}

// TestRowsReadBack: what is written is read: ids that share bytes with the one before, types by number, times and seqs by
// their distance.
func TestRowsReadBack(t *testing.T) {
	var p partReader
	e := endpointPart()
	if err := p.read(e.key, e.rows); err != nil || len(p.rows) != 5 {
		t.Fatal(len(p.rows), err)
	}
	for i, id := range []string{"evt_1", "evt_12", "x", ""} {
		r := &p.rows[i]
		resend := record.Ref{Seq: eventlog.Seq(i), Ord: 7}
		if i == 0 {
			resend = record.Ref{}
		}
		if string(r.id) != id || string(r.typ) != []string{"a.b", "z"}[i%2] || r.seq != eventlog.Seq(51+i) || r.time != int64(i) ||
			r.ref != (record.Ref{Seq: r.seq, Ord: uint16(i)}) || r.event != 50 || r.max != 5 || r.due != 1000 || r.resendOf != resend {
			t.Errorf("row %d: %+v", i, *r)
		}
	}
	if got, want := p.rows[4].attempt(3), (AttemptRow{Seq: 55, Endpoint: 3, Number: 1, Outcome: 2, TookMS: 4, StartedMS: -1, TimeMS: 3}); got != want {
		t.Errorf("test attempt %+v, want %+v", got, want)
	}
	tenant := tenantPart()
	if err := p.read(tenant.key, tenant.rows); err != nil || len(p.rows) != 3 {
		t.Fatal(len(p.rows), err)
	}
	event, later := p.rows[0], p.rows[1]
	if event.eventRow() != (EventRow{Seq: 51, Type: "a.b", TimeMS: benchEpoch + 50, Matches: 2}) || event.endpoints.u() != 3 || event.endpoints.u() != 300 {
		t.Errorf("event %+v", event)
	}
	if later.endpoint != 3 || later.event != 40 || later.ref != (record.Ref{Seq: 52}) {
		t.Errorf("later %+v", later)
	}
	want := AttemptRow{Seq: 53, Endpoint: 3, Delivery: record.Ref{Seq: 51, Ord: 1}, Event: 51, Number: 2, Outcome: 1, StartedMS: benchEpoch, TookMS: 7, TimeMS: benchEpoch + 52}
	if got := p.rows[2].attempt(0); got != want || !p.rows[2].isAttempt() {
		t.Errorf("attempt %+v, want %+v", got, want)
	}
}
