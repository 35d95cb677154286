package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/eventlog"
)

// small is a state with one of everything.
func small(t fataler) *State {
	w := newWorld(t)
	r := eventlog.Record{Seq: 1, Type: record.EpochStarted, Time: w.now, Facts: eventlog.AppendEpochFacts(nil, eventlog.Epoch{Number: 1, Tag: 7})}
	if err := w.s.Apply(&r); err != nil {
		t.Fatalf("epoch: %v", err)
	}
	w.add(record.TypeKeyCreated, "", &record.KeyCreated{Hash: [32]byte{5}})
	w.tenant("a", w.profile("p", time.Minute))
	e := w.endpoint("a", &schedule.Schedule{Waits: []time.Duration{time.Second}})
	w.add(record.TypeSubscriptionCreated, "a", &record.Subscription{Endpoint: e, EventTypes: []string{"a.*", "b"}}, "filter")
	w.publish("a", e)
	w.finish(w.refs[0], e, 1, 2, record.Pending)
	w.add(record.TypeEndpointDisabled, "a", &record.EndpointChange{Endpoint: e, Reason: record.ReasonByUser})
	return w.s
}

// Snapshots with these bytes lie in data directories: another form needs another magic, so that it is ignored.
func TestSnapshotForm(t *testing.T) {
	snapshot := snapshotOf(t, small(t))
	if !bytes.HasPrefix(snapshot, []byte(snapshotMagic)) {
		t.Fatalf("it begins with %q", snapshot[:20])
	}
	const sum = "6e3da1ffcdb81290cb8e39336be93577e52086e3df1f2e28f098f5e72420c9ac"
	if got := hex.EncodeToString(snapshot[len(snapshot)-sha256.Size:]); got != sum {
		t.Errorf("its sum is %s, want %s: the form changed, so must its magic", got, sum)
	}
	if again := snapshotOf(t, restored(t, snapshot)); !bytes.Equal(again, snapshot) {
		t.Error("decoded and encoded again it has other bytes")
	}
}

// Every flipped bit and every cut is refused: a snapshot is right or it is ignored.
func TestSnapshotDamage(t *testing.T) {
	snapshot := snapshotOf(t, small(t))
	refused := func(b []byte, what string, at int) {
		if s, _, err := Decode(b); !errors.Is(err, ErrSnapshot) || s != nil {
			t.Errorf("%s %d of %d: %v, want ErrSnapshot", what, at, len(snapshot), err)
		}
	}
	for i := range snapshot {
		refused(snapshot[:i], "cut at", i)
		for bit := range 8 {
			b := bytes.Clone(snapshot)
			b[i] ^= 1 << bit
			refused(b, "flipped", i)
		}
	}
	refused(append(bytes.Clone(snapshot), 0), "one more after", len(snapshot))
	refused(nil, "nothing", 0)
}

// summed gives bytes a right sum, as another build's snapshot would have.
func summed(body []byte) []byte {
	sum := sha256.Sum256(body)
	return append(bytes.Clone(body), sum[:]...)
}

// A damaged one whose sum is right (another build's form, or a fault of ours) is refused too, or it is the same state:
// never another one, never a panic.
func TestSnapshotOfAnotherBuild(t *testing.T) {
	s := small(t)
	snapshot := snapshotOf(t, s)
	body := snapshot[:len(snapshot)-sha256.Size]
	for i := len(snapshotMagic); i < len(body); i++ {
		for _, x := range []byte{1, 0x80, 0xff, body[i]} {
			b := bytes.Clone(body)
			b[i] ^= x
			checkForeign(t, s, summed(b))
		}
		checkForeign(t, s, summed(body[:i]))
		checkForeign(t, s, summed(append(bytes.Clone(body[:i]), body[i+1:]...)))
	}
	if _, _, err := Decode(summed(append(bytes.Clone(body), "more"...))); !errors.Is(err, ErrSnapshot) {
		t.Errorf("bytes after the end: %v, want ErrSnapshot", err)
	}
}

// checkForeign: what decodes adds up to the digest that it claims; then its entities are those of a right snapshot.
func checkForeign(t *testing.T, want *State, b []byte) {
	t.Helper()
	s, _, err := Decode(b)
	if err != nil {
		if !errors.Is(err, ErrSnapshot) {
			t.Fatalf("%v does not wrap ErrSnapshot", err)
		}
		return
	}
	if want != nil && s.Digest() != want.Digest() {
		t.Fatalf("digest %s out of a damaged snapshot, want %s", s.Digest(), want.Digest())
	}
	if s.Pending.Len() > len(b) || len(s.endpoints) > len(b) {
		t.Fatalf("%d bytes hold %d deliveries", len(b), s.Pending.Len())
	}
}

func FuzzDecode(f *testing.F) {
	snapshot := snapshotOf(f, small(f))
	f.Add(snapshot[:len(snapshot)-sha256.Size])
	f.Add(snapshotOf(f, New())[:len(snapshotOf(f, New()))-sha256.Size])
	f.Add([]byte(snapshotMagic))
	f.Fuzz(func(t *testing.T, body []byte) {
		checkForeign(t, nil, summed(body))
		checkForeign(t, nil, body)
	})
}

// A disk that fills up while a snapshot is written is told.
func TestEncodeTellsWriteErrors(t *testing.T) {
	full := errors.New("disk full")
	s := small(t)
	for n := range len(snapshotOf(t, s)) {
		if err := s.Encode(&limited{left: n, err: full}, chain); !errors.Is(err, full) {
			t.Fatalf("after %d bytes: %v, want %v", n, err, full)
		}
	}
}

type limited struct {
	left int
	err  error
}

func (w *limited) Write(b []byte) (int, error) {
	if len(b) > w.left {
		return 0, w.err
	}
	w.left -= len(b)
	return len(b), nil
}

var _ io.Writer = (*limited)(nil)
