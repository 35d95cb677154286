package pebblelog

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2"
)

// Backup implements eventlog.Backuper. Tables are linked, not copied, where the file system can; writes go on. The
// copy is a log of its own, whose end was checked and marked clean; it appears in dir only when it is whole. It holds
// at least what was durable when Backup began. The keyring is not part of it.
func (l *Log) Backup(ctx context.Context, dir string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if l.opts.ReadOnly { // Pebble has no checkpoint of a database that it only reads
		return errors.New("pebblelog: backup: opened ReadOnly: open for writing to back up")
	}
	fs := l.opts.FS
	part := dir + ".part"
	for _, d := range []string{dir, part} {
		if _, err := fs.Stat(d); err == nil {
			return fmt.Errorf("pebblelog: backup: %s: %w: name a directory that does not exist", d, os.ErrExist)
		} else if !oserror.IsNotExist(err) {
			return fmt.Errorf("pebblelog: backup: %w", err)
		}
	}
	err := l.backup(ctx, part)
	if err == nil {
		err = fs.Rename(part, dir)
	}
	if err == nil {
		err = syncDir(fs, fs.PathDir(dir))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("pebblelog: backup: %w", err), fs.RemoveAll(part))
	}
	return nil
}

func (l *Log) backup(ctx context.Context, part string) error {
	fs := l.opts.FS
	if err := makeDir(fs, part); err != nil {
		return err
	}
	err := l.using(func() error {
		head := l.head.Load()
		if err := createMark(fs, part, point{seq: head.Seq, chain: head.Chain}); err != nil {
			return err
		}
		return l.db.Checkpoint(fs.PathJoin(part, dbDir), pebble.WithFlushedWAL())
	})
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// Opening checks the end, closing marks it as exact. Its disk trouble is this backup's, not the log's.
	copied, err := Open(Options{
		Dir: part, FS: l.opts.FS, Logger: l.opts.Logger, ScrubRate: -1, MemTable: 1 << 20,
		Free:    func() (uint64, error) { return 0, errors.ErrUnsupported },
		OnFatal: func(error) {},
	})
	if err != nil {
		return err
	}
	closed := copied.Close()
	return errors.Join(copied.failed(), closed)
}
