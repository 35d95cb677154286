package projection

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	iofs "io/fs"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookline/hookline/eventlog"
)

// Open opens a store, or makes one. A store that cannot be used any more is emptied first, with a warning.
// It fails when the directory is in use by somebody else, when the system refuses (permission, no space, no
// descriptors), and when the log fails.
func Open(ctx context.Context, opts Options) (*Store, error) {
	opts.setDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	if err := opts.fs.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("projection: make the views' directory: %w", err)
	}
	lock, err := pebble.LockDirectory(opts.Dir, opts.fs)
	if err != nil {
		return nil, fmt.Errorf("projection: lock %s, is it in use by another process?: %w", opts.Dir, err)
	}
	s, err := open(ctx, opts, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

func open(ctx context.Context, opts Options, lock *pebble.Lock) (*Store, error) {
	var why error
	if _, err := opts.fs.Stat(opts.fs.PathJoin(opts.Dir, damagedName)); err == nil {
		why = errors.New("damage was found by the process before")
	} else {
		s, err := openDB(opts, lock)
		if err == nil {
			if why, err = s.unusable(ctx); why == nil && err == nil {
				return s, nil
			}
			err = errors.Join(err, s.db.Close())
		}
		if err != nil {
			if refused(ctx, err) {
				return nil, fmt.Errorf("projection: open %s: %w", opts.Dir, err)
			}
			why = err
		}
	}
	opts.Logger.Warn("views are made anew from the log", "dir", opts.Dir, "reason", why)
	if err := empty(opts.fs, opts.Dir); err != nil {
		return nil, fmt.Errorf("projection: empty %s: %w", opts.Dir, err)
	}
	s, err := openDB(opts, lock)
	if err == nil {
		if _, err = s.unusable(ctx); err != nil {
			err = errors.Join(err, s.db.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("projection: open %s: %w", opts.Dir, err)
	}
	return s, nil
}

// refused says that an error is the system's, the log's or the caller's, so that deleting the store would not help.
func refused(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, errLog) {
		return true
	}
	for _, e := range []error{iofs.ErrPermission, syscall.ENOSPC, syscall.EDQUOT, syscall.EMFILE, syscall.ENFILE,
		syscall.ENOMEM, syscall.EROFS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func openDB(opts Options, lock *pebble.Lock) (*Store, error) {
	s := &Store{opts: opts, lock: lock, checkpoints: map[string]checkpoint{}}
	s.idle.L = &s.mu
	po := &pebble.Options{
		FS:                 opts.fs,
		Lock:               lock,
		Logger:             pebbleLogger{opts.Logger, opts.Fatal},
		FormatMajorVersion: pebble.FormatNewest,
		DisableWAL:         true,
		// Far less eager than by default: what grows at its end does not overlap anyway, and of the rest a list looks into a
		// few runs more.
		L0CompactionThreshold:       16,
		L0StopWritesThreshold:       48,
		CacheSize:                   opts.CacheBytes,
		MemTableSize:                opts.MemtableBytes,
		MemTableStopWritesThreshold: 2,
		MaxOpenFiles:                256,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 1 },
		EventListener:               s.listener(),
		// The job that gathers them ends the process when a table was cut short; checkTables finds that out instead.
		DisableTableStats: true,
	}
	po.Experimental.SpanPolicyFunc = spans
	for i := range po.Levels {
		po.TargetFileSizes[i] = 8 << 20
	}
	db, err := pebble.Open(opts.Dir, po)
	if err != nil {
		return nil, err
	}
	s.db = db
	return s, nil
}

// spans keeps keys of different first bytes, the kinds of keys that views have, in tables of their own. Most kinds grow at
// their end: apart, their tables do not overlap older ones and are moved down the levels rather than written anew.
func spans(start []byte) (pebble.SpanPolicy, []byte, error) {
	if len(start) == 0 {
		return pebble.SpanPolicy{}, []byte{1}, nil
	}
	if start[0] == 0xff {
		return pebble.SpanPolicy{}, nil, nil
	}
	return pebble.SpanPolicy{}, []byte{start[0] + 1}, nil
}

// listener takes reports from the background. Without it damage ends the process.
func (s *Store) listener() *pebble.EventListener {
	return &pebble.EventListener{
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			_ = s.failed(fmt.Errorf("%w: %s: %w", pebble.ErrCorruption, i.Path, i.Details))
		},
		BackgroundError: func(err error) {
			if !errors.Is(s.failed(err), ErrDamaged) {
				s.opts.Logger.Warn("views: background work failed", "error", err)
			}
		},
	}
}

// checkTables compares the tables' sizes with what is written about them.
func (s *Store) checkTables() (why, err error) {
	levels, err := s.db.SSTables()
	if err != nil {
		return nil, err
	}
	for _, level := range levels {
		for _, t := range level {
			path := s.opts.fs.PathJoin(s.opts.Dir, fmt.Sprintf("%06d.sst", uint64(t.BackingSSTNum)))
			info, err := s.opts.fs.Stat(path)
			if err == nil && !t.Virtual && uint64(info.Size()) != t.Size { // one that is gone was compacted meanwhile
				return fmt.Errorf("%s has %d bytes, %d were written", path, info.Size(), t.Size), nil
			}
		}
	}
	return nil, nil
}

// unusable reads the version and the checkpoints, and says why the store must be made anew. A new store gets its
// version.
func (s *Store) unusable(ctx context.Context) (why, err error) {
	if why, err := s.checkTables(); why != nil || err != nil {
		return why, err
	}
	it, err := s.db.NewIter(&pebble.IterOptions{UpperBound: []byte(metaEnd)})
	if err != nil {
		return nil, err
	}
	found, version := false, uint32(0)
	for ok := it.First(); ok; ok = it.Next() {
		key, value := string(it.Key()), it.Value()
		switch {
		case key == metaVersion && len(value) == 4:
			found, version = true, binary.BigEndian.Uint32(value)
		case strings.HasPrefix(key, metaCheckpoint):
			view := strings.TrimPrefix(key, metaCheckpoint)
			c, ok := decodeCheckpoint(value)
			if !ok {
				return fmt.Errorf("checkpoint of view %q is malformed", view), it.Close()
			}
			s.checkpoints[view] = c
		}
	}
	if err := it.Close(); err != nil {
		return nil, err
	}
	if !found && len(s.checkpoints) == 0 {
		err := s.db.Set([]byte(metaVersion), binary.BigEndian.AppendUint32(nil, s.opts.Version), pebble.NoSync)
		return nil, errors.Join(err, s.db.Flush())
	}
	if version != s.opts.Version {
		return fmt.Errorf("layout version %d, this build has %d", version, s.opts.Version), nil
	}
	for view, c := range s.checkpoints {
		if why, err := foreign(ctx, s.opts.Log, c); why != nil || err != nil {
			return fmt.Errorf("view %q: %w", view, why), err
		}
	}
	return nil, nil
}

// errLog marks errors that are the log's.
var errLog = errors.New("read the log at the checkpoint")

// foreign says why a checkpoint is not one of this log.
func foreign(ctx context.Context, log eventlog.Log, c checkpoint) (why, err error) {
	if log == nil || c.seq == 0 {
		return nil, nil
	}
	head, err := log.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errLog, err)
	}
	switch {
	case c.seq > head.Seq:
		return fmt.Errorf("checkpoint %d is beyond the log's head %d", c.seq, head.Seq), nil
	case c.seq+1 < head.First:
		return fmt.Errorf("checkpoint %d is older than what the log keeps, from %d on", c.seq, head.First), nil
	case c.seq == head.Seq && c.chain == head.Chain:
		return nil, nil
	case c.seq < head.First: // its batch was trimmed: the next one names it
		for b, err := range log.ReadBatches(ctx, c.seq) {
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errLog, err)
			}
			return otherChain(c, b.Prev), nil
		}
	}
	for b, err := range log.ReadBatches(ctx, c.seq-1) {
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %w", errLog, err)
		case b.Last() != c.seq:
			return fmt.Errorf("checkpoint %d is inside the log's batch %d to %d", c.seq, b.First, b.Last()), nil
		}
		return otherChain(c, b.Chain), nil
	}
	return nil, nil
}

func otherChain(c checkpoint, chain eventlog.Hash) error {
	if c.chain == chain {
		return nil
	}
	return fmt.Errorf("checkpoint %d has chain %x, the log has %x there", c.seq, c.chain[:4], chain[:4])
}
