package engine

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
)

var window = DedupeWindow.Milliseconds()

// identified is a publication with a dedupe hash and a fingerprint, and the view's answer for records up to upTo.
func identified(hash, fingerprint byte, upTo eventlog.Seq) *publication {
	return &publication{event: record.EventPublished{HasDedupe: true, Dedupe: [16]byte{hash}, Fingerprint: [16]byte{fingerprint}},
		seen: prefetch{upTo: upTo}}
}

func (p *publication) found(seq eventlog.Seq, time int64, fingerprint byte) *publication {
	p.seen.found, p.seen.entry = true, dedupeEntry{seq: seq, time: time, fingerprint: [16]byte{fingerprint}}
	return p
}

func entry(seq eventlog.Seq, time int64, fingerprint byte) dedupeEntry {
	return dedupeEntry{seq: seq, time: time, fingerprint: [16]byte{fingerprint}}
}

func (s pubState) name() string {
	return [...]string{"waiting", "stale", "prefetch", "stored", "duplicate", "conflict"}[min(int(s), 5)]
}

// R-7 and API.md's identity: the same within 24 h with equal content is a duplicate of the first, with other content a
// conflict; 24 h after the first, by record time, it is new. It is the same whether memory knows it or the view.
func TestDedupeCheck(t *testing.T) {
	const first, at = eventlog.Seq(70), int64(1_700_000_000_000)
	for _, c := range []struct {
		what        string
		hash, print byte
		after       int64
		want        pubState
	}{
		{"the same at once", 1, 1, 0, pubDuplicate},
		{"the same within the window", 1, 1, window - 1, pubDuplicate},
		{"the same when the window is over", 1, 1, window, pubWaiting},
		{"long after", 1, 1, 10 * window, pubWaiting},
		{"other content", 1, 2, 0, pubConflict},
		{"other content within the window", 1, 2, window - 1, pubConflict},
		{"other content when the window is over", 1, 2, window, pubWaiting},
		{"another key", 2, 1, 0, pubWaiting},
	} {
		memory := newDedupe()
		memory.add([16]byte{1}, entry(first, at, 1))
		p := identified(c.hash, c.print, 0)
		if got := memory.check(p, at+c.after); got != c.want || c.want > pubStored && p.first != first {
			t.Errorf("%s, known by memory: %s of %d, want %s", c.what, got.name(), p.first, c.want.name())
		}

		view := newDedupe()
		view.evict(first)
		p = identified(c.hash, c.print, first)
		if c.hash == 1 {
			p.found(first, at, 1)
		}
		if got := view.check(p, at+c.after); got != c.want || c.want > pubStored && p.first != first {
			t.Errorf("%s, known by the view: %s of %d, want %s", c.what, got.name(), p.first, c.want.name())
		}
	}
}

// An answer of the view that is older than what memory forgot says nothing of what lies between: it is fetched again.
func TestDedupeStaleAnswer(t *testing.T) {
	d := newDedupe()
	d.add([16]byte{1}, entry(10, 1000, 1))
	d.add([16]byte{2}, entry(20, 1000, 1))
	d.evict(10)
	for _, c := range []struct {
		hash byte
		upTo eventlog.Seq
		want pubState
	}{
		{1, 9, pubPrefetch}, // 10 was forgotten after the view was asked
		{1, 10, pubWaiting}, // the view had 10 and did not find it
		{3, 9, pubPrefetch},
		{3, 50, pubWaiting},
		{2, 9, pubDuplicate}, // memory knows, whatever the view said
	} {
		if got := d.check(identified(c.hash, 1, c.upTo), 1000); got != c.want {
			t.Errorf("key %d, answer up to %d: %s, want %s", c.hash, c.upTo, got.name(), c.want.name())
		}
	}
	if got := d.check(identified(1, 1, 9).found(3, 999, 1), 1000); got != pubPrefetch {
		t.Errorf("a stale answer that found something: %s, want prefetch: 10 might say otherwise", got.name())
	}
}

// A key that was used again after its window is remembered by its last use, though the first is forgotten.
func TestDedupeKeyUsedAgain(t *testing.T) {
	d := newDedupe()
	d.add([16]byte{1}, entry(10, 0, 1))
	d.add([16]byte{1}, entry(20, window, 2))
	d.evict(10)
	p := identified(1, 2, 10)
	if got := d.check(p, window+1); got != pubDuplicate || p.first != 20 {
		t.Errorf("%s of %d, want a duplicate of 20", got.name(), p.first)
	}
	d.evict(20)
	if len(d.entries) != 0 || len(d.order) != 0 || d.size.Load() != 0 {
		t.Errorf("%d entries, %d in order, size %d are left", len(d.entries), len(d.order), d.size.Load())
	}
	d.evict(5) // an older step changes nothing
	if d.evicted != 20 {
		t.Errorf("evicted went back to %d", d.evicted)
	}
}

