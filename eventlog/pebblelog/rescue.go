package pebblelog

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/wal"

	"github.com/hookline/hookline/eventlog"
)

// rescue reads a database that does not open file by file, tables first and write-ahead logs after, and puts what can be
// read into a new one below dir. Keys are never overwritten but by the removal of sections, so that the order of tables
// does not matter for facts; a section that was removed may come back from a table that was not cleaned up yet, and is
// sealed as it was.
func rescue(from Options, dir string) (*Log, error) {
	o := from
	o.Dir, o.ReadOnly = dir, false
	l, err := newLog(o)
	if err != nil {
		return nil, err
	}
	l.mark = &mark{}
	if l.db, err = l.openPebble(); err != nil {
		l.lock.release()
		return nil, err
	}
	fs, db := from.FS, from.FS.PathJoin(from.Dir, dbDir)
	names, err := fs.List(db)
	if err == nil {
		slices.Sort(names)
		for _, name := range names {
			if strings.HasSuffix(name, ".sst") {
				err = errors.Join(err, l.rescueTable(fs, fs.PathJoin(db, name)))
			}
		}
		err = errors.Join(err, l.rescueWAL(fs, db))
	}
	if err == nil {
		err = l.db.Flush()
	}
	if err != nil {
		err = errors.Join(err, l.db.Close())
		l.lock.release()
		return nil, err
	}
	return l, nil
}

// rescueTable takes the keys that can be read from a table. Damage is passed over; the error is that of writing.
func (l *Log) rescueTable(fs vfs.FS, path string) (err error) {
	defer func() { // Pebble's answer to some damage
		if p := recover(); p != nil {
			err = nil
		}
	}()
	f, err := fs.Open(path)
	if err != nil {
		return nil
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		_ = f.Close()
		return nil
	}
	r, err := sstable.NewReader(context.Background(), readable, sstable.ReaderOptions{})
	if err != nil {
		_ = readable.Close()
		return nil
	}
	defer func() { _ = r.Close() }()
	for _, kind := range []byte{keyBatch, keySections} {
		next := eventlog.Seq(0)
		for {
			last, err := l.rescueRun(r, kind, next)
			if err != nil {
				return err
			}
			if last == 0 {
				break
			}
			found, ok := readableAfter(r, kind, last)
			if !ok {
				break
			}
			next = found
		}
	}
	return nil
}

// rescueRun copies keys of a kind from a seq on until the end (0) or damage: then it returns the first seq that could not
// be read, as far as that is known.
func (l *Log) rescueRun(r *sstable.Reader, kind byte, from eventlog.Seq) (damagedAt eventlog.Seq, err error) {
	lower, upper := makeKey(kind, from), makeKey(kind+1, 0)
	it, err := r.NewIter(sstable.NoTransforms, lower[:], upper[:], sstable.AssertNoBlobHandles)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = it.Close() }()
	b := l.db.NewBatch()
	defer func() { _ = b.Close() }()
	last := from
	kv := it.SeekGE(lower[:], 0)
	for ; kv != nil; kv = it.Next() {
		last = keySeq(kv.K.UserKey) + 1
		if kv.K.Kind() != pebble.InternalKeyKindSet {
			continue
		}
		value, _, verr := kv.Value(nil)
		if verr != nil {
			continue
		}
		if err := b.Set(kv.K.UserKey, value, nil); err != nil {
			return 0, err
		}
		if b.Len() > copyBatchBytes {
			if err := l.db.Apply(b, pebble.NoSync); err != nil {
				return 0, err
			}
			_ = b.Close()
			b = l.db.NewBatch()
		}
	}
	damaged := it.Error() != nil
	if err := l.db.Apply(b, pebble.NoSync); err != nil || !damaged {
		return 0, err
	}
	return max(last, 1), nil
}

// readableAfter finds the first seq after damage from which a table can be read on.
func readableAfter(r *sstable.Reader, kind byte, from eventlog.Seq) (eventlog.Seq, bool) {
	try := func(seq eventlog.Seq) (found, ok, end bool) {
		lower, upper := makeKey(kind, seq), makeKey(kind+1, 0)
		it, err := r.NewIter(sstable.NoTransforms, lower[:], upper[:], sstable.AssertNoBlobHandles)
		if err != nil {
			return false, false, true
		}
		defer func() { _ = it.Close() }()
		if it.SeekGE(lower[:], 0) != nil {
			return true, true, false
		}
		return false, it.Error() == nil, it.Error() == nil
	}
	bad, good := from, eventlog.Seq(0)
	for step := eventlog.Seq(1); step < 1<<40; step *= 2 {
		found, _, end := try(from + step)
		if end {
			break // past the table
		}
		if found {
			good = from + step
			break
		}
		bad = from + step
	}
	if good == 0 {
		return 0, false
	}
	for good-bad > 1 {
		middle := bad + (good-bad)/2
		if found, _, _ := try(middle); found {
			good = middle
		} else {
			bad = middle
		}
	}
	return good, true
}

// rescueWAL takes the batches of the write-ahead logs, each up to its first damage.
func (l *Log) rescueWAL(fs vfs.FS, dir string) error {
	logs, err := wal.Scan(wal.Dir{FS: fs, Dirname: dir})
	if err != nil {
		return nil
	}
	for _, one := range logs {
		if err := l.rescueOne(one); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) rescueOne(one wal.LogicalLog) error {
	r := one.OpenForRead()
	defer func() { _ = r.Close() }()
	for {
		rec, _, err := r.NextRecord()
		if err != nil {
			return nil // its end, or damage
		}
		repr, err := io.ReadAll(rec)
		if err != nil {
			return nil
		}
		b := l.db.NewBatch()
		if err := b.SetRepr(repr); err != nil {
			_ = b.Close()
			return nil
		}
		err = l.applyRescued(b)
		_ = b.Close()
		if err != nil {
			return err
		}
	}
}

// applyRescued applies a batch of a write-ahead log; one that Pebble cannot make sense of is passed over.
func (l *Log) applyRescued(b *pebble.Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = nil
		}
	}()
	if b.Empty() {
		return nil
	}
	err = l.db.Apply(b, pebble.NoSync)
	if errors.Is(err, pebble.ErrInvalidBatch) {
		return nil
	}
	return err
}
