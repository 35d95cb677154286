package schedule

import (
	"math"
	"math/bits"
	"time"
)

// Schedule is how often and how long apart a delivery is attempted. The zero value makes one attempt and no retry.
type Schedule struct {
	// Waits[i] lies between the end of attempt i+1 and the start of attempt i+2. 1 to MaxWaits of them, each 0 to MaxWait
	// in whole ms.
	Waits []time.Duration
	// Jitter is the share of a wait, 0 to 1 in steps of 0.000001, of which a random part is added to it. It never makes
	// an attempt early.
	Jitter float64
	// Limit is how long after the start of the first attempt another may still be scheduled, in whole ms. 0 = no limit.
	Limit time.Duration
}

// Why there is no next attempt: the reasons of an exhausted delivery.
const (
	ReasonUsedUp    = "schedule_used_up"
	ReasonTimeLimit = "time_limit"
)

// jitterSteps is the resolution of Jitter: what a record keeps of it.
const jitterSteps = 1_000_000

// MaxAttempts is how many attempts the schedule allows, the first included.
func (s Schedule) MaxAttempts() int { return len(s.Waits) + 1 }

// Next is when the attempt after `made` finished ones may start. firstStarted and finished are the start of the first
// and the end of the last attempt in Unix ms, rnd is 64 random bits for the jitter. ok is false when there is none;
// then reason is ReasonUsedUp or ReasonTimeLimit.
//
// The limit is on the scheduled time. A wait that fits it without jitter is not lost to jitter: then the attempt is
// due at the limit at the latest.
func (s Schedule) Next(made int, firstStarted, finished int64, rnd uint64) (due int64, ok bool, reason string) {
	if made < 1 {
		return finished, true, ""
	}
	if made > len(s.Waits) {
		return 0, false, ReasonUsedUp
	}
	wait := ceilMS(s.Waits[made-1])
	due = finished + wait
	extra := s.jitter(wait, rnd)
	if s.Limit > 0 {
		room := firstStarted + s.Limit.Milliseconds() - due
		if room < 0 {
			return 0, false, ReasonTimeLimit
		}
		extra = min(extra, room)
	}
	return due + extra, true, ""
}

// jitter is evenly spread over 0 to wait*Jitter, both included.
func (s Schedule) jitter(wait int64, rnd uint64) int64 {
	share := int64(math.Round(s.Jitter * jitterSteps))
	if share <= 0 || wait <= 0 {
		return 0
	}
	most := wait * min(share, jitterSteps) / jitterSteps // at most 30 days * 10^6: fits
	hi, _ := bits.Mul64(rnd, uint64(most)+1)
	return int64(hi)
}

func ceilMS(d time.Duration) int64 {
	ms := d.Milliseconds()
	if d > time.Duration(ms)*time.Millisecond {
		ms++
	}
	return ms
}
