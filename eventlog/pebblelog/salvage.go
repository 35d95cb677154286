package pebblelog

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookline/hookline/eventlog"
)

// Lost is a range of seqs that Salvage could not read. With Content the records are there, proved by the chain, and only
// the content of sections of theirs is gone: those count as removed.
type Lost struct {
	First, Last eventlog.Seq
	Content     bool
	What        string
}

// Salvaged is what Salvage found.
type Salvaged struct {
	Head    eventlog.Head // of what was copied: all before the first lost record
	Apart   int64         // whole batches behind that, which are no part of the copy
	Records int64         // in both
	Sections,
	Emptied int64 // sections whose content is there, and whose is gone
	Lost []Lost
	// Rescued says that the database did not open and its files were read one by one.
	Rescued bool
}

// Salvage reads what is intact of the damaged log in from.Dir, whatever opens of it, and changes nothing there. What
// stands before the first lost record goes to `to`, batch by batch, with the chain that it had: so the copy is a log that
// verifies, and everything in it was in the original, as far as a chain says. A record whose facts are whole and whose
// section is not stays, the section counts as removed. Whole batches after a lost record go to apart, which may be nil: they
// cannot be part of a log, since a fold needs what came before. staging is a directory that does not exist; it is removed.
// progress, if not nil, is told the seqs looked at.
func Salvage(ctx context.Context, from Options, staging string, to *Copy, apart func(*eventlog.Batch) error, progress func(done, total eventlog.Seq)) (Salvaged, error) {
	l, rescued, err := openDamaged(from, staging)
	if err != nil {
		return Salvaged{}, err
	}
	s := salvage{log: l, to: to, apart: apart, progress: progress}
	s.found.Rescued = rescued
	err = s.walk(ctx)
	s.found.Head = to.Head()
	err = errors.Join(err, l.db.Close())
	l.lock.release()
	if rescued {
		err = errors.Join(err, l.opts.FS.RemoveAll(staging))
	}
	return s.found, err
}

// openDamaged opens the database for reading, as it is or rescued file by file.
func openDamaged(from Options, staging string) (l *Log, rescued bool, err error) {
	from.ReadOnly, from.ScrubRate = true, -1
	if l, err = newLog(from); err != nil {
		return nil, false, err
	}
	if m, err := openMark(l.opts.FS, l.opts.Dir, true); err == nil {
		l.mark = m
		_ = m.close()
	} else {
		l.mark = &mark{}
	}
	if l.db, err = l.openPebble(); err == nil {
		return l, false, nil
	}
	held := l.lock
	copied, rerr := rescue(l.opts, staging)
	held.release()
	if rerr != nil {
		return nil, false, fmt.Errorf("pebblelog: salvage: the database does not open (%w), and reading its files: %w", err, rerr)
	}
	copied.mark = l.mark
	return copied, true, nil
}

type salvage struct {
	log      *Log
	to       *Copy
	apart    func(*eventlog.Batch) error
	progress func(done, total eventlog.Seq)
	found    Salvaged
	gap      bool // a record was lost: what follows is apart
	dec      eventlog.Decoder
	hasher   eventlog.Hasher
	link     link
	bad      error        // why content up to badTo cannot be read
	badTo    eventlog.Seq // of a damaged block; reading in one takes Pebble a second each time
}

// end is the last seq that there may be: what the mark says was durable, or what can be read beyond it.
func (s *salvage) end() eventlog.Seq {
	last := s.log.mark.at.seq
	if read, err := s.log.lastSeq(); err == nil {
		last = max(last, read)
	}
	return last
}

func (s *salvage) walk(ctx context.Context) error {
	var c chunk
	for next, end := eventlog.Seq(1), s.end(); next <= end; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := s.log.fill(&c, next, end, maxChunk); err != nil {
			var damage *eventlog.CorruptError
			if !errors.As(err, &damage) {
				return err
			}
			last := min(max(damage.Last, next), end)
			s.lose(next, last, damage.What)
			next = last + 1
			continue
		}
		for i := range c.len() {
			if err := s.batch(c.batch(i)); err != nil {
				return err
			}
		}
		next = c.next
		if s.progress != nil {
			s.progress(min(next-1, end), end)
		}
	}
	return nil
}

func (s *salvage) lose(first, last eventlog.Seq, what string) {
	s.gap, s.link.known = true, false
	if n := len(s.found.Lost); n > 0 && !s.found.Lost[n-1].Content && s.found.Lost[n-1].Last+1 == first {
		s.found.Lost[n-1].Last = last
		return
	}
	s.found.Lost = append(s.found.Lost, Lost{First: first, Last: last, What: what})
}

// batch keeps a stored batch if it is whole: its records have its chain, which follows the one before.
func (s *salvage) batch(stored []byte) error {
	first, last, err := eventlog.DecodeRange(stored)
	if err != nil {
		return err // fill has read it
	}
	var b eventlog.Batch
	if err = s.dec.Decode(&b, stored); err == nil {
		if err = s.link.follow(&b); err == nil && s.hasher.Chain(&b) != b.Chain {
			err = errors.New("its chain is not that of its records")
		}
	}
	if err != nil {
		s.lose(first, last, err.Error())
		return nil
	}
	b.Records = appendOwn(nil, b.Records, 0)
	for i := range b.Records {
		s.content(&b.Records[i])
	}
	s.found.Records += int64(len(b.Records))
	if !s.gap {
		return s.to.Add(&b)
	}
	s.found.Apart++
	if s.apart == nil {
		return nil
	}
	return s.apart(&b)
}

// content loads a record's sections. Those that cannot be read count as removed: the chain has their sums.
func (s *salvage) content(r *eventlog.Record) {
	if len(r.Sections) == 0 {
		return
	}
	s.found.Sections += int64(len(r.Sections))
	err := s.bad
	if r.Seq > s.badTo {
		if err = s.log.getSections(r); err == nil {
			return
		}
		s.passOver(r.Seq, err)
	}
	for i := range r.Sections {
		r.Sections[i].Data, r.Sections[i].Removed = nil, true
	}
	s.found.Sections -= int64(len(r.Sections))
	s.found.Emptied += int64(len(r.Sections))
	s.found.Lost = append(s.found.Lost, Lost{First: r.Seq, Last: r.Seq, Content: true, What: err.Error()})
}

// passOver notes how far a damaged block goes, so that it is not read for each of its records.
func (s *salvage) passOver(seq eventlog.Seq, err error) {
	end := s.end()
	if _, ok := s.log.readable(keySections, seq, end); ok {
		return // not the block, this value
	}
	var damage *eventlog.CorruptError
	if errors.As(s.log.damaged(keySections, seq, end, err), &damage) {
		s.bad, s.badTo = err, damage.Last
	}
}
