package bench

import (
	"context"
	"fmt"

	"github.com/hookline/hookline/cmd/hookline/demo/client"
)

type deliveryState struct {
	Status   string `json:"status"`
	Attempts int    `json:"attempts_made"`
}

// verify asks the server whether it has recorded everything.
func (m *measuring) verify(ctx context.Context) error {
	m.arrivals()
	c := &m.out.Check
	if m.row.kind == kindIngest {
		return m.verifyEvents(ctx)
	}
	want := deliveryState{"succeeded", 1}
	if m.row.kind == kindPending {
		want.Status = "pending"
	}
	recorded, extra := uint64(0), uint64(0)
	path := "/v1/tenants/" + tenant + "/deliveries"
	err := client.Each(ctx, m.s.api, path, func(d deliveryState) error {
		if d == want || m.row.kind == kindPending && d.Status == "succeeded" {
			recorded++
		} else {
			extra++
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.Unrecorded = extra + absDiff(recorded, m.expected())
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
