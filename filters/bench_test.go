package filters

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr"
)

// sample is data of about 1 KiB, as a zone record event has it.
var sample = []byte(`{"zone":{"id":51230,"account_id":5120,"name":"tidepool-studio.example","reverse":false,"secondary":false,"active":true},` +
	`"zone_record":{"id":7744102,"zone_id":"tidepool-studio.example","parent_id":null,"name":"www","content":"198.51.100.24","ttl":3600,` +
	`"priority":null,"type":"A","regions":["global","eu-west","us-east"],"system_record":false,"created_at":"2026-02-16T11:12:00Z"},` +
	`"note":"` + strings.Repeat("some text that a person wrote, ", 18) + `","amount":1250,"currency":"EUR"}`)

func sampleEvent() *Event {
	return &Event{Type: "zone_record.create", ID: "evt_1", Tenant: "t1", OccurredAt: time.Unix(1771240320, 0), Data: sample}
}

func BenchmarkDecode(b *testing.B) {
	for name, src := range map[string]string{"1KiB": string(sample), "256KiB of integers": string(dearEvents()["integers"]), "256KiB wide": string(dearEvents()["wide"])} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decode(src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, c := range []struct{ name, src string }{
		{"type", `type == "zone_record.create"`},
		{"member", `data.zone.name == "tidepool-studio.example"`},
		{"typical", `data.zone_record.type in ["A", "AAAA"] and data.zone_record.ttl >= 600 and data.zone.name endsWith ".example"`},
		{"pattern", `data.zone_record.content matches "^198\\.51\\.100\\.[0-9]+$"`},
	} {
		f, err := Compile(c.src)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name+"/decoded before", func(b *testing.B) {
			ev := sampleEvent()
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := f.Match(ev); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
		b.Run(c.name+"/new event", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := f.Match(sampleEvent()); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

// What the same filter costs on expr's own machine, over data that is decoded already.
func BenchmarkExprMachine(b *testing.B) {
	env := exprEnvironment(sampleEvent())
	p, err := expr.Compile(`data?.zone_record?.type in ["A", "AAAA"] and data?.zone_record?.ttl >= 600 and data?.zone?.name endsWith ".example"`, expr.Env(exprEnv{}), expr.AsBool())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if out, err := expr.Run(p, env); out != true || err != nil {
			b.Fatal(out, err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(`data.zone_record.type in ["A", "AAAA"] and data.zone_record.ttl >= 600 and data.zone.name endsWith ".example"`); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRoute has n subscriptions of one tenant; a hundredth of them, at least one, takes the event's type, and every
// second of those by its filter.
func BenchmarkRoute(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		for _, filtered := range []bool{false, true} {
			subs := benchSubscriptions(b, n, filtered)
			x := Build(subs)
			b.Run(fmt.Sprintf("%d/filters=%v", n, filtered), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if r := x.Route(sampleEvent()); len(r.Matched) == 0 || len(r.Failed) > 0 {
						b.Fatal(r)
					}
				}
			})
		}
	}
}

func benchSubscriptions(b *testing.B, n int, filtered bool) []Subscription {
	b.Helper()
	subs := make([]Subscription, n)
	for i := range subs {
		entries := []string{"zone_record.*", "domain.create"}
		if i%100 > 0 {
			entries = []string{fmt.Sprintf("other_%d.*", i), "contact.update"}
		}
		types, err := ParseTypes(entries)
		if err != nil {
			b.Fatal(err)
		}
		subs[i] = Subscription{Key: uint64(i), Types: types}
		if filtered {
			f, err := Compile(fmt.Sprintf(`data.zone_record.ttl >= 600 and data.zone_record.id %% 2 == %d`, i/100%2))
			if err != nil {
				b.Fatal(err)
			}
			subs[i].Filter = f
		}
	}
	return subs
}

func BenchmarkBuild(b *testing.B) {
	subs := benchSubscriptions(b, 10_000, false)
	b.ReportAllocs()
	for b.Loop() {
		Build(subs)
	}
}
