package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/api"
	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/eventlog/pebblelog"
	"github.com/hookline/hookline/eventlog/projection"
	"github.com/hookline/hookline/eventlog/seal"
	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/transports/https"
)

// Node is a running server.
type Node struct {
	cfg    Config
	engine *engine.Engine
	log    *pebblelog.Log
	http   *http.Server
	addr   net.Addr
	closes []func() error // in the order of opening
	served chan error
	once   sync.Once
}

// Start opens everything and returns once recovery is done. The HTTP face answers 503 from early on. ctx bounds the
// start. Errors wrap ErrUsage, eventlog.ErrInUse, ErrCorrupt or ErrFenced where that is the cause.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg, served: make(chan error, 1)}
	if err := n.start(ctx); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *Node) start(ctx context.Context) error {
	cfg := &n.cfg
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	_, err := os.Stat(LogDir(cfg.Data))
	fresh := errors.Is(err, os.ErrNotExist)
	if err := cfg.checkClock(fresh); err != nil {
		return err
	}
	face, err := api.New(api.Config{Logger: cfg.Logger, Version: cfg.Version})
	if err != nil {
		return err
	}
	if n.log, err = pebblelog.Open(pebblelog.Options{Dir: LogDir(cfg.Data), Logger: cfg.Logger, LowWater: cfg.LowWater}); err != nil {
		return err
	}
	n.onClose(n.log.Close)
	if err := n.listen(face); err != nil {
		return err
	}
	ec, err := n.engineConfig(ctx)
	if err != nil {
		return err
	}
	if ec.AdminKey, err = n.adminKey(fresh); err != nil {
		return err
	}
	if n.engine, err = engine.Open(ctx, ec); err != nil {
		return err
	}
	n.onClose(n.engine.Close)
	face.Use(n.engine)
	return nil
}

func (n *Node) onClose(f func() error) { n.closes = append(n.closes, f) }

// listen serves early: everything but /healthz answers 503 until the engine is there.
func (n *Node) listen(face *api.Server) error {
	l, err := net.Listen("tcp", n.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", n.cfg.Listen, err)
	}
	n.addr = l.Addr()
	n.http = face.HTTPServer(n.cfg.Listen)
	go func() { n.served <- n.http.Serve(l) }()
	n.onClose(n.http.Close)
	return nil
}

func (n *Node) engineConfig(ctx context.Context) (engine.Config, error) {
	cfg := &n.cfg
	master, err := cfg.master()
	if err != nil {
		return engine.Config{}, err
	}
	keyring, err := seal.Open(filepath.Join(cfg.Data, keyringFile), master)
	if err != nil {
		return engine.Config{}, err
	}
	n.onClose(keyring.Close)
	store, err := projection.Open(ctx, projection.Options{Dir: ViewsDir(cfg.Data), Version: history.LayoutVersion, Log: n.log, Logger: cfg.Logger,
		Fatal: func(err error) {
			cfg.Logger.Error("the views' store cannot go on, exiting", "error", err)
			os.Exit(pebblelog.ExitDisk)
		}})
	if err != nil {
		return engine.Config{}, err
	}
	n.onClose(store.Close)
	h := history.New(store)
	follower, err := projection.NewFollower(projection.FollowerOptions{Log: n.log, Store: store, View: h, Paused: n.log.LowSpace, Logger: cfg.Logger})
	if err != nil {
		return engine.Config{}, err
	}
	transport, err := n.https(ctx)
	if err != nil {
		return engine.Config{}, err
	}
	return engine.Config{Log: n.log, Keyring: keyring, Store: store, Follower: follower, History: h, Dir: cfg.Data, Owner: owner(),
		Profiles: profile.Builtin(), Transports: map[string]engine.Transport{"https": transport}, Logger: cfg.Logger,
		LowSpace: n.log.LowSpace, ManualClock: cfg.ManualClock, ClockStart: cfg.ClockStart, RestartRate: cfg.RestartRate,
		MaxInFlight: cfg.MaxInFlight}, nil
}

func owner() string {
	name, _ := os.Hostname()
	return fmt.Sprintf("%.64s pid %d", name, os.Getpid())
}

