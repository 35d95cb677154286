package engine

import (
	"context"
	"encoding/hex"
	"slices"
	"sync/atomic"

	"github.com/hookline/hookline/engine/profile"
)

// LogStatus tells where the log and its views stand, without touching the sequencer.
func (e *Engine) LogStatus(ctx context.Context) (LogStatus, error) {
	d := e.durable.Load()
	head, err := e.cfg.Log.Head(ctx)
	if err != nil {
		return LogStatus{}, storeError(err)
	}
	return LogStatus{HeadSeq: uint64(d.seq), FirstSeq: uint64(head.First), Chain: hex.EncodeToString(d.chain[:]), StateDigest: d.digest.String(),
		DigestSeq: uint64(d.seq), Views: e.viewSeqs()}, nil
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

// Profiles lists the profiles a tenant may have.
func (e *Engine) Profiles() []Profile {
	out := make([]Profile, 0, len(e.cfg.Profiles))
	for _, p := range e.cfg.Profiles {
		out = append(out, profileObject(p))
	}
	return out
}

// Profile returns one profile with its catalogue.
func (e *Engine) Profile(name string) (Profile, error) {
	p, ok := e.profileNamed(name)
	if !ok {
		return Profile{}, notFound("profile", name)
	}
	return profileObject(p), nil
}

func (e *Engine) profileNamed(name string) (*profile.Profile, bool) {
	for _, p := range e.cfg.Profiles {
		if p.Name == name {
			return p, true
		}
	}
	return nil, false
}

func (e *Engine) profileNames() []string {
	var names []string
	for _, p := range e.cfg.Profiles {
		names = append(names, p.Name)
	}
	return names
}

func profileObject(p *profile.Profile) Profile {
	o := Profile{Name: p.Name, Version: int(p.Version), Title: p.Title, Description: p.Description, HTTPSOnly: p.HTTPSOnly,
		Timeout: p.Timeout.String(), Schedule: texts(p.Schedule.Waits), Jitter: p.Schedule.Jitter, MaxAttempts: p.Schedule.MaxAttempts(),
		DisableAfterExhausted: p.DisableAfterExhausted, SuppressAfter: p.SuppressAfter, Strict: p.Strict, GoneDisables: p.GoneDisables, WarnAt: make([]int, len(p.WarnAt)), EventTypes: make([]EventType, len(p.EventTypes))}
	if p.Schedule.Limit > 0 {
		o.TimeLimit = ptr(p.Schedule.Limit.String())
	}
	for _, sig := range p.Signatures() {
		o.Signatures = append(o.Signatures, Signature{Scheme: sig.Scheme, Headers: append([]string{}, sig.Headers...), Hash: textOrNull(sig.Hash),
			Encoding: textOrNull(sig.Encoding), Signs: textOrNull(sig.Signs), Prefix: textOrNull(sig.Prefix), Form: textOrNull(sig.Form),
			Version: textOrNull(sig.Version), Overlaps: sig.Overlaps})
	}
	if p.RetryAfterCap > 0 {
		o.RetryAfterCap = ptr(p.RetryAfterCap.String())
	}
	for i, percent := range p.WarnAt {
		o.WarnAt[i] = int(percent)
	}
	for i, t := range p.EventTypes {
		o.EventTypes[i] = EventType{Name: t.Name, Description: t.Description, Example: t.Example, Schema: t.Schema}
	}
	return o
}
