package history

import (
	"bytes"
	"errors"
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// FuzzPosition: a position from outside is taken or refused, and what is taken is written the same way again.
func FuzzPosition(f *testing.F) {
	f.Add([]byte(newPosition(positionDeliveries, record.Ref{Seq: 300, Ord: 2})))
	f.Add([]byte(newPosition(positionEvents, record.Ref{Seq: 1})))
	f.Add([]byte{positionVersion, 'd', 0x80, 0x01, 0x80, 0x80, 0x04})
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		at, err := Position(b).decode(positionDeliveries)
		if err != nil {
			if !errors.Is(err, ErrPosition) {
				t.Fatal(err)
			}
			return
		}
		again, err := newPosition(positionDeliveries, at).decode(positionDeliveries)
		if err != nil || again != at || at.Seq == 0 {
			t.Fatalf("%x is %v, written again %v %v", b, at, again, err)
		}
	})
}

// FuzzVersions: no value of a d key panics, and one that says nothing wrong leaves a status.
func FuzzVersions(f *testing.F) {
	for _, v := range goldenVersions() {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r DeliveryRow
		var v versions
		if err := v.add(&r, 9, b); err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
		} else if !v.stood || r.Version != 9 {
			t.Fatalf("%x says nothing", b)
		}
	})
}

// goldenVersions are values as Apply writes them.
func goldenVersions() [][]byte {
	attempt := values{versionAttempt, byte(record.Pending), 0}
	attempt.u(1)
	attempt.i(benchEpoch)
	interrupted := values{versionInterrupted, 1}
	interrupted.u(1)
	interrupted.i(benchEpoch)
	released := values{versionReleased}
	released.i(benchEpoch)
	return [][]byte{attempt, interrupted, {versionEnded, byte(record.Skipped), byte(record.ReasonDisabled)}, released, {99}, nil}
}

// TestKeysSort: keys of a list sort by seq and ordinal, and those of one tenant are never among another's.
func TestKeysSort(t *testing.T) {
	refs := []record.Ref{{Seq: 1}, {Seq: 1, Ord: 1}, {Seq: 1, Ord: maxOrd}, {Seq: 2}, {Seq: 255}, {Seq: 256}, {Seq: 1 << 40, Ord: 256}, {Seq: maxSeq, Ord: maxOrd}}
	for i := range refs[1:] {
		a, b := refs[i], refs[i+1]
		if !before(a, b) || before(b, a) || before(a, a) {
			t.Errorf("before(%v, %v)", a, b)
		}
		for name, key := range map[string]func(record.Ref) []byte{
			"endpoint": func(r record.Ref) []byte { return appendEndpointRef(nil, 'x', 3, r) },
			"tenant":   func(r record.Ref) []byte { return appendTenantRef(nil, 'y', "t", r) },
			"delivery": func(r record.Ref) []byte { return appendDelivery(nil, 3, r, 7) },
		} {
			if bytes.Compare(key(a), key(b)) >= 0 {
				t.Errorf("%s keys of %v and %v do not sort", name, a, b)
			}
		}
	}
	for _, r := range []record.Ref{{Seq: 5}, {Seq: 5, Ord: 9}, {Seq: 5, Ord: maxOrd}} {
		if prev(next(r)) != r || next(prev(r)) != r || !before(r, next(r)) || !before(prev(r), r) {
			t.Errorf("neighbours of %v: %v, %v", r, prev(r), next(r))
		}
	}
	if p := appendTenant(nil, 'e', "a"); bytes.HasPrefix(appendTenantSeq(nil, 'e', "ab", 1), p) {
		t.Error("tenant ab is within tenant a")
	}
	if p := appendEventID(nil, "a", "x"); bytes.HasPrefix(appendSeq(appendEventID(nil, "a", "xy"), 1), p) {
		t.Error("id xy is within id x")
	}
	if got := lastSeq(appendTenantSeq(nil, 'e', "a", 77)); got != eventlog.Seq(77) {
		t.Errorf("lastSeq is %d", got)
	}
}
