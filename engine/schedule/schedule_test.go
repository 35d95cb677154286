package schedule_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/schedule"
)

// O-14: 5 min, 30 min, 2 h, 24 h.
func osir() schedule.Schedule {
	return schedule.Schedule{Waits: []time.Duration{5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 24 * time.Hour}}
}

// D-11: 12 s doubling, 9 waits, up to 10 % more, 7200 s after the first.
func dnsimple() schedule.Schedule {
	s := schedule.Schedule{Jitter: 0.1, Limit: 7200 * time.Second}
	for w := 12 * time.Second; len(s.Waits) < 9; w *= 2 {
		s.Waits = append(s.Waits, w)
	}
	return s
}

// starts walks a schedule whose attempts all fail after `took` ms.
func starts(s schedule.Schedule, took int64, rnd uint64) (at []int64, reason string) {
	at = []int64{0}
	for {
		finished := at[len(at)-1] + took
		due, ok, why := s.Next(len(at), 0, finished, rnd)
		if !ok {
			return at, why
		}
		at = append(at, due)
	}
}

// O-14, P7: starts at 0, 5 m, 35 m, 2 h 35 m, 26 h 35 m when attempts take no time; each delay counts from the end of
// the attempt before it.
func TestOSIR(t *testing.T) {
	for _, c := range []struct {
		took int64
		want []int64
	}{
		{0, []int64{0, 300_000, 2_100_000, 9_300_000, 95_700_000}},
		{30_000, []int64{0, 330_000, 2_160_000, 9_390_000, 95_820_000}},
	} {
		got, reason := starts(osir(), c.took, math.MaxUint64)
		if !slices.Equal(got, c.want) || reason != schedule.ReasonUsedUp {
			t.Errorf("attempts of %d ms start at %v (%s), want %v", c.took, got, reason, c.want)
		}
	}
	if got := osir().MaxAttempts(); got != 5 {
		t.Errorf("MaxAttempts = %d, want 5", got)
	}
}

// D-11, P12: 10 attempts, the last at most 7200 s after the first, every gap at least 1.3 times the one before, with any
// jitter and with attempts that each time out after 30 s.
func TestDNSimple(t *testing.T) {
	for _, rnd := range []uint64{0, 1 << 63, math.MaxUint64} {
		for _, took := range []int64{0, 200, 30_000} {
			at, reason := starts(dnsimple(), took, rnd)
			if len(at) != 10 || reason != schedule.ReasonUsedUp {
				t.Fatalf("rnd %x, %d ms: %d attempts (%s), want 10", rnd, took, len(at), reason)
			}
			if last := at[9]; last > 7_200_000 {
				t.Errorf("rnd %x, %d ms: last attempt at %d ms, want <= 7 200 000", rnd, took, last)
			}
			for i := 2; i < len(at); i++ {
				if before, gap := at[i-1]-at[i-2]-took, at[i]-at[i-1]-took; float64(gap) < 1.3*float64(before) {
					t.Errorf("rnd %x, %d ms: gap %d after %d grows by less than 1.3", rnd, took, gap, before)
				}
			}
		}
	}
}

