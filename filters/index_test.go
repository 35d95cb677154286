package filters

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func mustTypes(t fataler, entries ...string) Types {
	t.Helper()
	types, err := ParseTypes(entries)
	if err != nil {
		t.Fatal(err)
	}
	return types
}

func mustCompile(t fataler, src string) *Filter {
	t.Helper()
	if src == "" {
		return nil
	}
	f, err := Compile(src)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// everything routes without an index: the meaning of Route.
func everything(subs []Subscription, ev *Event) (r Routed) {
	for i := range subs {
		s := &subs[i]
		if !s.Types.Match(ev.Type) {
			continue
		}
		ok, err := true, error(nil)
		if s.Filter != nil {
			ok, err = s.Filter.Match(ev)
		}
		switch {
		case err != nil:
			r.Failed = append(r.Failed, Failure{s, err})
		case ok:
			r.Matched = append(r.Matched, s)
		}
	}
	return r
}

// The index finds what evaluating everything finds, in the same order, errors included.
func TestRouteIsEverything(t *testing.T) {
	filters := []*Filter{nil, mustCompile(t, `data.n > 1`), mustCompile(t, `type startsWith "a."`), mustCompile(t, `data.s == "x"`), mustCompile(t, `true`)}
	segment := rapid.SampledFrom([]string{"a", "b", "c"})
	name := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(segment, 1, 3).Draw(t, "segments"), ".") + rapid.SampledFrom([]string{"", "", ":s"}).Draw(t, "state")
	})
	entry := rapid.Custom(func(t *rapid.T) string {
		n := name.Draw(t, "name")
		switch rapid.IntRange(0, 5).Draw(t, "form") {
		case 0:
			return "*"
		case 1, 2:
			n, _, _ = strings.Cut(n, ":")
			return n + ".*"
		}
		return n
	})
	rapid.Check(t, func(t *rapid.T) {
		var subs []Subscription
		for i := range rapid.IntRange(0, 20).Draw(t, "subscriptions") {
			types, err := ParseTypes(rapid.SliceOfN(entry, 1, 4).Draw(t, "entries"))
			if err != nil {
				t.Fatal(err)
			}
			subs = append(subs, Subscription{Key: uint64(i), Types: types, Filter: rapid.SampledFrom(filters).Draw(t, "filter")})
		}
		x := Build(subs)
		if x.Len() != len(subs) {
			t.Fatalf("Len is %d of %d", x.Len(), len(subs))
		}
		ev := &Event{Type: name.Draw(t, "type"), Data: []byte(rapid.SampledFrom([]string{`{"n":2,"s":"x"}`, `{"n":1}`, `{}`, `{"n":"text"}`, `{`}).Draw(t, "data"))}
		got, want := x.Route(ev), everything(subs, ev)
		if g, w := told(got), told(want); g != w {
			t.Fatalf("%s: the index finds %s, everything %s", ev.Type, g, w)
		}
	})
}

// told is a result in one line: the keys that match, then those that failed and why.
func told(r Routed) string {
	return fmt.Sprint(keys(r.Matched), failures(r))
}

func keys(subs []*Subscription) (out []uint64) {
	for _, s := range subs {
		out = append(out, s.Key)
	}
	return out
}

func failures(r Routed) (out []string) {
	for _, f := range r.Failed {
		out = append(out, fmt.Sprintf("%d: %v", f.Subscription.Key, f.Err))
	}
	return out
}

