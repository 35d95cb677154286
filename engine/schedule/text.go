package schedule

import (
	"strconv"
	"strings"
	"time"
)

// Parse makes a schedule of waits alone (no jitter, no limit), as an endpoint's own schedule is written: Go durations
// such as "90s" or "1h30m". Errors name waits[i].
func Parse(waits []string) (Schedule, error) {
	if n := len(waits); n < 1 || n > MaxWaits { // before anything is sized by it
		return Schedule{}, wrong("waits", "%d waits; give 1 to %d", n, MaxWaits)
	}
	s := Schedule{Waits: make([]time.Duration, len(waits))}
	for i, text := range waits {
		d, err := time.ParseDuration(text)
		if err != nil {
			return Schedule{}, wrong("waits["+strconv.Itoa(i)+"]", "%.40q is not a duration; write it like 30s, 5m or 24h", text)
		}
		s.Waits[i] = d
	}
	return s, s.Validate()
}

// Strings writes the waits as Parse reads them.
func (s Schedule) Strings() []string {
	out := make([]string, len(s.Waits))
	for i, w := range s.Waits {
		out[i] = Format(w)
	}
	return out
}

// Format writes a duration without the units that are zero: 5m, 24h, 1h30m. time.ParseDuration reads it back.
func Format(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = text[:len(text)-len("0s")]
	}
	if strings.HasSuffix(text, "h0m") {
		text = text[:len(text)-len("0m")]
	}
	return text
}