func TestNext(t *testing.T) {
	limited := schedule.Schedule{Waits: []time.Duration{time.Minute, time.Minute}, Jitter: 0.5, Limit: 2 * time.Minute}
	for _, c := range []struct {
		name     string
		s        schedule.Schedule
		made     int
		finished int64
		rnd      uint64
		due      int64
		reason   string
	}{
		{"the first is due at once", limited, 0, 7, 0, 7, ""},
		{"no jitter", limited, 1, 1_000, 0, 61_000, ""},
		{"half the jitter", limited, 1, 1_000, 1 << 63, 76_000, ""},
		{"the whole jitter", limited, 1, 1_000, math.MaxUint64, 91_000, ""},
		{"due at the limit exactly", limited, 2, 60_000, 0, 120_000, ""},
		{"jitter gives way to the limit", limited, 2, 59_000, math.MaxUint64, 120_000, ""},
		{"beyond the limit by 1 ms", limited, 2, 60_001, 0, 0, schedule.ReasonTimeLimit},
		{"used up", limited, 3, 0, 0, 0, schedule.ReasonUsedUp},
		{"used up long ago", limited, 99, 0, 0, 0, schedule.ReasonUsedUp},
		{"part of a ms is rounded up", schedule.Schedule{Waits: []time.Duration{1}}, 1, 10, 0, 11, ""},
		{"no wait", schedule.Schedule{Waits: []time.Duration{0}, Jitter: 1}, 1, 10, math.MaxUint64, 10, ""},
		{"the zero schedule", schedule.Schedule{}, 1, 10, 0, 0, schedule.ReasonUsedUp},
	} {
		t.Run(c.name, func(t *testing.T) {
			due, ok, reason := c.s.Next(c.made, 0, c.finished, c.rnd)
			if due != c.due || reason != c.reason || ok != (c.reason == "") {
				t.Errorf("got %d, %v, %q; want %d, %q", due, ok, reason, c.due, c.reason)
			}
		})
	}
}

// Never early, never beyond the jitter, never beyond the limit, and the same arguments give the same answer.
func TestNextProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSchedule(t)
		made := rapid.IntRange(0, schedule.MaxWaits+2).Draw(t, "made")
		first := rapid.Int64Range(0, 1<<45).Draw(t, "first")
		finished := first + rapid.Int64Range(0, 1<<40).Draw(t, "took")
		rnd := rapid.Uint64().Draw(t, "rnd")
		due, ok, reason := s.Next(made, first, finished, rnd)
		if d2, o2, r2 := s.Next(made, first, finished, rnd); d2 != due || o2 != ok || r2 != reason {
			t.Fatal("two answers to one question")
		}
		if made == 0 {
			return
		}
		if made > len(s.Waits) {
			if ok || reason != schedule.ReasonUsedUp {
				t.Fatalf("attempt %d of %d: %v %q", made+1, s.MaxAttempts(), ok, reason)
			}
			return
		}
		wait := s.Waits[made-1].Milliseconds()
		latest := first + s.Limit.Milliseconds()
		if !ok {
			if reason != schedule.ReasonTimeLimit || s.Limit == 0 || finished+wait <= latest {
				t.Fatalf("refused (%q) though due at %d, latest %d", reason, finished+wait, latest)
			}
			return
		}
		if due < finished+wait || float64(due-finished) > float64(wait)*(1+s.Jitter)+1e-3 {
			t.Fatalf("due %d, wait %d ms and jitter %v after %d", due, wait, s.Jitter, finished)
		}
		if s.Limit > 0 && due > latest {
			t.Fatalf("due %d beyond the limit %d", due, latest)
		}
	})
}

func drawSchedule(t *rapid.T) schedule.Schedule {
	ms := rapid.Int64Range(0, schedule.MaxWait.Milliseconds())
	var s schedule.Schedule
	var sum time.Duration
	for range rapid.IntRange(1, schedule.MaxWaits).Draw(t, "waits") {
		w := time.Duration(ms.Draw(t, "wait")) * time.Millisecond
		s.Waits, sum = append(s.Waits, w), sum+w
	}
	s.Jitter = float64(rapid.IntRange(0, 1_000_000).Draw(t, "jitter")) / 1e6
	if rapid.Bool().Draw(t, "limited") {
		s.Limit = max(sum, 1) + time.Duration(ms.Draw(t, "slack"))*time.Millisecond
		s.Limit = s.Limit.Truncate(time.Millisecond)
		if s.Limit < sum {
			s.Limit = sum
		}
	}
	if err := s.Validate(); err != nil {
		t.Fatalf("drawn schedule: %v", err)
	}
	return s
}

