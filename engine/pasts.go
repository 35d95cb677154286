package engine

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// Bounds of past states. A fold costs a core and, with a large backlog, as much memory as the present state.
const (
	pastFolds   = 2         // folds at the same time; others wait their turn
	pastWaiting = 32        // folds that run or wait; more are refused
	pastStates  = 8         // states kept
	pastBytes   = 128 << 20 // of them together, about
)

// pasts folds states of the past and keeps the ones used last. Whoever asks for one that is being folded waits for the
// same fold, which is given up when nobody waits any more. States given out are shared: they are only read.
type pasts struct {
	snapshots *snapshots
	slots     chan struct{}
	running   sync.WaitGroup
	ctx       context.Context
	cancel    context.CancelFunc

	mu    sync.Mutex
	folds map[eventlog.Seq]*pastFold
	kept  []*pastFold // the one used last is the last
}

// pastFold is one state of the past. st and err are set once done is closed.
type pastFold struct {
	seq     eventlog.Seq
	waiting int
	cancel  context.CancelFunc
	done    chan struct{}
	st      *state.State
	size    int
	err     error
}

func newPasts(s *snapshots) *pasts {
	p := &pasts{snapshots: s, slots: make(chan struct{}, pastFolds), folds: map[eventlog.Seq]*pastFold{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// close gives up what runs and waits for it. Later calls of at fail.
func (p *pasts) close() {
	p.mu.Lock()
	p.cancel() // under the lock: no fold is begun afterwards
	p.mu.Unlock()
	p.running.Wait()
}

// at returns the state after a seq, which must be in the log.
func (p *pasts) at(ctx context.Context, seq eventlog.Seq) (*state.State, error) {
	f, err := p.join(seq)
	if err != nil {
		return nil, err
	}
	select {
	case <-f.done:
		err = f.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	p.leave(f)
	if err != nil {
		return nil, err
	}
	return f.st, nil
}

// join finds the state or the fold that makes it, or begins one.
func (p *pasts) join(seq eventlog.Seq) (*pastFold, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.IndexFunc(p.kept, func(f *pastFold) bool { return f.seq == seq }); i >= 0 {
		f := p.kept[i]
		p.kept = append(slices.Delete(p.kept, i, i+1), f)
		f.waiting++
		return f, nil
	}
	f := p.folds[seq]
	if f == nil {
		if p.ctx.Err() != nil {
			return nil, errStopping
		}
		if len(p.folds) >= pastWaiting {
			return nil, &Error{Code: CodeRateLimited, Detail: "too many states of the past are being folded: try again in a few seconds"}
		}
		f = &pastFold{seq: seq, done: make(chan struct{})}
		var ctx context.Context
		ctx, f.cancel = context.WithCancel(p.ctx)
		p.folds[seq] = f
		p.running.Add(1)
		go p.fold(ctx, f)
	}
	f.waiting++
	return f, nil
}

func (p *pasts) leave(f *pastFold) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.waiting--; f.waiting > 0 || p.folds[f.seq] != f {
		return
	}
	delete(p.folds, f.seq) // who comes now begins anew
	f.cancel()
}

func (p *pasts) fold(ctx context.Context, f *pastFold) {
	defer p.running.Done()
	defer f.cancel()
	select {
	case p.slots <- struct{}{}:
		f.st, f.err = p.snapshots.stateAt(ctx, f.seq)
		<-p.slots
	case <-ctx.Done():
		f.err = context.Cause(ctx)
	}
	if errors.Is(f.err, context.Canceled) && p.ctx.Err() != nil {
		f.err = errStopping
	}
	p.mu.Lock()
	if p.folds[f.seq] == f {
		delete(p.folds, f.seq)
		p.keep(f)
	}
	p.mu.Unlock()
	close(f.done)
}

// keep lets the states go that were not used for the longest time, until the rest fits.
func (p *pasts) keep(f *pastFold) {
	if f.err != nil {
		return
	}
	if f.size = f.st.Footprint(); f.size > pastBytes {
		return
	}
	p.kept = append(p.kept, f)
	total := 0
	for i := len(p.kept) - 1; i >= 0; i-- {
		if total += p.kept[i].size; total > pastBytes || len(p.kept)-i > pastStates {
			p.kept = slices.Delete(p.kept, 0, i+1)
			return
		}
	}
}
