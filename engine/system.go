package engine

import (
	"context"
	"encoding/hex"
	"slices"
	"sync/atomic"
)

// LogStatus tells where the log and its views stand, without touching the sequencer.
func (e *Engine) LogStatus(ctx context.Context) (LogStatus, error) {
	d := e.durable.Load()
	head, err := e.cfg.Log.Head(ctx)
	if err != nil {
		return LogStatus{}, storeError(err)
	}
	return LogStatus{HeadSeq: uint64(d.seq), FirstSeq: uint64(head.First), Chain: hex.EncodeToString(d.chain[:]), StateDigest: d.digest.String(),
		DigestSeq: uint64(d.seq), Views: e.viewSeqs(), Held: e.held.Load()}, nil
}

// Rebuilt lets go of what an earlier build of a transport's plugin failed: it is due at once.
func (e *Engine) Rebuilt(ctx context.Context) error {
	return e.do(ctx, func(s *sequencer) error {
		s.releaseHeld()
		return nil
	})
}

// RestartTransport starts a plugin again that was given up, and lets go of what it held.
func (e *Engine) RestartTransport(ctx context.Context, by Actor, name string) (TransportStatus, error) {
	t, ok := e.cfg.Transports[name]
	if !ok {
		return TransportStatus{}, notFound("transport", name)
	}
	if t.Restart == nil {
		return TransportStatus{}, conflict("transport %q is built in and never given up: there is nothing to release", name)
	}
	if err := t.Restart(); err != nil {
		return TransportStatus{}, conflict("transport %q: %s", name, err)
	}
	e.cfg.Logger.Warn("a plugin is started again", "transport", name, "by", by.Name)
	all, err := e.Transports(ctx)
	if err != nil {
		return TransportStatus{}, err
	}
	for _, st := range all {
		if st.Name == name {
			return st, nil
		}
	}
	return TransportStatus{}, notFound("transport", name)
}

// Transports reports on the transports and their plugins.
func (e *Engine) Transports(ctx context.Context) ([]TransportStatus, error) {
	held := map[string]int{}
	err := e.do(ctx, func(s *sequencer) error {
		for name := range e.cfg.Transports {
			held[name] = s.st.HeldBy(name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []TransportStatus
	for name, t := range e.cfg.Transports {
		st := TransportStatus{Name: name, State: "running"}
		if t.Health != nil {
			st = t.Health()
			st.Name = name
		}
		st.HeldByIt = held[name]
		if n, ok := e.interrupts.Load(name); ok {
			st.Interrupts = int(n.(*atomic.Int64).Load())
		}
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b TransportStatus) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out, nil
}