func TestValidate(t *testing.T) {
	waits := func(n int, w time.Duration) []time.Duration {
		all := make([]time.Duration, n)
		for i := range all {
			all[i] = w
		}
		return all
	}
	minute := waits(1, time.Minute)
	for _, c := range []struct {
		name  string
		s     schedule.Schedule
		field string // "" = valid
		says  string
	}{
		{"osir", osir(), "", ""},
		{"dnsimple", dnsimple(), "", ""},
		{"most and longest", schedule.Schedule{Waits: waits(50, schedule.MaxWait), Jitter: 1}, "", ""},
		{"waits fill the limit exactly", schedule.Schedule{Waits: waits(2, time.Hour), Jitter: 1, Limit: 2 * time.Hour}, "", ""},
		{"none", schedule.Schedule{}, "waits", "1 to 50"},
		{"too many", schedule.Schedule{Waits: waits(51, time.Second)}, "waits", "51 waits; give 1 to 50"},
		{"negative", schedule.Schedule{Waits: []time.Duration{time.Second, -time.Second}}, "waits[1]", "negative"},
		{"too long", schedule.Schedule{Waits: waits(1, schedule.MaxWait+time.Millisecond)}, "waits[0]", "at most 720h (30 days)"},
		{"too fine", schedule.Schedule{Waits: waits(1, time.Microsecond)}, "waits[0]", "whole milliseconds"},
		{"jitter below", schedule.Schedule{Waits: minute, Jitter: -0.1}, "jitter", "0 (none) to 1"},
		{"jitter above", schedule.Schedule{Waits: minute, Jitter: 1.01}, "jitter", "0 (none) to 1"},
		{"jitter not a number", schedule.Schedule{Waits: minute, Jitter: math.NaN()}, "jitter", "0 (none) to 1"},
		{"jitter too fine", schedule.Schedule{Waits: minute, Jitter: 1.0 / 3}, "jitter", "6 decimals"},
		{"limit negative", schedule.Schedule{Waits: minute, Limit: -1}, "limit", "negative"},
		{"limit too fine", schedule.Schedule{Waits: minute, Limit: time.Hour + 1}, "limit", "whole milliseconds"},
		{"limit cannot be kept", schedule.Schedule{Waits: waits(3, time.Hour), Limit: 179 * time.Minute}, "limit", "add up to 3h, beyond the limit of 2h59m"},
	} {
		t.Run(c.name, func(t *testing.T) { fails(t, c.s.Validate(), c.field, c.says) })
	}
}

func fails(t *testing.T, err error, field, says string) {
	t.Helper()
	if field == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var e *schedule.Error
	if !errors.As(err, &e) || !errors.Is(err, schedule.ErrInvalid) {
		t.Fatalf("got %v, want an *Error that is ErrInvalid", err)
	}
	if e.Field != field || !strings.Contains(e.Message, says) {
		t.Errorf("got %q, want field %q and %q in it", e, field, says)
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		waits []string
		field string
		says  string
	}{
		{[]string{"5m", "30m", "2h", "24h"}, "", ""},
		{nil, "waits", "1 to 50"},
		{make([]string, 51), "waits", "1 to 50"},
		{[]string{"5m", "5"}, "waits[1]", "write it like 30s, 5m or 24h"},
		{[]string{"721h"}, "waits[0]", "at most 720h"},
		{[]string{strings.Repeat("x", 5000)}, "waits[0]", "not a duration"},
	} {
		s, err := schedule.Parse(c.waits)
		fails(t, err, c.field, c.says)
		if err == nil && strings.Join(s.Strings(), " ") != strings.Join(c.waits, " ") {
			t.Errorf("%v comes back as %v", c.waits, s.Strings())
		}
	}
}

func TestFormat(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 10 * time.Second: "10s", time.Minute: "1m", 10 * time.Minute: "10m", 90 * time.Second: "1m30s",
		time.Hour: "1h", 20 * time.Hour: "20h", 90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s", 250 * time.Millisecond: "250ms",
	} {
		got := schedule.Format(d)
		if back, err := time.ParseDuration(got); got != want || err != nil || back != d {
			t.Errorf("Format(%d) = %q (read back %v, %v), want %q", d, got, back, err, want)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	s := dnsimple()
	for i := 0; b.Loop(); i++ {
		s.Next(1+i%9, 0, int64(i), uint64(i)*0x9e3779b97f4a7c15)
	}
}
