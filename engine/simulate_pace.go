package engine

import (
	"context"
	"runtime"
	"time"
)

// pace keeps a simulation out of the way. While records are being appended or attempts are under way it works for
// simulateTurn and rests nineteen times as long, so that it takes a twentieth of one core at most; in an idle engine it only
// yields.
type pace struct {
	e       *Engine
	turn    time.Time
	records int64
}

const (
	simulateLook = 64 // events between two looks at the clock
	simulateTurn = time.Millisecond
	simulateRest = 19 // times the turn
)

func (p *pace) begin() { p.turn, p.records = time.Now(), p.e.count.records.Load() }

// give gives way if it is time.
func (p *pace) give(ctx context.Context) error {
	worked := time.Since(p.turn)
	if worked < simulateTurn {
		return ctx.Err()
	}
	if p.e.count.records.Load() == p.records && p.e.count.inFlight.Load() == 0 {
		runtime.Gosched()
		p.begin()
		return ctx.Err()
	}
	rest := time.NewTimer(simulateRest * worked)
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.begin()
	return nil
}
