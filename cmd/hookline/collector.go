package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Heaps here are small and most of what is on them lives shortly, so that the collector's default would run it many
// times a second for little. It runs when the heap reaches the floor, or twice what was live, whichever is more; but a
// large heap is given less room than that: what makes it large is pending deliveries, which hold no pointers and cost
// the collector nothing to look at.
const (
	heapFloorServe  = 32 << 20
	heapFloorPlugin = 16 << 20
	heapRoom        = 48 << 20 // and an eighth of what is live, at most
)

// keepHeapFloor sets the collector's pace anew after each of its runs. GOGC in the environment wins.
func keepHeapFloor(floor uint64) {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	last := 100
	var pace func(*struct{ _ [16]byte })
	pace = func(s *struct{ _ [16]byte }) {
		metrics.Read(live)
		n := max(live[0].Value.Uint64(), 1<<20)
		room := max(floor-min(n, floor), min(n, heapRoom+n/8))
		percent := int(room * 100 / n)
		if percent*10 > last*11 || percent*11 < last*10 { // each change stops the world for a moment
			last = percent
			debug.SetGCPercent(percent)
		}
		runtime.SetFinalizer(s, pace)
	}
	runtime.SetFinalizer(&struct{ _ [16]byte }{}, pace)
}
