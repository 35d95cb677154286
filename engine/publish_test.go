package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/eventlog"
)

// Idempotency is exact over a restart, with the view or without it: the first answer again, a conflict for another
// content, per tenant, for 24 h of record time.
func TestIdempotencyOverRestarts(t *testing.T) {
	r := newRig(t, nil)
	for _, tenant := range []string{"acc", "other"} {
		r.tenant(tenant, "osir")
		r.endpoint(tenant, EndpointInput{})
	}
	byKey := PublishInput{Type: "domain.registered", IdempotencyKey: "k"}
	byID := PublishInput{Type: "domain.registered", ID: "evt_1"}
	first, second := r.publish("acc", byKey), r.publish("acc", byID)
	r.advance(time.Hour)
	r.publish("acc", PublishInput{Type: "domain.renewed"}) // a manual clock starts again at the last record's time
	r.advance(0)
	for _, derived := range []bool{false, true, false} {
		r.stop()
		if derived {
			r.removeDerived()
		}
		r.start()
		for in, want := range map[*PublishInput]Published{&byKey: first, &byID: second} {
			got := r.publish("acc", *in)
			if !got.Duplicate || got.UID != want.UID || got.ID != want.ID || !slices.EqualFunc(got.Matched, want.Matched, func(a, b Matched) bool { return a.DeliveryID == b.DeliveryID }) {
				t.Fatalf("published again (derived state removed: %t): %+v, want %+v", derived, got, want)
			}
			other := *in
			other.Data = json.RawMessage(`{"other":1}`)
			res := must(r.Publish(t.Context(), "acc", []PublishInput{other}))(t)
			wantCode(t, res[0].Err, CodeConflict)
		}
	}
	if p := r.publish("other", byKey); p.Duplicate {
		t.Error("another tenant's key is a duplicate")
	}
	r.advance(23*time.Hour - time.Millisecond)
	if !r.publish("acc", byKey).Duplicate {
		t.Error("not a duplicate just within the window")
	}
	r.advance(time.Millisecond)
	if r.publish("acc", byKey).Duplicate {
		t.Error("a duplicate after the window")
	}
	r.checkFold()
}

// One item's fault is its own: the rest of a batch is accepted, in order.
func TestBatchOfManyFaults(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{Concurrency: Some(MaxConcurrency)})
	in := make([]PublishInput, MaxBatchEvents)
	want := make([]Code, len(in)) // 0 = accepted
	data := json.RawMessage(`{"a":1}`)
	for i := range in {
		in[i] = PublishInput{Type: "domain.registered", Data: data}
		switch p := &in[i]; i % 10 {
		case 1:
			p.Type, want[i] = "no spaces please", CodeInvalid
		case 2:
			p.Data, want[i] = json.RawMessage(`[1]`), CodeInvalid
		case 3:
			p.Payload, want[i] = data, CodeInvalid
		case 4:
			p.Data, want[i] = nil, CodeInvalid
		case 5:
			p.Data, want[i] = json.RawMessage(`{"a":"`+strings.Repeat("x", MaxData)+`"}`), CodeTooLarge
		case 6:
			p.Err, want[i] = Malformed("body", "not JSON"), CodeMalformed
		case 7:
			p.IdempotencyKey, p.Data = "same", json.RawMessage(fmt.Sprintf(`{"n":%d}`, i/10%2))
			if i/10%2 == 1 {
				want[i] = CodeConflict
			}
		case 8:
			p.ID, want[i] = "not the form", CodeInvalid
		case 9:
			p.Data, want[i] = json.RawMessage{}, CodeInvalid
		}
	}
	res := must(r.Publish(t.Context(), "acc", in))(t)
	events, last := 0, uint64(0)
	for i := range res {
		switch p := res[i].Published; {
		case want[i] != 0:
			wantCode(t, res[i].Err, want[i])
			if p != nil {
				t.Fatalf("item %d is published and refused", i)
			}
		case res[i].Err != nil:
			t.Fatalf("item %d: %v", i, res[i].Err)
		case p.Duplicate != (i%10 == 7 && i > 10):
			t.Fatalf("item %d: duplicate %t", i, p.Duplicate)
		case !p.Duplicate:
			if events++; p.Seq <= last {
				t.Fatalf("item %d has seq %d after %d", i, p.Seq, last)
			}
			last = p.Seq
		}
	}
	if events != 101 {
		t.Fatalf("%d events, want 101", events)
	}
	r.advance(0)
	r.requested(events)
	r.checkFold()
}

// When memory of idempotency is full and the view has it all, publishes go on at once: nothing has to happen first.
func TestFullDedupeMemoryGivesWay(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	first := r.publish("acc", PublishInput{Type: "domain.registered", IdempotencyKey: "k"})
	if err := r.Engine.cfg.KeysFollower.WaitFor(t.Context(), eventlog.Seq(first.Seq)); err != nil {
		t.Fatal(err)
	}
	if err := r.do(t.Context(), func(s *sequencer) error {
		for i := range maxDedupe {
			s.dedupe.add([16]byte{1, byte(i), byte(i >> 8), byte(i >> 16)}, dedupeEntry{seq: s.st.Seq, time: s.now})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !r.publish("acc", PublishInput{Type: "domain.registered", IdempotencyKey: "k"}).Duplicate { // who waits in vain gets an error
		t.Error("not a duplicate")
	}
}