// https starts the HTTPS transport in its own process: this program, run as `plugin https`. Deliveries that a fault of
// ours interrupted several times run in a second one of their own, started when first needed.
func (n *Node) https(ctx context.Context) (engine.Transport, error) {
	opts := https.Options{AllowCIDR: n.cfg.AllowCIDR, AllowHTTP: n.cfg.AllowHTTP}
	if n.cfg.TrustCA != "" {
		pem, err := os.ReadFile(n.cfg.TrustCA)
		if err != nil {
			return engine.Transport{}, fmt.Errorf("%w: --trust-ca: %w", ErrUsage, err)
		}
		opts.TrustPEM = pem
	}
	if _, err := https.New(opts); err != nil { // the plugin would refuse the same
		return engine.Transport{}, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	settings, err := json.Marshal(opts)
	if err != nil {
		return engine.Transport{}, err
	}
	hc := host.Config{Name: "https", Self: true, Args: []string{"plugin", "https"}, Settings: settings, MaxInFlight: n.cfg.MaxInFlight,
		Dir: n.cfg.Data, Logger: n.cfg.Logger}
	h, err := host.Start(ctx, hc)
	if err != nil {
		return engine.Transport{}, err
	}
	n.onClose(closing(h))
	alone := &lazy{cfg: hc}
	n.onClose(alone.close)
	var checksum uint32
	if sum, err := hex.DecodeString(h.Health().Checksum); err == nil && len(sum) >= 4 {
		checksum = uint32(sum[0])<<24 | uint32(sum[1])<<16 | uint32(sum[2])<<8 | uint32(sum[3])
	}
	return engine.Transport{Submitter: h, Alone: alone, Check: https.NewPolicy(n.cfg.AllowCIDR, n.cfg.AllowHTTP).CheckTarget,
		Checksum: checksum, Health: func() engine.TransportStatus { return status(h.Health()) }}, nil
}

func status(h host.Health) engine.TransportStatus {
	s := engine.TransportStatus{Version: h.Version, State: string(h.State), PID: h.PID, Restarts: h.Restarts, InFlight: h.InFlight, Checksum: h.Checksum}
	if h.LastError != "" {
		s.LastError = &h.LastError
	}
	return s
}

// adminKey is the key given, or made at the first start, shown once and written to a file.
func (n *Node) adminKey(fresh bool) (string, error) {
	if n.cfg.AdminKey != "" {
		return n.cfg.AdminKey, nil
	}
	path := filepath.Join(n.cfg.Data, adminFile)
	if raw, err := os.ReadFile(path); err == nil && fresh {
		return string(raw), nil // an earlier first start ended before the key came into the log
	}
	if !fresh {
		return "", nil
	}
	key := "hk_" + rand.Text() + rand.Text()
	if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
		return "", err
	}
	fmt.Fprintf(n.cfg.Out, "admin key (shown once, kept in %s): %s\n", path, key)
	return key, nil
}

// Addr is where the HTTP face listens.
func (n *Node) Addr() net.Addr { return n.addr }

// Log is the node's log, for readers.
func (n *Node) Log() *pebblelog.Log { return n.log }

// Done says, by a value, that the node cannot go on by itself.
func (n *Node) Done() <-chan struct{} { return n.engine.Dead() }

// Err is why it cannot.
func (n *Node) Err() error { return n.engine.Err() }

// Stop drains and closes: the face stops accepting, attempts under way are waited for until ctx ends, the rest is broken
// off and counted.
func (n *Node) Stop(ctx context.Context) (interrupted int, err error) {
	n.once.Do(func() {
		// Requests under way get a moment; what publishes wait for is the log, not the receivers.
		accept, cancel := context.WithTimeout(ctx, 5*time.Second)
		shutdown := make(chan error, 1)
		go func() { shutdown <- n.http.Shutdown(accept) }()
		var derr error
		interrupted, derr = n.engine.Drain(ctx)
		<-shutdown
		cancel()
		err = errors.Join(derr, n.close())
	})
	return interrupted, err
}

func (n *Node) close() error {
	var err error
	for i := len(n.closes) - 1; i >= 0; i-- {
		err = errors.Join(err, n.closes[i]())
	}
	n.closes = nil
	return err
}
