package pebblelog

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

// ErrDisk is why appends fail after OnFatal: a write or fsync failed, a commit took too long, or the disk is full.
var ErrDisk = errors.New("pebblelog: disk failed")

// ExitDisk is the process's exit code after ErrDisk, unless Options.OnFatal does otherwise.
const ExitDisk = 4

// Options of Open. Zero values mean the defaults.
type Options struct {
	// Dir is the log's directory. It is created when missing, unless ReadOnly. Required.
	Dir string
	// FS is the file system; nil is the disk. Tests give one in memory, or one that fails.
	FS vfs.FS
	// Logger gets warnings and errors; nil: slog.Default().
	Logger *slog.Logger
	// OnFatal is called once, from any goroutine, when the log cannot go on (ErrDisk). Default: log the error and
	// os.Exit(ExitDisk). It must not call Close. When it returns (tests), everything under way and appended later fails with ErrDisk, and
	// goroutines that hang in Pebble stay behind.
	OnFatal func(error)
	// OnCorrupt is called, from the scrubbing goroutine, for each damaged range that it finds. Default: log it.
	OnCorrupt func(*eventlog.CorruptError)
	// ReadOnly opens for reading: Acquire fails, nothing is written. Several readers may share a directory that
	// nobody writes to.
	ReadOnly bool
	// Now is the time of epoch records in Unix milliseconds (default: the wall clock). A time before the last
	// record's counts as that one's.
	Now func() int64

	// MemTable is the size of one Pebble memtable in bytes, 1 MiB to 1 GiB, default 8 MiB. Up to three exist, and
	// up to five pieces of write-ahead log of that size. Larger ones were not measurably faster.
	MemTable int
	// Cache is the size of Pebble's block cache in bytes, default 8 MiB.
	Cache int64
	// Batches bounds the appends under way, 1 to 256, default 128; BatchBytes their bytes, default 32 MiB (one
	// larger batch alone is let through).
	Batches    int
	BatchBytes int

	// LowWater is the free space in bytes below which LowSpace says so, until twice as much is free again.
	// Default: the larger of 256 MiB and 4 memtables.
	LowWater uint64
	// Reserve is the free space in bytes below which the log fails (ErrDisk) rather than meet a full disk, where
	// Pebble hangs. Default: a quarter of LowWater. Must be below LowWater.
	Reserve uint64
	// Free returns the free space in bytes. Default: asks FS for Dir; a file system that cannot say is never low.
	Free func() (uint64, error)
	// CommitDeadline is how long one commit may take before the log fails (ErrDisk), 1 s or more, default 30 s. It
	// is counted in ticks of a running process: being stopped or suspended does not count.
	CommitDeadline time.Duration
	// IdleFlush is how long nothing must be appended before memtables are flushed, so that the write-ahead log does
	// not hold on to the space. Default 10 s.
	IdleFlush time.Duration
	// ScrubRate is how many bytes a second the background scrub reads, default 4 MiB; negative: no scrub.
	ScrubRate int
	// ScrubPause is the time between two scrubs of the whole log, default 24 h.
	ScrubPause time.Duration
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.OnFatal == nil {
		logger := o.Logger
		o.OnFatal = func(err error) {
			logger.Error("the log cannot go on, exiting", "error", err)
			os.Exit(ExitDisk)
		}
	}
	if o.OnCorrupt == nil {
		logger := o.Logger
		o.OnCorrupt = func(err *eventlog.CorruptError) { logger.Error("scrub found damage", "error", err) }
	}
	if o.Now == nil {
		o.Now = func() int64 { return time.Now().UnixMilli() }
	}
	setDefault(&o.MemTable, 8<<20)
	setDefault(&o.Cache, 8<<20)
	setDefault(&o.Batches, 128)
	setDefault(&o.BatchBytes, 32<<20)
	setDefault(&o.LowWater, max(256<<20, 4*uint64(o.MemTable)))
	setDefault(&o.Reserve, o.LowWater/4)
	setDefault(&o.CommitDeadline, 30*time.Second)
	setDefault(&o.IdleFlush, 10*time.Second)
	setDefault(&o.ScrubRate, 4<<20)
	setDefault(&o.ScrubPause, 24*time.Hour)
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func (o *Options) validate() error {
	switch {
	case o.Dir == "":
		return errors.New("pebblelog: Dir is empty: name the log's directory")
	case o.MemTable < 1<<20 || o.MemTable > 1<<30:
		return fmt.Errorf("pebblelog: MemTable is %d, must be 1 MiB to 1 GiB", o.MemTable)
	case o.Cache < 0:
		return fmt.Errorf("pebblelog: Cache is %d, must not be negative", o.Cache)
	case o.Batches < 1 || o.Batches > 256:
		return fmt.Errorf("pebblelog: Batches is %d, must be 1 to 256", o.Batches)
	case o.BatchBytes < 1:
		return fmt.Errorf("pebblelog: BatchBytes is %d, must be positive", o.BatchBytes)
	case o.Reserve >= o.LowWater:
		return fmt.Errorf("pebblelog: Reserve is %d, must be below LowWater, which is %d", o.Reserve, o.LowWater)
	case o.CommitDeadline < time.Second:
		return fmt.Errorf("pebblelog: CommitDeadline is %v, must be 1s or more", o.CommitDeadline)
	case o.IdleFlush < 0 || o.ScrubPause < 0:
		return errors.New("pebblelog: IdleFlush and ScrubPause must not be negative")
	}
	return nil
}
