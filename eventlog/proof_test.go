package eventlog_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
)

// proofLog has batches of 1 to 9 records, some with sections, by two owners.
func proofLog(t *testing.T) (eventlog.Log, []eventlog.Batch) {
	t.Helper()
	l := memlog.New(memlog.Options{Now: func() int64 { return 1 }})
	t.Cleanup(func() { _ = l.Close() })
	for _, owner := range []string{"a", "another/7"} {
		w, err := l.Acquire(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n < 10; n++ {
			var rs []eventlog.Record
			for i := range n {
				rs = append(rs, eventlog.Record{Type: 7, Time: 5, Tenant: "acme", Facts: fmt.Appendf(nil, "%d of %d", i, n),
					Sections: []eventlog.Section{eventlog.NewSection([]byte{byte(i)})}[:i%2]})
			}
			if err := w.Append(rs).Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	var ends []eventlog.Batch
	for b, err := range l.ReadBatches(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, eventlog.Batch{First: b.First, Chain: b.Chain, Records: make([]eventlog.Record, len(b.Records))})
	}
	return l, ends
}

// Every record is proved to every later batch end, and the chain computed is the log's there; where no batch ends, and for
// records that are not there, there is no proof.
func TestProof(t *testing.T) {
	l, ends := proofLog(t)
	head := ends[len(ends)-1].Last()
	chains := map[eventlog.Seq]eventlog.Hash{}
	for i := range ends {
		chains[ends[i].Last()] = ends[i].Chain
	}
	for seq := eventlog.Seq(1); seq <= head; seq++ {
		for to := eventlog.Seq(0); to <= head+1; to++ {
			p, err := eventlog.Prove(t.Context(), l, seq, to)
			if chain, isEnd := chains[to]; to != 0 && (!isEnd || to < seq) {
				if !errors.Is(err, eventlog.ErrNotFound) {
					t.Fatalf("seq %d to %d, chain %x: %v, want ErrNotFound", seq, to, chain, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			end, chain, err := p.Chain()
			if err != nil || chain != chains[end] || to != 0 && end != to {
				t.Fatalf("seq %d to %d: proves seq %d, chain %x, %v", seq, to, end, chain, err)
			}
		}
	}
	for _, seq := range []eventlog.Seq{0, head + 1} {
		if _, err := eventlog.Prove(t.Context(), l, seq, 0); !errors.Is(err, eventlog.ErrNotFound) {
			t.Errorf("seq %d: %v, want ErrNotFound", seq, err)
		}
	}
}

// Whatever is changed in a proof, it does not prove that chain any more.
func TestChangedProof(t *testing.T) {
	l, ends := proofLog(t)
	head := &ends[len(ends)-1]
	seq := ends[8].First + 3
	for name, change := range map[string]func(p *eventlog.Proof){
		"seq":            func(p *eventlog.Proof) { p.Record.Seq++ },
		"time":           func(p *eventlog.Proof) { p.Record.Time++ },
		"type":           func(p *eventlog.Proof) { p.Record.Type++ },
		"tenant":         func(p *eventlog.Proof) { p.Record.Tenant = "other" },
		"facts":          func(p *eventlog.Proof) { p.Record.Facts[0] ^= 1 },
		"a section":      func(p *eventlog.Proof) { p.Record.Sections[0].Sum[0] ^= 1 },
		"place":          func(p *eventlog.Proof) { p.Place++; p.Record.Seq++ },
		"place below 0":  func(p *eventlog.Proof) { p.Place = -1 },
		"path":           func(p *eventlog.Proof) { p.Path[0][0] ^= 1 },
		"a shorter path": func(p *eventlog.Proof) { p.Path = p.Path[1:] },
		"a longer path":  func(p *eventlog.Proof) { p.Path = append(p.Path, eventlog.Hash{}) },
		"prev":           func(p *eventlog.Proof) { p.Prev[0] ^= 1 },
		"epoch":          func(p *eventlog.Proof) { p.Batch.Epoch++ },
		"owner":          func(p *eventlog.Proof) { p.Batch.Owner = "b" },
		"count":          func(p *eventlog.Proof) { p.Batch.Count++ },
		"a link's root":  func(p *eventlog.Proof) { p.Links[1].Root[0] ^= 1 },
		"a link's count": func(p *eventlog.Proof) { p.Links[1].Count++ },
		"no link":        func(p *eventlog.Proof) { p.Links = p.Links[:len(p.Links)-1] },
		"a link left out": func(p *eventlog.Proof) {
			p.Links = append(p.Links[:1:1], p.Links[2:]...)
		},
	} {
		p, err := eventlog.Prove(t.Context(), l, seq, head.Last())
		if err != nil {
			t.Fatal(err)
		}
		change(&p)
		if end, chain, err := p.Chain(); err == nil && end == head.Last() && chain == head.Chain {
			t.Errorf("%s changed: it proves all the same", name)
		}
	}
}
