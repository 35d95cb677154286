package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hookline/hookline/cmd/hookline/config"
	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/transports"
	"github.com/hookline/hookline/transports/https"
)

const httpsName = "https"

// httpsTransport is the HTTPS transport in a process of its own, and a second one for deliveries that had to be made away
// from all others; that one is started when it is first needed.
type httpsTransport struct {
	main  *host.Host
	alone *lateHost
	check *https.Policy
}

func startHTTPS(ctx context.Context, cfg *config.Config, dir string, logger *slog.Logger) (*httpsTransport, error) {
	settings, err := json.Marshal(https.Options{AllowCIDR: cfg.AllowCIDR, AllowHTTP: cfg.AllowHTTP, TrustPEM: cfg.TrustCA})
	if err != nil {
		return nil, err
	}
	hc := host.Config{
		Name: httpsName, Self: true, Args: []string{"plugin", httpsName}, Settings: settings,
		MaxInFlight: cfg.MaxInFlight, Dir: dir, Logger: logger,
	}
	main, err := host.Start(ctx, hc)
	if err != nil {
		return nil, fmt.Errorf("transport %s: %w", httpsName, err)
	}
	hc.MaxInFlight = min(hc.MaxInFlight, 256)
	hc.Logger = logger.With("alone", true)
	return &httpsTransport{main: main, alone: &lateHost{cfg: hc}, check: https.NewPolicy(cfg.AllowCIDR, cfg.AllowHTTP)}, nil
}

// forEngine is what the engine needs of it.
func (t *httpsTransport) forEngine() (engine.Transport, error) {
	sum, err := hex.DecodeString(t.main.Health().Checksum)
	if err != nil || len(sum) < 4 {
		return engine.Transport{}, fmt.Errorf("transport %s: checksum %q is none", httpsName, t.main.Health().Checksum)
	}
	return engine.Transport{
		Submitter: t.main, Alone: t.alone, Check: t.check.CheckTarget, Health: t.health,
		Checksum: uint32(sum[0])<<24 | uint32(sum[1])<<16 | uint32(sum[2])<<8 | uint32(sum[3]),
	}, nil
}

func (t *httpsTransport) health() engine.TransportStatus {
	return status(httpsName, t.main.Health())
}

// status tells a plugin's health as the API does.
func status(name string, h host.Health) engine.TransportStatus {
	st := engine.TransportStatus{
		Name: name, Version: h.Version, State: string(h.State), PID: h.PID, Restarts: h.Restarts,
		InFlight: h.InFlight, Checksum: h.Checksum, Results: h.Results, Faults: h.Faults, GivenUp: h.GivenUp, Confined: append([]string{}, h.Confined...),
	}
	switch h.State {
	case host.Draining:
		st.State = "running"
	case host.Closed:
		st.State = "stopped"
	}
	if h.LastError != "" {
		st.LastError = &h.LastError
	}
	return st
}

// Close ends both processes; attempts still under way at the end of ctx are interrupted.
func (t *httpsTransport) Close(ctx context.Context) error {
	return errors.Join(t.main.Close(ctx), t.alone.Close(ctx))
}

// lateHost is a host that is started at the first attempt. Submit does not block for it: the attempts that come while
// it starts wait in a goroutine each, and they are few.
type lateHost struct {
	cfg host.Config

	mu       sync.Mutex // of started, stop and closed; never held for long
	started  *host.Host
	stop     context.CancelFunc // of the start under way
	closed   bool
	starting sync.Mutex // held by the one that starts
	waiting  sync.WaitGroup
}

var _ transports.Submitter = (*lateHost)(nil)

// Submit implements transports.Submitter.
func (l *lateHost) Submit(ctx context.Context, req *transports.Request, done func(transports.Result, error)) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		done(transports.Result{}, transports.ErrInterrupted)
		return
	}
	if h := l.started; h != nil {
		l.mu.Unlock()
		h.Submit(ctx, req, done)
		return
	}
	l.waiting.Add(1)
	l.mu.Unlock()
	go func() {
		defer l.waiting.Done()
		h, err := l.start()
		if err != nil {
			done(transports.Result{}, fmt.Errorf("%w: %w", transports.ErrInterrupted, err))
			return
		}
		h.Submit(ctx, req, done)
	}()
}

// start returns the host, starting it if nobody has. One caller at a time starts.
func (l *lateHost) start() (*host.Host, error) {
	l.starting.Lock()
	defer l.starting.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	l.mu.Lock()
	h, closed := l.started, l.closed
	l.stop = cancel
	l.mu.Unlock()
	if h != nil {
		return h, nil
	}
	if closed {
		return nil, errors.New("the transport is closed")
	}
	h, err := host.Start(ctx, l.cfg)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.started = h
	l.mu.Unlock()
	return h, nil
}

// Close ends the process, if there is one. Idempotent.
func (l *lateHost) Close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	if l.stop != nil {
		l.stop()
	}
	l.mu.Unlock()
	l.waiting.Wait()
	if l.started == nil {
		return nil
	}
	return l.started.Close(ctx)
}
