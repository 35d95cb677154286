package schedule

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Bounds of a schedule.
const (
	MaxWaits = 50
	MaxWait  = 30 * 24 * time.Hour
)

// ErrInvalid is wrapped by every error of Validate and Parse.
var ErrInvalid = errors.New("schedule: invalid")

// Error names the field of a schedule that is wrong.
type Error struct {
	Field   string // "waits", "waits[2]", "jitter" or "limit"
	Message string // bound and fix
}

func (e *Error) Error() string { return e.Field + ": " + e.Message }

func (e *Error) Unwrap() error { return ErrInvalid }

func wrong(field, format string, args ...any) error {
	return &Error{Field: field, Message: fmt.Sprintf(format, args...)}
}

// Validate checks every bound. A schedule whose attempts cannot all start within its limit, even if each ends at once
// and jitter adds nothing, is refused: its last waits would be dead text.
func (s Schedule) Validate() error {
	if n := len(s.Waits); n < 1 || n > MaxWaits {
		return wrong("waits", "%d waits; give 1 to %d", n, MaxWaits)
	}
	var sum time.Duration
	for i, w := range s.Waits {
		field := fmt.Sprintf("waits[%d]", i)
		switch {
		case w < 0:
			return wrong(field, "%s is negative; give 0s to 720h (30 days)", Format(w))
		case w > MaxWait:
			return wrong(field, "%s is too long; give at most 720h (30 days)", Format(w))
		case w%time.Millisecond != 0:
			return wrong(field, "%s is not in whole milliseconds; round it", w)
		}
		sum += w
	}
	if scaled := s.Jitter * jitterSteps; !(s.Jitter >= 0 && s.Jitter <= 1) {
		return wrong("jitter", "%v is not a share; give 0 (none) to 1 (up to the whole wait)", s.Jitter)
	} else if math.Abs(scaled-math.Round(scaled)) > 1e-6 {
		return wrong("jitter", "%v is too fine; give at most 6 decimals", s.Jitter)
	}
	switch {
	case s.Limit < 0:
		return wrong("limit", "%s is negative; give 0s (none) or more", Format(s.Limit))
	case s.Limit%time.Millisecond != 0:
		return wrong("limit", "%s is not in whole milliseconds; round it", s.Limit)
	case s.Limit > 0 && sum > s.Limit:
		return wrong("limit", "the waits add up to %s, beyond the limit of %s; drop the last waits or raise the limit",
			Format(sum), Format(s.Limit))
	}
	return nil
}
