package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// ErrOptions: options that cannot be used. The message names field, bound and fix.
var ErrOptions = errors.New("bench: option")

// Options of a run. The zero value of each field means its default.
type Options struct {
	// Binary is the hookline under test. Default: this program.
	Binary string
	// Worker is the program whose Main runs the receiver, the publisher and the bare loop. Default: this program.
	Worker string
	// Rows selects rows by name, in this order of measuring. Default: all but the long ones.
	Rows []string
	// Long adds the long rows to the default.
	Long bool
	// Short makes a smoke test of it: about a second a row, no idle waits, small long rows. Its figures mean little.
	Short bool
	// Duration of a row's measured publishing, 100 ms to 10 min. Default 8 s, with Short 1 s. The bare loop runs half of
	// it before and half of it after each row.
	Duration time.Duration
	// Idle is the wait before disk is measured in the rows that have a goal for it, 0 to 10 min. Default 30 s; negative
	// means no wait.
	Idle time.Duration
	// Window is how many events may be published and not yet received, 1 000 to 10 million: publishing does not run
	// away from delivery by more than the memory of a pending entry allows. Default 20 000.
	Window int
	// Size of a delivered body, 200 bytes to 64 KiB. Default 1024.
	Size int
	// Records in the log of the row replay; default 1 million. Aged is the same for the row aged, default 5 million.
	// Pending is how many deliveries the row pending leaves waiting, default 1 million. Each at most 15 million, the
	// events of one run; with Short each defaults to 20 000.
	Records, Aged, Pending int
	// Stall is how long nothing may arrive before what has not arrived counts as missing, 1 s to 10 min. Default 20 s.
	Stall time.Duration
	// ServeArgs are further arguments of `hookline serve`.
	ServeArgs []string
	// Dir is where data directories are made, on a real disk. Default: the directory for temporary files.
	Dir string
	// JSON is a file for the complete result. Default: none.
	JSON string
	// Out takes the table, default os.Stdout; Progress takes a line a step, default os.Stderr.
	Out, Progress io.Writer
}

func (o *Options) setDefaults() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("%w: Binary: %w", ErrOptions, err)
	}
	def(&o.Binary, self)
	def(&o.Worker, self)
	def(&o.Dir, os.TempDir())
	def(&o.Size, 1024)
	def(&o.Window, 20_000)
	def(&o.Stall, 20*time.Second)
	many, most := 1_000_000, 5_000_000
	def(&o.Idle, 30*time.Second)
	if o.Short {
		def(&o.Duration, time.Second)
		many, most, o.Idle = 20_000, 20_000, 0
	}
	o.Idle = max(o.Idle, 0)
	def(&o.Duration, 8*time.Second)
	def(&o.Records, many)
	def(&o.Pending, many)
	def(&o.Aged, most)
	if len(o.Rows) == 0 {
		for _, r := range rows() {
			if o.Long || !r.long {
				o.Rows = append(o.Rows, r.name)
			}
		}
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Progress == nil {
		o.Progress = os.Stderr
	}
	return nil
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func (o *Options) validate() error {
	var errs []error
	bound := func(field string, v, low, high any, ok bool) {
		if !ok {
			errs = append(errs, fmt.Errorf("%w: %s: %v is not within %v and %v", ErrOptions, field, v, low, high))
		}
	}
	bound("Duration", o.Duration, 100*time.Millisecond, 10*time.Minute, o.Duration >= 100*time.Millisecond && o.Duration <= 10*time.Minute)
	bound("Idle", o.Idle, 0, 10*time.Minute, o.Idle <= 10*time.Minute)
	bound("Stall", o.Stall, time.Second, 10*time.Minute, o.Stall >= time.Second && o.Stall <= 10*time.Minute)
	bound("Window", o.Window, 1000, 10_000_000, o.Window >= 1000 && o.Window <= 10_000_000)
	bound("Size", o.Size, 200, 64<<10, o.Size >= 200 && o.Size <= 64<<10)
	for field, v := range map[string]int{"Records": o.Records, "Aged": o.Aged, "Pending": o.Pending} {
		bound(field, v, 1000, 15_000_000, v >= 1000 && v <= 15_000_000)
	}
	known := RowNames()
	for _, name := range o.Rows {
		if !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("%w: Rows: %q is unknown: want of %s", ErrOptions, name, strings.Join(known, ", ")))
		}
	}
	return errors.Join(errs...)
}
