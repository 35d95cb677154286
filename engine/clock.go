package engine

import (
	"sync"
	"time"
)

// clock is engine time in Unix ms: it never runs back, whatever the wall clock does.
type clock interface {
	Now() int64
	// Ahead says how far engine time is ahead of the wall clock, in ms; 0 for a manual clock.
	Ahead() int64
	// Jumped says, once, that the wall clock sprang forward by more than an hour.
	Jumped() bool
}

// realClock follows the wall clock. When the wall clock is behind (a glitch put the last record into the future, or it
// was set back), engine time goes on at half speed until the wall clock has caught up.
type realClock struct {
	mu     sync.Mutex
	last   time.Duration // engine time since the epoch
	at     time.Duration // monotonic reading that belongs to last
	ahead  time.Duration
	jumped bool
	read   func() (wall, mono time.Duration)
}

func newRealClock(lastRecord int64, now func() time.Time) *realClock {
	start := now()
	return newRealClockOn(lastRecord, func() (wall, mono time.Duration) {
		t := now()
		return time.Duration(t.UnixNano()), t.Sub(start)
	})
}

// newRealClockOn is a clock on two others: the wall clock since the Unix epoch, which may be set, and one that is not.
func newRealClockOn(lastRecord int64, read func() (wall, mono time.Duration)) *realClock {
	wall, mono := read()
	c := &realClock{read: read, at: mono}
	c.last = max(time.Duration(lastRecord)*time.Millisecond, wall)
	c.ahead = c.last - wall
	return c
}

func (c *realClock) Now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, mono := c.read()
	elapsed := max(mono-c.at, 0)
	c.jumped = c.jumped || wall-(c.last+elapsed) > time.Hour
	c.last = max(wall, c.last+elapsed/2)
	c.ahead = c.last - wall
	c.at = mono
	return c.last.Milliseconds()
}

func (c *realClock) Ahead() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ahead.Milliseconds()
}

func (c *realClock) Jumped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.jumped
	c.jumped = false
	return j
}

// manualClock stands still until it is set.
type manualClock struct {
	mu  sync.Mutex
	now int64
}

func (c *manualClock) Now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) Ahead() int64 { return 0 }
func (c *manualClock) Jumped() bool { return false }

func (c *manualClock) set(now int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = max(c.now, now)
}