// At the start memory gets what the view does not have: publications with an identity, of this window.
func TestDedupeLoad(t *testing.T) {
	log := memlog.New(memlog.Options{})
	w, err := log.Acquire(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	event := func(hash byte, time int64, dedupe bool) eventlog.Record {
		ev := record.EventPublished{ID: "e", Type: "a", HasDedupe: dedupe, Dedupe: [16]byte{hash}, Fingerprint: [16]byte{1}}
		return eventlog.Record{Type: record.TypeEventPublished, Tenant: "a", Time: time, Facts: ev.AppendFacts(nil)}
	}
	base := w.Next()
	const now = int64(4_000_000_000_000) // the epoch record is of this machine's present: later than that
	other := eventlog.Record{Type: record.TypeKeyCreated, Time: now, Facts: (&record.KeyCreated{}).AppendFacts(nil)}
	for _, batch := range [][]eventlog.Record{
		{event(1, now-window, true), event(2, now-window+1, true)},
		{event(3, now-5, true), event(4, now-5, false), event(5, now-5, true)},
		{other, event(6, now, true)},
	} {
		if err := w.Append(batch).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		after eventlog.Seq
		want  []byte
	}{
		{0, []byte{2, 3, 5, 6}},
		{base + 1, []byte{3, 5, 6}},
		{base + 2, []byte{5, 6}}, // in the middle of a batch
		{base + 6, nil},
	} {
		d := newDedupe()
		if err := d.load(t.Context(), log, c.after, now); err != nil {
			t.Fatal(err)
		}
		if len(d.entries) != len(c.want) || d.evicted != c.after || d.size.Load() != int64(len(c.want)) {
			t.Errorf("after %d: %d entries (size %d), evicted %d, want %v", c.after, len(d.entries), d.size.Load(), d.evicted, c.want)
		}
		for _, hash := range c.want {
			if got := d.check(identified(hash, 1, c.after), now); got != pubDuplicate {
				t.Errorf("after %d: key %d is %s, want duplicate", c.after, hash, got.name())
			}
		}
	}
}

// publisher is one who asked the view at some time and comes to the sequencer at a later one.
type publisher struct {
	p     *publication
	print byte
}

// Exact and bounded: with a view that follows at its own pace, memory that forgets one step behind it, and publishers
// whose answers are of any age, every decision is that of somebody who remembers everything.
func TestDedupeAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, evictable := newDedupe(), eventlog.Seq(0)
		var all []dedupeEntry // by seq-1; what everybody knows
		var keys []byte
		view, now := eventlog.Seq(0), int64(1e12)
		last := func(key byte, upTo eventlog.Seq) (e dedupeEntry, ok bool) {
			for i := int(upTo) - 1; i >= 0; i-- {
				if keys[i] == key {
					return all[i], true
				}
			}
			return e, false
		}
		ask := func(p *publication) {
			e, ok := last(p.event.Dedupe[0], view)
			p.seen = prefetch{upTo: view, found: ok, entry: e}
		}
		var waiting []publisher
		t.Repeat(map[string]func(*rapid.T){
			"ask": func(t *rapid.T) {
				x := publisher{print: rapid.ByteRange(1, 2).Draw(t, "print")}
				x.p = identified(rapid.ByteRange(1, 3).Draw(t, "key"), x.print, 0)
				ask(x.p)
				waiting = append(waiting, x)
			},
			"publish": func(t *rapid.T) {
				if len(waiting) == 0 {
					return
				}
				i := rapid.IntRange(0, len(waiting)-1).Draw(t, "which")
				x := waiting[i]
				got := d.check(x.p, now)
				if got == pubPrefetch {
					if x.p.seen.upTo >= evictable {
						t.Fatalf("an answer up to %d is stale, memory forgets up to %d", x.p.seen.upTo, d.evicted)
					}
					ask(x.p)
					if got = d.check(x.p, now); got == pubPrefetch {
						t.Fatal("a fresh answer is stale")
					}
				}
				waiting = append(waiting[:i:i], waiting[i+1:]...)
				key := x.p.event.Dedupe[0]
				first, known := last(key, eventlog.Seq(len(all)))
				want := pubWaiting
				if known && now-first.time < window {
					if want = pubDuplicate; first.fingerprint[0] != x.print {
						want = pubConflict
					}
				}
				if got != want || want != pubWaiting && x.p.first != first.seq {
					t.Fatalf("%s of %d, want %s of %d", got.name(), x.p.first, want.name(), first.seq)
				}
				if want == pubWaiting {
					e := entry(eventlog.Seq(len(all)+1), now, x.print)
					all, keys = append(all, e), append(keys, key)
					d.add(x.p.event.Dedupe, e)
				}
			},
			"view follows": func(t *rapid.T) {
				view += eventlog.Seq(rapid.IntRange(0, len(all)-int(view)).Draw(t, "by"))
			},
			"evict": func(*rapid.T) { // as evictCommand does
				d.evict(evictable)
				evictable = view
			},
			"time": func(t *rapid.T) {
				now += rapid.SampledFrom([]int64{1, window / 3, window - 1, window}).Draw(t, "ms")
			},
			"": func(t *rapid.T) {
				if n := len(all) - int(d.evicted); len(d.order) != n || d.size.Load() != int64(n) || len(d.entries) > n {
					t.Fatalf("memory holds %d of %d in %d entries", len(d.order), n, len(d.entries))
				}
			},
		})
	})
}

// The sequencer's part of a publish with an identity: one look into memory, no allocation.
func BenchmarkDedupe(b *testing.B) {
	d := newDedupe()
	p := identified(1, 1, 0)
	b.ReportAllocs()
	for i := eventlog.Seq(1); b.Loop(); i++ {
		p.event.Dedupe = [16]byte{byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 24)}
		if d.check(p, 1) != pubWaiting {
			b.Fatal("not new")
		}
		d.add(p.event.Dedupe, dedupeEntry{seq: i, time: 1})
		if i%10_000 == 0 {
			d.evict(i - 5000)
			p.seen.upTo = i
		}
	}
}
