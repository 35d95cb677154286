package dispatch

import (
	"testing"

	"pgregory.net/rapid"
)

// run lets ms pass one by one, or only at the moments that Lanes asks for, and notes when each attempt started. Every
// attempt ends at once.
func (h *hall) run(from, to int64, asked bool) (starts []int64) {
	for now := from; now <= to; {
		h.At(now)
		for {
			s, ok := h.Next()
			if !ok {
				break
			}
			starts = append(starts, now)
			h.Done(s, Succeeded)
		}
		next, waits := h.NextToken()
		switch {
		case !asked:
			now++
		case !waits:
			return starts
		default:
			if next <= now {
				h.t.Fatalf("at %d the next token is said to come at %d", now, next)
			}
			now = next
		}
	}
	return starts
}

// A rate limit delays and never drops: over any stretch no more start than the rate allows and a bucket of 20 ms (one at
// least), and no fewer; whether the clock ticks or leaps to the moments that are asked for.
func TestRateLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.OneOf(rapid.IntRange(1, 60), rapid.IntRange(61, 10_000)).Draw(t, "rate")
		n := min(rapid.IntRange(1, 400).Draw(t, "deliveries"), rate*5)
		h := newHall(t, 10, n)
		h.At(1_000_000)
		l := h.NewLane(256)
		h.Limit(l, rate)
		h.fill(l, n)
		starts := h.run(1_000_000, 1_020_000, rapid.Bool().Draw(t, "asked"))
		if len(starts) != n {
			t.Fatalf("%d of %d started at %d/s", len(starts), n, rate)
		}
		bucket := max(1, float64(rate)/50)
		for i := range starts {
			for j := i + 1; j < len(starts); j++ {
				took := float64(starts[j]-starts[i]) / 1000
				if got := float64(j - i + 1); got > took*float64(rate)+bucket+1e-3 {
					t.Fatalf("%v started within %v s at %d/s", got, took, rate)
				}
			}
		}
		if took := float64(starts[n-1]-starts[0]) / 1000; took > float64(n)/float64(rate)+0.001*float64(n) && rate <= 1000 || took > float64(n)/float64(rate)+0.002 && rate > 1000 {
			t.Fatalf("%d took %v s at %d/s", n, took, rate)
		}
	})
}

// Promise 7: what waits for a token holds no slot, and nobody else up.
func TestRateLimitHoldsUpNobody(t *testing.T) {
	h := newHall(t, 4, 200)
	h.At(5000)
	limited, free := h.NewLane(8), h.NewLane(8)
	h.Limit(limited, 2)
	h.fill(limited, 50)
	h.fill(free, 120)
	for round := range 25 {
		starts := h.start()
		if len(starts) != 4 {
			t.Fatalf("round %d: %d start in 4 slots", round, len(starts))
		}
		for _, s := range starts {
			if s.Lane == limited && round > 0 {
				t.Fatalf("round %d: another one of the limited lane, and no time has passed", round)
			}
			h.Done(s, Succeeded)
		}
	}
}

// A limit that is changed or lifted counts at once; a lane that was emptied while it waited is passed over.
func TestRateLimitChanges(t *testing.T) {
	h := newHall(t, 100, 100)
	h.At(1000)
	l := h.NewLane(50)
	h.Limit(l, 1)
	in := h.fill(l, 40)
	if got := h.run(1000, 1999, false); len(got) != 1 {
		t.Fatalf("%d in the first second at 1/s", len(got))
	}
	h.Limit(l, 10)
	if got := h.run(1999, 2999, false); len(got) < 9 || len(got) > 11 {
		t.Fatalf("%d in a second at 10/s", len(got))
	}
	h.Limit(l, 1)
	if got := h.run(3000, 4999, false); len(got) < 1 || len(got) > 2 {
		t.Fatalf("%d in two seconds at 1/s again", len(got))
	}
	for _, d := range in[len(in)-l.Waiting():] {
		h.Remove(l, d)
	}
	if got := h.run(5000, 9000, true); len(got) != 0 {
		t.Fatalf("%d started of an emptied lane", len(got))
	}
	h.fill(l, 20)
	h.Limit(l, 0)
	h.At(9001)
	if got := h.start(); len(got) != 20 {
		t.Errorf("%d of 20 started once the limit was lifted", len(got))
	}
}
