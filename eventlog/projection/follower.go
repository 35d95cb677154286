package projection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hookline/hookline/eventlog"
)

// FollowerOptions say what a Follower follows. Log, Store and View are required.
type FollowerOptions struct {
	Log   eventlog.Log
	Store *Store
	View  View
	// Paused, when set, is asked before every log batch; while it says true nothing is applied (low disk: views pause
	// first). It must not block.
	Paused func() bool
	// PauseCheck is how long to wait before asking Paused again (default 1 s).
	PauseCheck time.Duration
	// FlushRecords and FlushEvery say when a flush begins (default 90 000 records, 9 s). Two may be under way in a
	// sense, one running and one to come, so a crash makes the follower do at most twice FlushRecords again.
	FlushRecords int
	FlushEvery   time.Duration
	// Gather is how long records may wait to be applied together with later ones while nobody waits for them (default
	// 20 ms): one pass over many costs far less than many passes. Negative: not at all.
	Gather time.Duration
	// Logger is the process log (default: slog.Default()).
	Logger *slog.Logger
}

func (o *FollowerOptions) setDefaults() {
	if o.Gather == 0 {
		o.Gather = 20 * time.Millisecond
	}
	if o.PauseCheck == 0 {
		o.PauseCheck = time.Second
	}
	if o.FlushRecords == 0 {
		o.FlushRecords = 90_000
	}
	if o.FlushEvery == 0 {
		o.FlushEvery = 9 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
}

func (o *FollowerOptions) validate() error {
	switch {
	case o.Log == nil || o.Store == nil || o.View == nil:
		return errors.New("projection: FollowerOptions.Log, Store and View are required")
	case o.PauseCheck < 0 || o.FlushEvery < 0:
		return errors.New("projection: FollowerOptions.PauseCheck and FlushEvery must not be negative")
	case o.FlushRecords < 1:
		return fmt.Errorf("projection: FollowerOptions.FlushRecords is %d, want at least 1", o.FlushRecords)
	}
	return nil
}

// Follower keeps a view up to date with a log.
type Follower struct {
	opts   FollowerOptions
	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{}

	mu      sync.Mutex
	started bool
	seq     eventlog.Seq
	err     error         // why it ended
	changed chan struct{} // closed when seq or err change; made by whoever waits
	asked   chan struct{} // somebody waits: do not gather any longer

	// The goroutine's own.
	fold      fold
	unflushed int             // records committed since the last flush began
	since     time.Time       // when the first of them was committed
	flushes   uint64          // of the store, begun when that was looked at last
	flushing  <-chan struct{} // the flush under way
}

// NewFollower makes a follower that is not started. Seq is the store's checkpoint.
func NewFollower(opts FollowerOptions) (*Follower, error) {
	opts.setDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	f := &Follower{opts: opts, done: make(chan struct{}), asked: make(chan struct{}, 1)}
	f.ctx, f.cancel = context.WithCancelCause(context.Background())
	f.fold = fold{log: opts.Log, store: opts.Store, view: opts.View, committed: f.committed}
	f.seq = opts.Store.Checkpoint(opts.View.Name())
	return f, nil
}

// Start begins to follow. It is idempotent.
func (f *Follower) Start() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.started && f.ctx.Err() == nil {
		f.started = true
		go f.run()
	}
}

// Stop ends the follower, waits for its goroutine and flushes what was committed. It is idempotent and tolerates a
// follower that was not started. It returns Err's error.
func (f *Follower) Stop() error {
	f.cancel(ErrStopped)
	f.mu.Lock()
	if !f.started {
		f.started = true
		f.end(ErrStopped)
		close(f.done)
	}
	f.mu.Unlock()
	<-f.done
	return f.Err()
}

// Seq is what is applied and readable.
func (f *Follower) Seq() eventlog.Seq {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seq
}

// Err says why the follower ended by itself; nil while it runs and after a Stop.
func (f *Follower) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if errors.Is(f.err, ErrStopped) {
		return nil
	}
	return f.err
}

// Done is closed when the follower has ended.
func (f *Follower) Done() <-chan struct{} { return f.done }

