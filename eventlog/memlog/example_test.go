package memlog_test

import (
	"context"
	"fmt"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
)

func Example() {
	ctx := context.Background()
	log := memlog.New(memlog.Options{Now: func() int64 { return 1000 }})
	defer log.Close()

	w, err := log.Acquire(ctx, "example") // appends the epoch record, seq 1
	if err != nil {
		panic(err)
	}
	c := w.Append([]eventlog.Record{
		{Type: 16, Time: 1001, Tenant: "acme", Facts: []byte("a"), Sections: []eventlog.Section{{Data: []byte("sealed")}}},
		{Type: 17, Time: 1002, Tenant: "acme", Facts: []byte("b")},
	})
	if err := c.Wait(ctx); err != nil { // durable from here on
		panic(err)
	}
	for b, err := range log.ReadBatches(ctx, 0) {
		if err != nil {
			panic(err)
		}
		fmt.Printf("epoch %d: seq %d to %d\n", b.Epoch, b.First, b.Last())
	}
	r, err := log.Get(ctx, 2)
	fmt.Printf("%d %s %s %v\n", r.Seq, r.Facts, r.Sections[0].Data, err)
	// Output:
	// epoch 1: seq 1 to 1
	// epoch 1: seq 2 to 3
	// 2 a sealed <nil>
}
