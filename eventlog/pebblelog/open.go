package pebblelog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

const dbDir = "pebble"

// Open opens the log in opts.Dir and checks its end against the high-water mark. Errors: eventlog.ErrInUse,
// eventlog.ErrCorrupt, fs.ErrNotExist (ReadOnly and there is none), the file system's.
func Open(opts Options) (*Log, error) {
	l, err := newLog(opts)
	if err != nil {
		return nil, err
	}
	if err := l.open(); err != nil {
		l.stop()
		if l.db != nil {
			_ = l.db.Close()
		}
		if l.mark != nil {
			_ = l.mark.close()
		}
		l.lock.release()
		return nil, err
	}
	l.start()
	return l, nil
}

// newLog checks the options and takes the directory.
func newLog(opts Options) (*Log, error) {
	opts.setDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	if opts.FS == nil {
		opts.FS = vfs.Default
	}
	if !opts.ReadOnly {
		if err := makeDir(opts.FS, opts.Dir); err != nil {
			return nil, fmt.Errorf("pebblelog: %w", err)
		}
	}
	held, err := takeLock(opts.FS, opts.Dir, opts.ReadOnly)
	if err != nil {
		return nil, err
	}
	l := &Log{opts: opts, lock: held, down: make(chan struct{}), toApply: make(chan *underway, opts.Batches)}
	l.toSync = make(chan *underway, opts.Batches)
	l.marking.kick = make(chan struct{}, 1)
	l.space.init(&l.opts)
	l.pipe.init(opts.Batches, opts.BatchBytes)
	l.stopped, l.stop = context.WithCancel(context.Background())
	return l, nil
}

func (l *Log) open() error {
	fs, dir := l.opts.FS, l.opts.Dir
	exists, err := l.prepare()
	if err != nil {
		return err
	}
	if l.mark, err = openMark(fs, dir, l.opts.ReadOnly); err != nil {
		return err
	}
	if !exists && l.mark.at.seq > 0 {
		return &eventlog.CorruptError{First: 1, Last: l.mark.at.seq, What: "the database is missing"}
	}
	if l.db, err = l.openPebble(); err != nil {
		if errno := syscall.Errno(0); errors.As(err, &errno) && errno != syscall.ENOENT {
			return fmt.Errorf("pebblelog: %w", err) // not what is stored is wrong, but reading it
		}
		// Nothing can be served, and the mark says how much that is at least.
		return &eventlog.CorruptError{First: min(1, l.mark.at.seq), Last: l.mark.at.seq,
			What: "the database does not open: " + err.Error()}
	}
	if err := l.checkEnd(); err != nil || l.opts.ReadOnly {
		return err
	}
	return l.space.poll()
}

// prepare says whether a database exists, and makes the mark file before the first one is created: a database without
// a mark has lost it.
func (l *Log) prepare() (exists bool, err error) {
	fs, dir := l.opts.FS, l.opts.Dir
	db := fs.PathJoin(dir, dbDir)
	if _, err := fs.Stat(db); err == nil {
		desc, err := pebble.Peek(db, fs)
		if err != nil {
			return false, &eventlog.CorruptError{What: "the database cannot be read: " + err.Error()}
		}
		exists = desc.Exists
	} else if !oserror.IsNotExist(err) {
		return false, fmt.Errorf("pebblelog: %w", err)
	}
	_, err = fs.Stat(fs.PathJoin(dir, markFile))
	switch {
	case err == nil:
		return exists, nil
	case !oserror.IsNotExist(err):
		return false, fmt.Errorf("pebblelog: %w", err)
	case exists:
		return false, &eventlog.CorruptError{What: "the high-water mark is missing"}
	case l.opts.ReadOnly:
		return false, fmt.Errorf("pebblelog: no log in %s: %w", dir, os.ErrNotExist)
	}
	if err := createMark(fs, dir, point{}); err != nil {
		return false, fmt.Errorf("pebblelog: mark: %w", err)
	}
	return false, nil
}

// openPebble opens the database. A panic on damaged files is an error like others.
func (l *Log) openPebble() (db *pebble.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, fmt.Errorf("%v", p)
		}
	}()
	cache := pebble.NewCache(l.opts.Cache)
	defer cache.Unref()
	o := &pebble.Options{
		FS:                          unlocked{l.opts.FS},
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      pebbleLogger{l.opts.Logger, l.fatal},
		EventListener:               listener(l.opts.Logger, l.fatal),
		ReadOnly:                    l.opts.ReadOnly,
		ErrorIfNotExists:            l.mark.at.seq > 0,
		Cache:                       cache,
		MemTableSize:                uint64(l.opts.MemTable),
		MemTableStopWritesThreshold: 3,
		MaxOpenFiles:                256,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 1 },
	}
	o.Experimental.SpanPolicyFunc = spans
	o.Experimental.ReadSamplingMultiplier = -1 // nothing is gained by compacting what is read often: nothing overlaps
	for i := range o.Levels {
		o.TargetFileSizes[i] = 64 << 20 // a flush is then one table a kind of key
		o.Levels[i].BlockSize = 16 << 10
		// Sections are ciphertext, and folding wants facts at memory speed.
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	}
	return pebble.Open(l.opts.FS.PathJoin(l.opts.Dir, dbDir), o)
}

// makeDir creates dir and makes its entry in each directory above that was created too durable.
func makeDir(fs vfs.FS, dir string) error {
	var made []string
	for d := dir; ; d = fs.PathDir(d) {
		if _, err := fs.Stat(d); err == nil || d == fs.PathDir(d) {
			break
		} else if !oserror.IsNotExist(err) {
			return err
		}
		made = append(made, d)
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, d := range made {
		if err := syncDir(fs, fs.PathDir(d)); err != nil {
			return err
		}
	}
	return nil
}

// Close makes everything appended durable, marks the end as exact and clean, and closes the log, also with a Writer
// open: its later appends fail with ErrClosed. Reads that are under way end with ErrClosed. Close is idempotent.
// After ErrDisk it gives up the lock and leaves the rest as it is.
func (l *Log) Close() error {
	l.closeOnce.Do(func() { l.closeErr = l.close() })
	return l.closeErr
}

func (l *Log) close() error {
	defer l.lock.release()
	l.takeDown(eventlog.ErrClosed)
	l.closing.Store(true)
	l.news.notify()
	l.appending.Lock()
	close(l.toApply)
	l.appending.Unlock()
	drained := make(chan struct{})
	go func() { l.pipeline.Wait(); close(drained) }()
	select {
	case <-drained:
	case <-l.pipe.broken: // applier and finisher may hang in Pebble
	}
	l.stop() // only now: watch sees to it that the above ends
	l.background.Wait()
	if l.failed() != nil {
		return nil
	}
	l.reading.Lock()
	defer l.reading.Unlock()
	l.isClosed = true
	var errs []error
	if !l.opts.ReadOnly {
		head := l.head.Load()
		if p := (point{seq: head.Seq, chain: head.Chain}); l.mark.at != (point{p.seq, p.chain, true}) {
			errs = append(errs, l.mark.seal(p))
		}
	}
	errs = append(errs, l.db.Close(), l.mark.close())
	return errors.Join(errs...)
}
