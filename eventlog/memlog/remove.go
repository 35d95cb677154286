package memlog

import (
	"context"
	"slices"

	"github.com/hookline/hookline/eventlog"
)

// RemoveSections implements eventlog.SectionRemover.
func (l *Log) RemoveSections(ctx context.Context, first, last eventlog.Seq, which func(*eventlog.Record) uint16) (removed int64, err error) {
	for b, err := range l.ReadBatches(ctx, max(first, 1)-1) {
		if err != nil {
			return removed, err
		}
		for i := range b.Records {
			r := &b.Records[i]
			if r.Seq > last {
				return removed, nil
			}
			if r.Seq < first || len(r.Sections) == 0 {
				continue
			}
			n, err := l.remove(r, which(r))
			if err != nil {
				return removed, err
			}
			removed += int64(n)
		}
	}
	return removed, nil
}

// remove replaces what is stored: readers may hold the old bytes.
func (l *Log) remove(r *eventlog.Record, which uint16) (removed int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, ok := l.holding(r.Seq)
	if !ok || which == 0 {
		return 0, nil
	}
	s := &l.batches[i]
	out, removed, err := eventlog.RemoveStored(nil, s.sections[r.Seq-s.first], which)
	if removed > 0 {
		s.sections = slices.Clone(s.sections)
		s.sections[r.Seq-s.first] = out
	}
	return removed, err
}

// holding is the place of the batch that holds a seq.
func (l *Log) holding(seq eventlog.Seq) (int, bool) {
	i, _ := slices.BinarySearchFunc(l.batches, seq, func(s stored, seq eventlog.Seq) int {
		switch {
		case s.last < seq:
			return -1
		case s.first > seq:
			return 1
		}
		return 0
	})
	return i, i < len(l.batches) && l.batches[i].first <= seq
}

// SectionBytes implements eventlog.SectionRemover; here it is exact.
func (l *Log) SectionBytes(first, last eventlog.Seq) (n int64, err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for i := range l.batches {
		s := &l.batches[i]
		for k, sections := range s.sections {
			if seq := s.first + eventlog.Seq(k); seq >= first && seq <= last {
				n += int64(len(sections))
			}
		}
	}
	return n, nil
}
