package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/hookline/hookline/cmd/hookline/demo/client"
)

type deliveryState struct {
	Status   string `json:"status"`
	Attempts int    `json:"attempts_made"`
}

// verify asks the server whether it has recorded everything. What was received last may be recorded a moment later: it
// asks again until Options.Stall is over.
func (m *measuring) verify(ctx context.Context) error {
	m.arrivals()
	switch m.row.kind {
	case kindIngest:
		return m.verifyEvents(ctx)
	case kindNeighbour:
		return nil // half of its deliveries never end
	}
	for began := time.Now(); ; {
		if err := m.verifyDeliveries(ctx); err != nil {
			return err
		}
		if m.out.Check.Unrecorded == 0 || m.row.kind != kindPending || time.Since(began) > m.o.Stall {
			return nil // in the other rows no delivery was pending any more when CPU was read: no moment is left
		}
		if !pause(ctx, time.Second) {
			return context.Cause(ctx)
		}
	}
}

func (m *measuring) verifyDeliveries(ctx context.Context) error {
	want := deliveryState{"succeeded", 1}
	if m.row.kind == kindPending {
		want.Status = "pending"
	}
	recorded, extra := uint64(0), uint64(0)
	err := client.Each(ctx, m.s.api, "/v1/tenants/"+tenant+"/deliveries", func(d deliveryState) error {
		if d == want || m.row.kind == kindPending && d == (deliveryState{"succeeded", 1}) {
			recorded++
		} else {
			extra++
		}
		return nil
	})
	if err != nil {
		return err
	}
	m.out.Check.Unrecorded = extra + absDiff(recorded, m.expected())
	return nil
}

func (m *measuring) verifyEvents(ctx context.Context) error {
	listed := uint64(0)
	err := client.Each(ctx, m.s.api, "/v1/tenants/"+tenant+"/events", func(struct{}) error { listed++; return nil })
	if err != nil {
		return err
	}
	m.out.Check.Unrecorded = absDiff(listed, m.next)
	head, err := m.s.head(ctx)
	if err != nil {
		return err
	}
	if m.seqs.MaxSeq > head || m.seqs.MaxSeq-m.seqs.MinSeq+1 < m.next {
		return fmt.Errorf("bench: the answers' seqs %d to %d cannot be those of %d events in a log whose head is %d",
			m.seqs.MinSeq, m.seqs.MaxSeq, m.next, head)
	}
	return nil
}

func absDiff(a, b uint64) uint64 { return max(a, b) - min(a, b) }
