package pebblelog

import (
	"errors"
	"fmt"
	"os"

	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2"

	"github.com/hookline/hookline/eventlog"
)

// Copy makes a log of the batches of another one, as they are: same seqs, same chain, nothing of its own. It is how a
// restore to a point in time, an import and a salvage write. The mark is made last, by Finish: what was broken off
// before does not open as a log. It belongs to one goroutine.
type Copy struct {
	log    *Log
	link   link
	hasher eventlog.Hasher
	batch  *pebble.Batch
	next   eventlog.Seq
	head   eventlog.Head
	failed error // set by Pebble's own goroutines too
	fail   chan error
}

// copyBatchBytes is how much is gathered before it is handed to Pebble.
const copyBatchBytes = 4 << 20

// NewCopy begins a log in opts.Dir, which must hold none. Of opts only Dir, FS, Logger, OnFatal, MemTable and Cache
// count; a failing disk hangs in Pebble unless OnFatal ends the process. The caller ends it with Finish or Discard.
func NewCopy(opts Options) (*Copy, error) {
	c := &Copy{next: 1, fail: make(chan error, 1)}
	opts.ReadOnly = false
	told := opts.OnFatal
	opts.OnFatal = func(err error) {
		select {
		case c.fail <- err:
		default:
		}
		if told != nil {
			told(err)
		}
	}
	l, err := newLog(opts)
	if err != nil {
		return nil, err
	}
	c.log = l
	if err := c.begin(); err != nil {
		l.lock.release()
		return nil, err
	}
	return c, nil
}

func (c *Copy) begin() (err error) {
	l := c.log
	for _, name := range []string{dbDir, markFile} {
		switch _, err := l.opts.FS.Stat(l.opts.FS.PathJoin(l.opts.Dir, name)); {
		case err == nil:
			return fmt.Errorf("pebblelog: copy: %s holds a log already: %w: name an empty directory", l.opts.Dir, os.ErrExist)
		case !oserror.IsNotExist(err):
			return fmt.Errorf("pebblelog: copy: %w", err)
		}
	}
	l.mark = &mark{}
	if l.db, err = l.openPebble(); err != nil {
		return fmt.Errorf("pebblelog: copy: %w", err)
	}
	c.batch = l.db.NewBatch()
	return nil
}

// Next is the first seq of the batch that comes next.
func (c *Copy) Next() eventlog.Seq { return c.next }

// Head is the end of what was added.
func (c *Copy) Head() eventlog.Head { return c.head }

// Add stores a batch as it is. It must follow the one before, its chain must be that of its records, and every section
// must have its data or be Removed; else the error wraps eventlog.ErrCorrupt and nothing of it is stored.
func (c *Copy) Add(b *eventlog.Batch) error {
	if err := c.broken(); err != nil {
		return err
	}
	if err := c.check(b); err != nil {
		return err
	}
	encode(c.batch, b, eventlog.EncodedLen(b))
	c.link = link{known: true, chain: b.Chain}
	c.next = b.Last() + 1
	c.head = eventlog.Head{Seq: b.Last(), Time: b.Records[len(b.Records)-1].Time, Chain: b.Chain, First: 1}
	if c.batch.Len() < copyBatchBytes {
		return nil
	}
	return c.apply()
}

// check refuses what is not a whole batch at this place. The sums of sections are recomputed.
func (c *Copy) check(b *eventlog.Batch) error {
	switch {
	case len(b.Records) == 0:
		return &eventlog.CorruptError{First: b.First, Last: b.First, What: "a batch without records"}
	case b.First != c.next:
		return &eventlog.CorruptError{First: c.next, Last: max(c.next, b.First) - 1, What: "no record is there"}
	case b.First == 1 && b.Prev != eventlog.Hash{}:
		return &eventlog.CorruptError{First: 1, Last: b.Last(), What: "a first batch that follows another"}
	}
	if err := c.link.follow(b); err != nil {
		return err
	}
	last := c.head.Time
	for i := range b.Records {
		r := &b.Records[i]
		if r.Time < last {
			return seqDamage(b.First+eventlog.Seq(i), "its time runs back")
		}
		last = r.Time
		for j := range r.Sections {
			s := &r.Sections[j]
			if s.Removed {
				continue
			}
			if own := eventlog.NewSection(s.Data); own.Sum != s.Sum || own.Len != s.Len {
				return seqDamage(b.First+eventlog.Seq(i), "a section's data does not have its sum")
			}
		}
	}
	if c.hasher.Chain(b) != b.Chain {
		return &eventlog.CorruptError{First: b.First, Last: b.Last(), What: "its chain is not that of its records"}
	}
	return nil
}

func (c *Copy) apply() (err error) {
	defer func() { // Pebble's answer to a failed write
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDisk, p)
		}
	}()
	if err := c.log.db.Apply(c.batch, pebble.NoSync); err != nil {
		return fmt.Errorf("pebblelog: copy: %w", err)
	}
	_ = c.batch.Close()
	c.batch = c.log.db.NewBatch()
	return c.broken()
}

// broken says that Pebble met a failing disk.
func (c *Copy) broken() error {
	select {
	case c.failed = <-c.fail:
	default:
	}
	return c.failed
}

// Finish makes everything durable, marks the end as exact and clean, and closes the log. An empty copy is none: then it
// fails.
func (c *Copy) Finish() error {
	if c.head.Seq == 0 {
		return errors.Join(errors.New("pebblelog: copy: nothing was added: a log has at least one batch"), c.Discard())
	}
	err := c.apply()
	if err == nil {
		err = c.log.db.Flush()
	}
	if err == nil {
		err = c.broken()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("pebblelog: copy: %w", err), c.Discard())
	}
	err = c.close()
	if err == nil {
		p := point{seq: c.head.Seq, chain: c.head.Chain, clean: true}
		err = createMark(c.log.opts.FS, c.log.opts.Dir, p)
	}
	c.log.lock.release()
	return err
}

// Discard closes the copy and leaves what is no log: the caller removes the directory.
func (c *Copy) Discard() error {
	if c.broken() != nil {
		c.log.lock.release()
		return nil // Pebble may hang
	}
	err := c.close()
	c.log.lock.release()
	return err
}

func (c *Copy) close() error {
	_ = c.batch.Close()
	return c.log.db.Close()
}
