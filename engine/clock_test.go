package engine

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sky is what a realClock looks at: a wall clock that anybody may set, and a monotonic one that goes its way.
type sky struct{ wall, mono time.Duration }

func (s *sky) read() (wall, mono time.Duration) { return s.wall, s.mono }

// pass is time going by on both.
func (s *sky) pass(d time.Duration) { s.wall, s.mono = s.wall+d, s.mono+d }

const noon = 1_700_000_000 * time.Second

func newSky() *sky { return &sky{wall: noon, mono: 77 * time.Second} }

func (c *realClock) expect(t *testing.T, what string, want time.Duration) {
	t.Helper()
	if got := c.Now(); got != want.Milliseconds() {
		t.Errorf("%s: engine time is noon %+d ms, want %+d", what, got-noon.Milliseconds(), (want - noon).Milliseconds())
	}
}

// While nothing goes wrong engine time is the wall clock.
func TestClockFollowsTheWallClock(t *testing.T) {
	s := newSky()
	c := newRealClockOn((noon - time.Hour).Milliseconds(), s.read)
	for range 5 {
		s.pass(1500 * time.Millisecond)
		c.expect(t, "on its way", s.wall)
	}
	s.wall += 400 * time.Millisecond // slewed forward
	c.expect(t, "set forward a little", s.wall)
	if c.Jumped() || c.Ahead() != 0 {
		t.Errorf("jumped %v, ahead %d", c.Jumped(), c.Ahead())
	}
}

// After the wall clock was set back by a minute engine time goes on at half speed until the wall clock is there again:
// two minutes later.
func TestClockSetBack(t *testing.T) {
	s := newSky()
	c := newRealClockOn(0, s.read)
	c.expect(t, "before", noon)
	s.wall -= time.Minute
	c.expect(t, "set back", noon)
	if c.Ahead() != 60_000 {
		t.Errorf("ahead by %d ms, want 60 000", c.Ahead())
	}
	for i := 1; i <= 12; i++ {
		s.pass(10 * time.Second)
		c.expect(t, "at half speed", noon+time.Duration(i)*5*time.Second)
	}
	if c.Ahead() != 0 {
		t.Errorf("ahead by %d ms after two minutes", c.Ahead())
	}
	s.pass(10 * time.Second)
	c.expect(t, "at full speed again", s.wall)
	if c.Jumped() {
		t.Error("being set back is told as a jump forward")
	}
}

// A last record from the future (its machine's clock was wrong): time goes on from it, never back to the wall clock,
// and how far ahead it is can be asked at once.
func TestClockStartsAtTheLastRecord(t *testing.T) {
	s := newSky()
	last := noon + 10*time.Minute
	c := newRealClockOn(last.Milliseconds(), s.read)
	if c.Ahead() != 600_000 {
		t.Errorf("ahead by %d ms before the first look, want 600 000", c.Ahead())
	}
	c.expect(t, "at the start", last)
	s.pass(4 * time.Minute)
	c.expect(t, "at half speed", last+2*time.Minute)
	s.pass(16 * time.Minute)
	c.expect(t, "caught up", s.wall)
}

// A jump forward by more than an hour is told once; one of less, or time that simply went by, is not.
func TestClockJump(t *testing.T) {
	s := newSky()
	c := newRealClockOn(0, s.read)
	c.Now()
	s.pass(30 * 24 * time.Hour)
	c.Now()
	s.wall += time.Hour
	if c.expect(t, "an hour forward", s.wall); c.Jumped() {
		t.Error("a jump of an hour is told")
	}
	s.pass(time.Second)
	s.wall += time.Hour + time.Millisecond
	c.expect(t, "more than an hour forward", s.wall)
	c.Now()
	if !c.Jumped() {
		t.Error("a jump of more than an hour is not told")
	}
	s.pass(time.Minute)
	if c.Now(); c.Jumped() {
		t.Error("a jump is told twice")
	}
	s.wall -= 3 * time.Hour // and back: engine time stays ahead
	c.Now()
	s.wall += 3 * time.Hour
	if c.Now(); c.Jumped() {
		t.Error("coming back to where engine time is, is told as a jump")
	}
}

// Whatever is done to the wall clock, engine time never runs back, never stands still while time goes by, is never
// behind the wall clock, and never goes faster than time but to be at the wall clock.
func TestClockLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSky()
		c := newRealClockOn(int64(noon/time.Millisecond)+rapid.Int64Range(-1e6, 1e6).Draw(t, "last record"), s.read)
		before, wasAt := c.Now(), s.mono
		for range rapid.IntRange(1, 60).Draw(t, "looks") {
			s.pass(time.Duration(rapid.Int64Range(0, 5e9).Draw(t, "ns")))
			if rapid.IntRange(0, 4).Draw(t, "set") == 0 {
				s.wall += time.Duration(rapid.Int64Range(-4e12, 4e12).Draw(t, "by"))
			}
			now := c.Now()
			passed, wall := (s.mono - wasAt).Milliseconds(), s.wall.Milliseconds()
			if now < before+passed/2-1 {
				t.Fatalf("%d ms went by, engine time went from %d to %d", passed, before, now)
			}
			if now < wall {
				t.Fatalf("engine time %d is behind the wall clock, %d", now, wall)
			}
			if now > before+passed/2+1 && now != wall {
				t.Fatalf("%d ms went by, engine time went from %d to %d, the wall clock is at %d", passed, before, now, wall)
			}
			if ahead := c.Ahead(); ahead < 0 || ahead > 0 && now-wall-ahead > 1 {
				t.Fatalf("ahead by %d ms at %d with the wall clock at %d", ahead, now, wall)
			}
			before, wasAt = now, s.mono
		}
	})
}

// Looking often does not slow it down: what half speed leaves over is not lost.
func TestClockKeepsFractions(t *testing.T) {
	s := newSky()
	c := newRealClockOn((noon + time.Hour).Milliseconds(), s.read)
	for range 1_000_000 {
		s.pass(1999 * time.Nanosecond)
		c.Now()
	}
	if got := c.Now() - (noon + time.Hour).Milliseconds(); got < 998 || got > 1000 {
		t.Errorf("after 2 s engine time went on by %d ms, want 999", got)
	}
}

// The system's clocks: engine time is now.
func TestRealClock(t *testing.T) {
	c := newRealClock(0, time.Now)
	before := time.Now().UnixMilli()
	got := c.Now()
	if after := time.Now().UnixMilli(); got < before || got > after {
		t.Errorf("engine time %d, the wall clock went from %d to %d", got, before, after)
	}
}

// A manual clock stands where it was set, and is never set back.
func TestManualClock(t *testing.T) {
	c := &manualClock{now: 5}
	for _, step := range []struct{ set, want int64 }{{7, 7}, {6, 7}, {7, 7}, {1 << 40, 1 << 40}} {
		if c.set(step.set); c.Now() != step.want {
			t.Errorf("set to %d it is %d, want %d", step.set, c.Now(), step.want)
		}
	}
	if c.Ahead() != 0 || c.Jumped() {
		t.Error("a manual clock is ahead or jumped")
	}
}
