package profile

import (
	"time"

	"github.com/hookline/hookline/engine/schedule"
)

// Bounds of what receivers may ask for, and of warnings.
const (
	minRetryAfterCap     = time.Second
	maxRetryAfterCap     = 30 * 24 * time.Hour
	defaultRetryAfterCap = 24 * time.Hour
	maxWarnings          = 9
)

// readRetryAfter reads whether a receiver may put off the next attempt, and by how much at most.
func (p *Profile) readRetryAfter(at place) error {
	var honour bool
	limit := defaultRetryAfterCap
	err := at.mapping(
		need("honour", boolean(&honour)),
		may("cap", func(at place) error {
			if err := duration(&limit)(at); err != nil {
				return err
			}
			if limit < minRetryAfterCap || limit > maxRetryAfterCap || limit%time.Millisecond != 0 {
				return at.errorf("is %s; give 1s to 720h (30 days) in whole milliseconds", schedule.Format(limit))
			}
			return nil
		}),
	)
	if honour {
		p.RetryAfterCap = limit
	}
	return err
}

// readGone reads what status 410 means.
func (p *Profile) readGone(at place) error {
	var what string
	err := choice(&what, "disable", "retry")(at)
	p.GoneDisables = what == "disable"
	return err
}

func (p *Profile) readFailure(at place) error {
	return at.mapping(
		may("disable_after_exhausted", boolean(&p.DisableAfterExhausted)),
		may("suppress_after", number(&p.SuppressAfter, 0, 1_000_000)),
		may("warn_at", p.readWarnAt),
		past("gone_disables", boolean(&p.GoneDisables)), // gone: disable
	)
}

func (p *Profile) readWarnAt(at place) error {
	return at.list(1, maxWarnings, func(item place) error {
		var percent int
		if err := number(&percent, 1, 99)(item); err != nil {
			return err
		}
		if n := len(p.WarnAt); n > 0 && byte(percent) <= p.WarnAt[n-1] {
			return item.errorf("is %d, not more than the one before; write rising percentages such as [50, 70, 90]", percent)
		}
		p.WarnAt = append(p.WarnAt, byte(percent))
		return nil
	})
}
