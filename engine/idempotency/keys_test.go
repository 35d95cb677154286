package idempotency

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
	"github.com/hookline/hookline/eventlog/projection"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is the record time that logs begin at, Unix ms.
const start = 1_700_000_000_000

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

type tb interface {
	Helper()
	Fatal(...any)
}

func open(t tb, mem *projection.Memory, log eventlog.Log) *Keys {
	t.Helper()
	store, err := projection.Open(context.Background(), projection.Options{
		Dir: "views", Memory: mem, Log: log, Logger: quiet(), MemtableBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return New(store)
}

func (k *Keys) close(t tb) {
	t.Helper()
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
}

func (k *Keys) follow(t tb, log eventlog.Log, until eventlog.Seq) {
	t.Helper()
	if _, err := projection.Fold(context.Background(), projection.FoldOptions{Log: log, Store: k.store, View: k, Until: until}); err != nil {
		t.Fatal(err)
	}
}

// world writes events with and without keys, each key again only when its window has passed, as the engine does.
type world struct {
	t     *rapid.T
	log   *memlog.Log
	w     eventlog.Writer
	now   int64
	used  map[string]Dedupe // by tenant and key: the last use
	batch []eventlog.Record
	next  eventlog.Seq
}

func newWorld(t *rapid.T) *world {
	w := &world{t: t, now: start, used: map[string]Dedupe{}}
	w.log = memlog.New(memlog.Options{Now: func() int64 { return w.now }})
	w.acquire()
	return w
}

func (w *world) acquire() {
	var err error
	if w.w, err = w.log.Acquire(context.Background(), "world"); err != nil {
		w.t.Fatal(err)
	}
	w.next = w.w.Next()
}

func place(tenant string, key byte) string { return tenant + string(rune(key)) }

func (w *world) publish() {
	w.now += rapid.SampledFrom([]int64{0, 1, 1000, 3_600_000, DedupeWindowMS - 1, DedupeWindowMS}).Draw(w.t, "ms")
	tenant := rapid.SampledFrom([]string{"a", "ab"}).Draw(w.t, "tenant")
	p := record.EventPublished{ID: "e", Type: "a.b"}
	if rapid.IntRange(0, 3).Draw(w.t, "keyed") > 0 {
		key := rapid.ByteRange(0, 5).Draw(w.t, "key")
		if d, ok := w.used[place(tenant, key)]; !ok || w.now-d.TimeMS >= DedupeWindowMS {
			p.HasDedupe, p.Dedupe, p.Fingerprint = true, [16]byte{key}, [16]byte{key, byte(w.next)}
			w.used[place(tenant, key)] = Dedupe{Found: true, Seq: w.next, TimeMS: w.now, Fingerprint: p.Fingerprint}
		}
	}
	typ := record.TypeEventPublished
	facts := p.AppendFacts(nil)
	if rapid.IntRange(0, 9).Draw(w.t, "other") == 0 { // a record that says nothing about keys
		if p.HasDedupe {
			delete(w.used, place(tenant, p.Dedupe[0]))
		}
		typ, facts = record.TypeTenantUpdated, []byte{7}
	}
	w.batch = append(w.batch, eventlog.Record{Type: typ, Time: w.now, Tenant: tenant, Facts: facts})
	w.next++
	if rapid.Bool().Draw(w.t, "cut") {
		w.flush()
	}
}

func (w *world) flush() {
	if len(w.batch) == 0 {
		return
	}
	if err := w.w.Append(w.batch).Wait(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.batch = nil
}

// TestKeysAgainstModel (R-7, promise 3): over restarts and losses of power every answer is that of somebody who remembers
// everything, for 24 h of record time, tenant by tenant; and the view is the one that is folded anew.
func TestKeysAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		mem := projection.NewMemory()
		k := open(t, mem, w.log)
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			for range rapid.IntRange(1, 40).Draw(t, "events") {
				w.publish()
			}
			w.flush()
			k.follow(t, w.log, 0)
			now := w.now + rapid.SampledFrom([]int64{0, 1, DedupeWindowMS - 1, DedupeWindowMS, 3 * DedupeWindowMS}).Draw(t, "later")
			for _, tenant := range []string{"a", "ab", "b"} {
				for key := range byte(7) {
					got, err := k.Dedupe(tenant, [16]byte{key}, now)
					want := w.used[place(tenant, key)]
					if now-want.TimeMS >= DedupeWindowMS {
						want = Dedupe{}
					}
					want.Checkpoint = w.next - 1
					if err != nil || got != want {
						t.Fatalf("key %d of %s at %d: %+v %v, want %+v", key, tenant, now, got, err, want)
					}
				}
			}
			switch rapid.IntRange(0, 2).Draw(t, "then") {
			case 1:
				k.close(t)
			case 2:
				crashed := mem.Crash(rapid.Uint64().Draw(t, "crash"))
				k.close(t)
				mem = crashed
			default:
				continue
			}
			w.log = w.log.Reopen()
			w.acquire()
			k = open(t, mem, w.log)
		}
		k.follow(t, w.log, 0)
		live, seq, err := k.Digest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		k.close(t)
		again := open(t, projection.NewMemory(), w.log)
		defer again.close(t)
		again.follow(t, w.log, seq)
		if rebuilt, at, err := again.Digest(t.Context()); err != nil || at != seq || rebuilt != live {
			t.Fatalf("live at %d: %x, rebuilt at %d: %x %v", seq, live, at, rebuilt, err)
		}
	})
}