func TestRoute(t *testing.T) {
	x := Build([]Subscription{
		{Key: 1, Types: mustTypes(t, "*")},
		{Key: 3, Types: mustTypes(t, "domain.create", "domain.*"), Filter: mustCompile(t, `data.ttl > 60`)},
		{Key: 9, Types: mustTypes(t, "domain.create"), Filter: mustCompile(t, `data.zone == nil`)},
		{Key: 10, Types: mustTypes(t, "domain.create:started")},
		{Key: 12, Types: mustTypes(t, "domain.*", "*")},
	})
	for _, c := range []struct {
		eventType, data string
		matched         []uint64
		failed          []uint64
	}{
		{"domain.create", `{"ttl":61}`, []uint64{1, 3, 9, 12}, nil},
		{"domain.create", `{"ttl":60,"zone":1}`, []uint64{1, 12}, nil},
		{"domain.create", `{"ttl":"61"}`, []uint64{1, 9, 12}, []uint64{3}},
		{"domain.create", `{`, []uint64{1, 12}, []uint64{3, 9}},
		{"domain.create:started", `{"ttl":61}`, []uint64{1, 3, 10, 12}, nil},
		{"domain", `{"ttl":61}`, []uint64{1, 12}, nil},
	} {
		r := x.Route(&Event{Type: c.eventType, Data: []byte(c.data)})
		var failed []uint64
		for _, f := range r.Failed {
			failed = append(failed, f.Subscription.Key)
			if !errors.Is(f.Err, ErrEvaluate) {
				t.Errorf("%v is no ErrEvaluate", f.Err)
			}
		}
		if !slices.Equal(keys(r.Matched), c.matched) || !slices.Equal(failed, c.failed) {
			t.Errorf("%s %s: %v, failed %v; want %v, %v", c.eventType, c.data, keys(r.Matched), failed, c.matched, c.failed)
		}
	}
	if r := Build(nil).Route(&Event{Type: "a"}); len(r.Matched)+len(r.Failed) > 0 {
		t.Errorf("an empty index finds %v", r)
	}
}

// An event's JSON is decoded only if a filter of its types looks at it, and once.
func TestRouteDecodesOnce(t *testing.T) {
	looking, blind := mustCompile(t, `data.n == 1`), mustCompile(t, `type == "a" and tenant == ""`)
	for _, c := range []struct {
		name    string
		subs    []Subscription
		decoded bool
	}{
		{"no filter", []Subscription{{Types: mustTypes(t, "*")}}, false},
		{"a filter of another type", []Subscription{{Types: mustTypes(t, "b"), Filter: looking}}, false},
		{"a filter that does not look at data", []Subscription{{Types: mustTypes(t, "a"), Filter: blind}}, false},
		{"a filter that does", []Subscription{{Key: 1, Types: mustTypes(t, "a"), Filter: looking}, {Key: 2, Types: mustTypes(t, "*"), Filter: looking}}, true},
	} {
		ev := &Event{Type: "a", Data: []byte(`{"n":1}`)}
		x := Build(c.subs)
		x.Route(ev)
		first := ev.decoded[rootData]
		if (first != nil) != c.decoded {
			t.Errorf("%s: decoded %v", c.name, first != nil)
		}
		if x.Route(ev); ev.decoded[rootData] != first {
			t.Errorf("%s: decoded twice", c.name)
		}
	}
}

// Neither matching nor routing allocates but for the result and the document.
func TestAllocations(t *testing.T) {
	f := mustCompile(t, `data.zone_record.type in ["A", "AAAA"] and data.zone_record.ttl >= 600 and data.zone.name endsWith ".example" and data.amount / 10 > 1.5 and "global" in data.zone_record.regions`)
	ev := sampleEvent()
	x := Build([]Subscription{{Key: 1, Types: mustTypes(t, "zone_record.*", "a"), Filter: f}, {Key: 2, Types: mustTypes(t, "*")}, {Key: 3, Types: mustTypes(t, "zone_record.create")}})
	if ok, err := f.Match(ev); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if n := testing.AllocsPerRun(100, func() { f.Match(ev) }); n > 0 {
		t.Errorf("Match allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { x.Route(ev) }); n > 1 {
		t.Errorf("Route allocates %v times, want once", n)
	}
}

// One Index and its filters serve many publishers at once, each with its own events.
func TestRouteConcurrently(t *testing.T) {
	subs := []Subscription{{Key: 1, Types: mustTypes(t, "a.*"), Filter: mustCompile(t, `data.s matches "^x+$" and lower(data.s) in ["xx", "y"]`)}, {Key: 2, Types: mustTypes(t, "*")}}
	x := Build(subs)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if r := x.Route(&Event{Type: "a.b", Data: []byte(`{"s":"xx"}`)}); !slices.Equal(keys(r.Matched), []uint64{1, 2}) {
					t.Errorf("found %v", r)
				}
			}
		})
	}
	wg.Wait()
}

// fataler is what a test, a benchmark and a rapid check have in common.
type fataler interface {
	Helper()
	Fatal(...any)
}
