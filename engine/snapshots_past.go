package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// Older snapshots are kept so that a state of the past is a short fold: dense near the head, sparser towards the
// beginning. They are disposable like the newest one.
const (
	keepSnapshots     = 16
	keepSnapshotBytes = 512 << 20 // of all but the newest two
)

// stateAt folds the state after a seq from the nearest usable snapshot before it. Where it passes a stretch without one it
// leaves snapshots behind for the next.
func (s *snapshots) stateAt(ctx context.Context, seq eventlog.Seq) (*state.State, error) {
	st := state.New()
	for _, name := range s.files() {
		if at, ok := snapshotSeq(name); !ok || at > seq {
			continue
		}
		read, err := s.read(ctx, filepath.Join(s.dir, name))
		if err == nil {
			st = read
			break
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		s.logger.Warn("a state snapshot is ignored", "file", name, "error", err)
	}
	last := st.Seq
	err := foldUpTo(ctx, s.log, st, seq, func(chain eventlog.Hash) {
		if s.dir == "" || s.readOnly || st.Seq < last+SnapshotEvery {
			return
		}
		last = st.Seq
		if err := s.write(st, chain); err != nil {
			s.logger.Warn("no state snapshot was made", "seq", st.Seq, "error", err)
		}
	})
	if err != nil {
		return nil, err
	}
	if st.Seq != seq {
		return nil, fmt.Errorf("%w: seq %d", eventlog.ErrNotFound, seq)
	}
	st.DropPending()
	return st, nil
}

func snapshotSeq(name string) (eventlog.Seq, bool) {
	n, err := strconv.ParseUint(strings.TrimSuffix(name, ".snapshot"), 10, 64)
	return eventlog.Seq(n), err == nil
}

// thin removes snapshots that are too many. Several may do so at a time.
func (s *snapshots) thin() {
	s.thinning.Lock()
	defer s.thinning.Unlock()
	names := s.files()
	seqs, sizes := make([]eventlog.Seq, len(names)), make([]int64, len(names))
	for i, name := range names {
		seqs[i], _ = snapshotSeq(name)
		if info, err := os.Stat(filepath.Join(s.dir, name)); err == nil {
			sizes[i] = info.Size()
		}
	}
	for _, i := range surplus(seqs, sizes) {
		os.Remove(filepath.Join(s.dir, names[i]))
	}
}

// surplus says which snapshots go, newest first given: one after the other the one whose loss makes the shortest stretch
// without any, measured by how far it lies back. The newest two stay.
func surplus(seqs []eventlog.Seq, sizes []int64) (out []int) {
	var bytes int64
	left := make([]int, len(seqs))
	for i := range seqs {
		left[i] = i
		if i >= 2 {
			bytes += sizes[i]
		}
	}
	for len(left) > 2 && (len(left) > keepSnapshots || bytes > keepSnapshotBytes) {
		least, at := 0.0, 0
		for k := 2; k < len(left); k++ {
			older := eventlog.Seq(0)
			if k+1 < len(left) {
				older = seqs[left[k+1]]
			}
			gap, age := seqs[left[k-1]]-older, seqs[0]-older
			if share := float64(gap) / float64(age+SnapshotEvery); at == 0 || share < least {
				least, at = share, k
			}
		}
		out = append(out, left[at])
		bytes -= sizes[left[at]]
		left = append(left[:at], left[at+1:]...)
	}
	return out
}
