package engine

import (
	"context"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// AllowedRemovals reads the rules of retention that a log says were applied, and returns what says of a record which of its
// sections may be gone by them, bit 0 the first. What it returns is safe for concurrent use.
func AllowedRemovals(ctx context.Context, log eventlog.Log) (func(*eventlog.Record) uint16, error) {
	var removals []*state.Removal
	for b, err := range log.ReadBatches(ctx, 0) {
		if err != nil {
			return nil, err
		}
		for i := range b.Records {
			if b.Records[i].Type != record.TypeBodyRemoved {
				continue
			}
			if removals, _, _, err = state.AddRemoval(removals, &b.Records[i]); err != nil {
				return nil, err
			}
		}
	}
	return func(r *eventlog.Record) (sections uint16) {
		for _, x := range removals {
			sections |= x.Allows(r)
		}
		return sections
	}, nil
}