// oneKey is a log with one keyed event, at start.
func oneKey(t *testing.T) *memlog.Log {
	t.Helper()
	log := memlog.New(memlog.Options{Now: func() int64 { return start }})
	w, err := log.Acquire(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	p := record.EventPublished{ID: "evt_1", Type: "a.b", HasDedupe: true, Dedupe: [16]byte{0xd}, Fingerprint: [16]byte{0xf}}
	if err := w.Append([]eventlog.Record{{Type: record.TypeEventPublished, Time: start, Tenant: "ten", Facts: p.AppendFacts(nil)}}).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return log
}

// TestWindow: a key counts for 24 h of record time, and not a millisecond longer; it belongs to its tenant.
func TestWindow(t *testing.T) {
	log := oneKey(t)
	k := open(t, projection.NewMemory(), log)
	defer k.close(t)
	k.follow(t, log, 0)
	for _, c := range []struct {
		tenant string
		hash   [16]byte
		now    int64
		found  bool
	}{
		{"ten", [16]byte{0xd}, start, true},
		{"ten", [16]byte{0xd}, start + 24*60*60*1000 - 1, true},
		{"ten", [16]byte{0xd}, start + 24*60*60*1000, false},
		{"ten", [16]byte{0xd}, start + 72*60*60*1000, false},
		{"ten", [16]byte{0xe}, start, false},
		{"te", [16]byte{0xd}, start, false},
	} {
		d, err := k.Dedupe(c.tenant, c.hash, c.now)
		if err != nil || d.Found != c.found || d.Checkpoint != 2 {
			t.Errorf("%+v: %+v %v", c, d, err)
		}
		if c.found && (d.Seq != 2 || d.Fingerprint != [16]byte{0xf} || d.TimeMS != start) {
			t.Errorf("%+v: %+v", c, d)
		}
	}
}

// FuzzUse: no value panics; what decodes is the same when it is written again and read.
func FuzzUse(f *testing.F) {
	f.Add((&use{seq: 5, time: start, fingerprint: [16]byte{1, 2}}).append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var u, again use
		if u.decode(b) != nil {
			return
		}
		if err := again.decode(u.append(nil)); err != nil || again != u {
			t.Fatalf("%+v, again %+v %v", u, again, err)
		}
	})
}

// TestLayoutIsGolden: a key and its value stay what they are, or LayoutVersion rises.
func TestLayoutIsGolden(t *testing.T) {
	log := oneKey(t)
	k := open(t, projection.NewMemory(), log)
	defer k.close(t)
	k.follow(t, log, 0)
	it, err := k.store.Iter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	const key = "K\x00\x00\x4c\xdb\x03ten\x0d\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	const value = "\x02\x80\xa0\xab\xfe\xf9\x62\x0f\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	if !it.First() || string(it.Key()) != key || string(it.Value()) != value || it.Next() {
		t.Errorf("the layout has changed, raise LayoutVersion: %q = %q", it.Key(), it.Value())
	}
}
