package projection

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

// Options of a Store.
type Options struct {
	// Dir is the store's directory, made when absent (required). Nothing else may live in it.
	Dir string
	// Version is the layout of the keys in it: a store of another version is emptied at Open.
	Version uint32
	// Log, when set, is the log that the views are made from: checkpoints are compared with its chain at Open.
	Log eventlog.Log
	// Logger is the process log (default: slog.Default()).
	Logger *slog.Logger
	// Fatal is called when the disk fails in a way that cannot be gone on from; it must not return (default: panic).
	Fatal func(error)
	// CacheBytes is the block cache (default 8 MiB), MemtableBytes one write buffer (default 12 MiB), of which at most
	// two exist.
	CacheBytes    int64
	MemtableBytes uint64
	// Memory, when set, is where Dir is, instead of the disk: for tests.
	Memory *Memory

	fs vfs.FS
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Fatal == nil {
		o.Fatal = func(err error) { panic(err) }
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 8 << 20
	}
	if o.MemtableBytes == 0 {
		o.MemtableBytes = 12 << 20
	}
	switch {
	case o.fs != nil: // a test's own
	case o.Memory != nil:
		o.fs = o.Memory.fs
	default:
		o.fs = vfs.Default
	}
}

func (o *Options) validate() error {
	switch {
	case o.Dir == "":
		return errors.New("projection: Options.Dir is empty, give the directory of the views")
	case o.CacheBytes < 1<<20 || o.CacheBytes > 1<<30:
		return fmt.Errorf("projection: Options.CacheBytes is %d, want 1 MiB to 1 GiB", o.CacheBytes)
	case o.MemtableBytes < 1<<20 || o.MemtableBytes > 1<<30:
		return fmt.Errorf("projection: Options.MemtableBytes is %d, want 1 MiB to 1 GiB", o.MemtableBytes)
	}
	return nil
}

// Store is the views' keys on disk.
type Store struct {
	opts Options
	db   *pebble.DB
	lock *pebble.Lock

	mu          sync.Mutex
	idle        sync.Cond // users == 0
	users       int       // iterators, reads and commits under way
	closed      bool
	closeErr    error
	damaged     bool
	checkpoints map[string]checkpoint

	flushes atomic.Uint64 // begun
}

// checkpoint is what a view has applied, and the log's chain there.
type checkpoint struct {
	seq   eventlog.Seq
	chain eventlog.Hash
}

// Keys of the store's own. Views' keys never begin with a zero byte.
const (
	metaVersion    = "\x00version"
	metaCheckpoint = "\x00checkpoint/" // + view name -> seq, chain
	metaEnd        = "\x01"
)

const maxName = 64

func (c checkpoint) encode() []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(c.seq)), c.chain[:]...)
}

func decodeCheckpoint(b []byte) (c checkpoint, ok bool) {
	if len(b) != 8+len(c.chain) {
		return c, false
	}
	c.seq = eventlog.Seq(binary.BigEndian.Uint64(b))
	copy(c.chain[:], b[8:])
	return c, true
}

// Checkpoint is the seq that a view has applied; everything up to it is readable. 0 = nothing.
func (s *Store) Checkpoint(view string) eventlog.Seq { return s.checkpoint(view).seq }

func (s *Store) checkpoint(view string) checkpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checkpoints[view]
}

// Get appends the value of a key to dst. found is false when there is none.
func (s *Store) Get(key, dst []byte) (value []byte, found bool, err error) {
	if err := s.enter(); err != nil {
		return dst, false, err
	}
	defer s.leave()
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return dst, false, nil
	}
	if err != nil {
		return dst, false, s.failed(err)
	}
	dst = append(dst, v...)
	return dst, true, s.failed(closer.Close())
}

// commit makes a batch and its view's checkpoint visible, in one step.
func (s *Store) commit(view string, w *Batch, c checkpoint) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if len(view) > maxName {
		return fmt.Errorf("%w: view name of %d bytes, at most %d", ErrKey, len(view), maxName)
	}
	b := s.db.NewBatchWithSize(w.Len() + 256)
	err := w.write(b)
	if err == nil {
		err = b.Set(append([]byte(metaCheckpoint), view...), c.encode(), nil)
	}
	if err == nil {
		err = s.db.Apply(b, pebble.NoSync)
	}
	if err := errors.Join(err, b.Close()); err != nil {
		return s.failed(err)
	}
	s.mu.Lock()
	s.checkpoints[view] = c
	s.mu.Unlock()
	return nil
}

// Flush makes everything committed durable.
func (s *Store) Flush() error {
	done, err := s.startFlush()
	if err != nil {
		return err
	}
	<-done
	return nil
}

// startFlush begins a flush; the channel is closed when everything committed before is durable.
func (s *Store) startFlush() (<-chan struct{}, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	s.flushes.Add(1) // first: a commit that sees it may be counted as not flushed, never the other way round
	done, err := s.db.AsyncFlush()
	return done, s.failed(err)
}

// Close flushes and closes the store. It waits for iterators and reads under way; later ones get ErrClosed.
func (s *Store) Close() error { return s.close(true) }

func (s *Store) close(flush bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		for s.lock != nil { // another Close is at it
			s.idle.Wait()
		}
		return s.closeErr
	}
	s.closed = true
	for s.users > 0 {
		s.idle.Wait()
	}
	s.mu.Unlock()
	var err error
	if flush {
		err = s.db.Flush()
	}
	err = errors.Join(err, s.db.Close(), s.lock.Close())
	s.mu.Lock()
	s.closeErr, s.lock = err, nil
	s.idle.Broadcast()
	return err
}

// enter counts a user of the database, so that Close does not pull it away.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.users++
	return nil
}

func (s *Store) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 && s.closed {
		s.idle.Broadcast()
	}
}

// failed passes an error of the database on. Damage is remembered on disk, for the next Open.
func (s *Store) failed(err error) error {
	if err == nil {
		return nil
	}
	if !errors.Is(err, pebble.ErrCorruption) {
		return fmt.Errorf("projection: %w", err)
	}
	s.mu.Lock()
	first := !s.damaged
	s.damaged = true
	s.mu.Unlock()
	if first {
		s.opts.Logger.Error("views are damaged and will be rebuilt at the next start", "dir", s.opts.Dir, "error", err)
		if err := markDamaged(s.opts.fs, s.opts.Dir); err != nil {
			s.opts.Logger.Error("views' damage could not be noted", "dir", s.opts.Dir, "error", err)
		}
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}
