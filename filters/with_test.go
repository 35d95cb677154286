package filters

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// An index that went through any changes is the index of what they leave, and the indexes before them stay as they were.
func TestWithIsBuild(t *testing.T) {
	selections := [][]string{{"*"}, {"a"}, {"a", "b.*"}, {"b.c"}, {"b.*", "a.*"}}
	filters := []*Filter{nil, mustCompile(t, `data.n > 1`), mustCompile(t, `data.s == "x"`), mustCompile(t, `true`)}
	rapid.Check(t, func(t *rapid.T) {
		live := map[uint64]Subscription{}
		x := Build(nil)
		type past struct {
			index *Index
			found string
		}
		var before []past
		ev := &Event{Type: rapid.SampledFrom([]string{"a", "b.c", "c"}).Draw(t, "type"), Data: []byte(rapid.SampledFrom([]string{`{"n":2,"s":"x"}`, `{"n":"1"}`}).Draw(t, "data"))}
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			var put []Subscription
			for range rapid.IntRange(0, 4).Draw(t, "put") {
				key := rapid.Uint64Range(1, 60).Draw(t, "key")
				put = append(put, Subscription{Key: key, Value: len(put),
					Types: mustTypes(t, rapid.SampledFrom(selections).Draw(t, "selection")...), Filter: rapid.SampledFrom(filters).Draw(t, "filter")})
			}
			out := rapid.SliceOfN(rapid.Uint64Range(1, 60), 0, 3).Draw(t, "out")
			for _, key := range out {
				delete(live, key)
			}
			for _, s := range put {
				live[s.Key] = s
			}
			x = x.With(put, out)
			left := slices.SortedFunc(maps.Values(live), func(a, b Subscription) int { return int(a.Key) - int(b.Key) })
			holds(t, x, left)
			got := told(x.Route(ev))
			if want := told(everything(left, ev)); got != want {
				t.Fatalf("after %v, without %v, it finds %s, want %s", put, out, got, want)
			}
			before = append(before, past{x, got})
		}
		for _, p := range before {
			if got := told(p.index.Route(ev)); got != p.found {
				t.Fatalf("an index found %s, and after later changes %s", p.found, got)
			}
		}
	})
}

// holds fails unless the index has these subscriptions, which are ascending by key.
func holds(t *rapid.T, x *Index, want []Subscription) {
	t.Helper()
	if x.Len() != len(want) {
		t.Fatalf("it holds %d subscriptions, want %d", x.Len(), len(want))
	}
	i := 0
	for s := range x.All() {
		if i == len(want) || s.Key != want[i].Key || s.Value != want[i].Value || s.Filter != want[i].Filter {
			t.Fatalf("entry %d is %+v", i, *s)
		}
		if g, ok := x.Get(s.Key); !ok || g != s {
			t.Fatalf("Get(%d) finds %v, %v", s.Key, g, ok)
		}
		i++
	}
	if s, ok := x.Get(1000); ok {
		t.Fatalf("Get finds %v, which was never there", s)
	}
}

// Layers shrink by mergeRatio, so that there are few, and a change leaves the large ones alone.
func TestLayersStayFew(t *testing.T) {
	all := mustTypes(t, "*")
	x := Build(nil)
	for i := range 5000 {
		x = x.With([]Subscription{{Key: uint64(i), Types: all}}, nil)
		for j := 1; j < len(x.layers); j++ {
			if x.layers[j-1].live < mergeRatio*x.layers[j].live {
				t.Fatalf("after %d changes layer %d has %d entries, the next one %d", i, j-1, x.layers[j-1].live, x.layers[j].live)
			}
		}
	}
	if n := len(x.layers); n > 6 {
		t.Errorf("5000 entries are in %d layers", n)
	}
	large := x.layers[0].segment
	if y := x.With(nil, []uint64{2500}); y.layers[0].segment != large {
		t.Error("taking out one entry places the large layer anew")
	}
	for i := range 4999 {
		x = x.With(nil, []uint64{uint64(i)})
	}
	if held := len(x.layers[0].subs); len(x.layers) != 1 || held > 3 {
		t.Errorf("one entry is left, and the index holds on to %d in %d layers", held, len(x.layers))
	}
}

// BenchmarkWith changes one of n subscriptions: what a changed subscription costs before the next event is routed.
func BenchmarkWith(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		subs := make([]Subscription, n)
		for i := range subs {
			subs[i] = Subscription{Key: uint64(i), Types: mustTypes(b, "zone.create"), Filter: mustCompile(b, fmt.Sprintf(`data.zone.name == "z%d.example"`, i))}
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := Build(subs)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				x = x.With([]Subscription{subs[i*7919%n]}, nil)
			}
		})
	}
}
