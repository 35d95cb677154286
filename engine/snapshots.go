package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// snapshots bound the start: state files in Dir/snapshots, made by a fold beside the live one, so that the sequencer
// never stalls for them, and at a clean stop from the state itself. They are disposable: one that is damaged, of another
// version, or does not lie on the log's chain is ignored. Checkpoints note the live state's digest with its seq, for
// `log rebuild --check`.
type snapshots struct {
	dir    string
	log    eventlog.Log
	logger *slog.Logger

	readOnly bool // nothing is written on the way to a past state
	thinning sync.Mutex

	mu      sync.Mutex
	last    eventlog.Seq // of the newest snapshot, or of the one being made
	noted   eventlog.Seq // of the newest checkpoint
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// SnapshotEvery is how many records lie between two snapshots.
const SnapshotEvery = 1_000_000

const (
	snapshotDir    = "snapshots"
	checkpointFile = "checkpoint.json"
)

func newSnapshots(dir string, log eventlog.Log, logger *slog.Logger) *snapshots {
	s := &snapshots{log: log, logger: logger}
	if dir != "" {
		s.dir = filepath.Join(dir, snapshotDir)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// load returns the newest usable snapshot's state, or the empty one.
func (s *snapshots) load(ctx context.Context) (*state.State, error) {
	for _, name := range s.files() {
		st, err := s.read(ctx, filepath.Join(s.dir, name))
		if err == nil {
			return st, nil
		}
		s.logger.Warn("a state snapshot is ignored", "file", name, "error", err)
	}
	return state.New(), nil
}

// files lists snapshots, newest first.
func (s *snapshots) files() []string {
	if s.dir == "" {
		return nil
	}
	entries, _ := os.ReadDir(s.dir)
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".snapshot") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	slices.Reverse(names)
	return names
}

func (s *snapshots) read(ctx context.Context, path string) (*state.State, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	st, chain, err := state.Decode(raw)
	if err != nil {
		return nil, err
	}
	for b, err := range s.log.ReadBatches(ctx, st.Seq-1) {
		if err != nil {
			return nil, err
		}
		if b.Last() != st.Seq || b.Chain != chain {
			return nil, fmt.Errorf("engine: snapshot at seq %d does not lie on the log's chain", st.Seq)
		}
		return st, nil
	}
	return nil, fmt.Errorf("engine: snapshot at seq %d is past the log's head", st.Seq)
}

// maybe makes a snapshot in the background when it is time.
func (s *snapshots) maybe(head eventlog.Seq) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" || head < s.last+SnapshotEvery {
		return
	}
	s.last = head
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		if err := s.make(); err != nil && s.ctx.Err() == nil {
			s.logger.Warn("no state snapshot was made", "error", err)
		}
	}()
}

// make folds the log from the newest snapshot on, beside the live state, and writes the result.
func (s *snapshots) make() error {
	st, err := s.load(s.ctx)
	if err != nil {
		return err
	}
	from := st.Seq
	chain, err := foldTo(s.ctx, s.log, st, 0, nil)
	if err != nil || st.Seq == from {
		return err
	}
	return s.write(st, chain)
}

// final writes the stopped engine's own state.
func (s *snapshots) final(st *state.State, d *durable) {
	s.checkpoint(d)
	if s.dir == "" || st.Seq != d.seq {
		return
	}
	if err := s.write(st, d.chain); err != nil {
		s.logger.Warn("no state snapshot was made at the stop", "error", err)
	}
}

func (s *snapshots) write(st *state.State, chain eventlog.Hash) error {
	path := filepath.Join(s.dir, fmt.Sprintf("%020d.snapshot", st.Seq))
	err := writeFile(path, func(w *bufio.Writer) error { return st.Encode(w, chain) })
	if err != nil {
		return err
	}
	s.thin()
	return nil
}

func (s *snapshots) wait() {
	s.cancel()
	s.running.Wait()
}

// Checkpoint is the live state's digest at a seq.
type Checkpoint struct {
	Seq    eventlog.Seq `json:"seq"`
	Chain  string       `json:"chain"`
	Digest string       `json:"state_digest"`
}

func (s *snapshots) checkpoint(d *durable) {
	if s.dir == "" || d.seq == s.noted {
		return
	}
	s.noted = d.seq
	err := writeFile(filepath.Join(s.dir, checkpointFile), func(w *bufio.Writer) error {
		return json.NewEncoder(w).Encode(Checkpoint{Seq: d.seq, Chain: fmt.Sprintf("%x", d.chain), Digest: d.digest.String()})
	})
	if err != nil {
		s.logger.Warn("no checkpoint was noted", "error", err)
	}
}

// ReadCheckpoint reads the last checkpoint of a data directory; ok is false when there is none.
func ReadCheckpoint(dir string) (c Checkpoint, ok bool, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, snapshotDir, checkpointFile))
	if errors.Is(err, fs.ErrNotExist) {
		return c, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	return c, err == nil, err
}

// writeFile writes a file whole or not at all.
func writeFile(path string, fill func(*bufio.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	w := bufio.NewWriterSize(f, 1<<16)
	err = fill(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
