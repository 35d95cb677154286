package pebblelog

import (
	"fmt"
	"sync/atomic"
)

// spaceBytes is how much may be appended before free space is asked for again ahead of time.
const spaceBytes = 16 << 20

// space watches how much of the disk is free.
type space struct {
	ask          func() (uint64, error)
	low, reserve uint64
	isLow        atomic.Bool
	free         atomic.Uint64
	total        atomic.Int64 // bytes appended since opening
	asked        atomic.Int64 // total at the last poll
	kick         chan struct{}
}

func (s *space) init(o *Options) {
	s.low, s.reserve, s.ask = o.LowWater, o.Reserve, o.Free
	s.kick = make(chan struct{}, 1)
	if s.ask == nil {
		fs, dir := o.FS, o.Dir
		s.ask = func() (uint64, error) {
			u, err := fs.GetDiskUsage(dir)
			return u.AvailBytes, err
		}
	}
}

// appended counts bytes on their way to the disk.
func (s *space) appended(n int) {
	if s.total.Add(int64(n))-s.asked.Load() >= spaceBytes {
		select {
		case s.kick <- struct{}{}:
		default:
		}
	}
}

// poll asks for the free space. Its error says that the reserve is broken into. What cannot be asked is not low: the
// write that fails will tell.
func (s *space) poll() error {
	s.asked.Store(s.total.Load())
	free, err := s.ask()
	if err != nil {
		return nil
	}
	s.free.Store(free)
	switch {
	case free < s.low:
		s.isLow.Store(true)
	case free >= 2*s.low:
		s.isLow.Store(false)
	}
	if free < s.reserve {
		return fmt.Errorf("%w: %d bytes are free, the reserve is %d: free space and start again",
			ErrDisk, free, s.reserve)
	}
	return nil
}

// LowSpace says whether the disk is low on space: from less than Options.LowWater free, until twice as much is.
// It does not block, and is at most 100 ms or 16 MiB of appends old. Then publishes should be refused and no new
// attempts started; what runs may still be recorded, down to Options.Reserve.
func (l *Log) LowSpace() bool { return l.space.isLow.Load() }

// FreeSpace returns the free bytes as last seen, and the low-water line. free is 0 when the file system cannot say.
func (l *Log) FreeSpace() (free, low uint64) { return l.space.free.Load(), l.space.low }