// WaitFor returns nil once seq is applied and readable, ctx's cause when that ends first, or why the follower ended.
func (f *Follower) WaitFor(ctx context.Context, seq eventlog.Seq) error {
	for {
		f.mu.Lock()
		reached, err := f.seq >= seq, f.err
		if !reached && err == nil && f.changed == nil {
			f.changed = make(chan struct{})
		}
		changed := f.changed
		f.mu.Unlock()
		switch {
		case reached:
			return nil
		case err != nil:
			return err
		}
		select {
		case f.asked <- struct{}{}:
		default:
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (f *Follower) committed(from, to eventlog.Seq) {
	f.noteFlush()
	if f.unflushed == 0 {
		f.since = time.Now()
	}
	f.unflushed += int(to - from)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seq = to
	f.announce()
}

// noteFlush sees whether a flush of the store began since the last commit, another view's perhaps: it takes along what was
// committed before.
func (f *Follower) noteFlush() {
	if n := f.opts.Store.flushes.Load(); n != f.flushes {
		f.flushes, f.unflushed = n, 0
	}
}

// announce wakes those who wait. f.mu is held.
func (f *Follower) announce() {
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// end notes why the follower ended. f.mu is held.
func (f *Follower) end(err error) {
	f.err = err
	f.announce()
}

func (f *Follower) run() {
	defer close(f.done)
	err := f.follow()
	if f.ctx.Err() != nil {
		err = ErrStopped
	}
	if ferr := f.opts.Store.Flush(); ferr != nil && errors.Is(err, ErrStopped) {
		err = ferr
	}
	if !errors.Is(err, ErrStopped) {
		f.opts.Logger.Error("a view stopped", "view", f.opts.View.Name(), "seq", f.Seq(), "error", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.end(err)
}

func (f *Follower) follow() error {
	if err := f.fold.begin(f.ctx); err != nil {
		return err
	}
	for {
		if err := f.waitWhilePaused(); err != nil {
			return err
		}
		if err := f.fold.catchUp(f.ctx, 0, f.interrupted); err != nil {
			return err
		}
		if err := f.flushWhenDue(); err != nil {
			return err
		}
		if err := f.wait(); err != nil {
			return err
		}
		f.gather()
	}
}

// gather lets records come together for a moment, unless somebody waits for them.
func (f *Follower) gather() {
	if f.opts.Gather < 0 {
		return
	}
	t := time.NewTimer(f.opts.Gather)
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.asked:
	case <-f.ctx.Done():
	}
}

// interrupted says that catchUp should commit and come back: to pause, or to flush.
func (f *Follower) interrupted() bool {
	return f.paused() || f.unflushed > 0 && f.flushDue()
}

func (f *Follower) paused() bool { return f.opts.Paused != nil && f.opts.Paused() }

func (f *Follower) waitWhilePaused() error {
	for f.paused() {
		t := time.NewTimer(f.opts.PauseCheck)
		select {
		case <-t.C:
		case <-f.ctx.Done():
			t.Stop()
			return context.Cause(f.ctx)
		}
	}
	return nil
}

// wait returns when the log has more, or a flush is due.
func (f *Follower) wait() error {
	ctx := f.ctx
	if f.unflushed > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(f.ctx, f.since.Add(f.opts.FlushEvery))
		defer cancel()
	}
	err := f.opts.Log.Wait(ctx, f.fold.reached.seq)
	if err != nil && ctx.Err() != nil && f.ctx.Err() == nil {
		return f.flushWhenDue()
	}
	return err
}

func (f *Follower) flushDue() bool {
	return f.unflushed >= f.opts.FlushRecords || time.Since(f.since) >= f.opts.FlushEvery
}

// flushWhenDue starts a flush beside the work. One at a time: the one before has ended by now or is waited for.
func (f *Follower) flushWhenDue() error {
	if f.noteFlush(); f.unflushed == 0 || !f.flushDue() {
		return nil
	}
	if f.flushing != nil {
		<-f.flushing
	}
	done, err := f.opts.Store.startFlush()
	f.flushing, f.unflushed = done, 0
	return err
}
