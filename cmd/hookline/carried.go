package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/plugins/installed"
	"github.com/hookline/hookline/plugins/schema"
	"github.com/hookline/hookline/transports"
)

const (
	pluginDeaths  = 5                // without a healthy minute, then it is quarantined
	followEvery   = 2 * time.Second  // how often the manifest is looked at
	drainPatience = 65 * time.Second // the longest timeout of an attempt and its grace
)

// carried is an installed plugin as a transport: another version of it, installed while it runs, takes the new attempts
// while the old one finishes its own. It never keeps the server from starting, and dies alone.
type carried struct {
	name   string
	store  installed.Store
	dir    string
	most   int
	logger *slog.Logger

	mu       sync.RWMutex // held to read while an attempt is handed over, so that none goes to a host that is closing
	manifest *installed.Manifest
	host     *host.Host
	settings *schema.Schema

	stop    context.CancelFunc // of follow
	stopped sync.WaitGroup
}

var (
	_ transports.Submitter     = (*carried)(nil)
	_ engine.TransportSettings = (*carried)(nil)
)

// carry starts an installed plugin; whether it comes up is told by its health.
func carry(ctx context.Context, store installed.Store, m *installed.Manifest, dir string, most int, logger *slog.Logger) (*carried, error) {
	c := &carried{name: m.Name, store: store, dir: dir, most: most, logger: logger, stop: func() {}}
	described, err := schema.Compile(m.EndpointSchema)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w: install it again", m.Name, err)
	}
	h, err := host.Start(ctx, c.config(m, true))
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", m.Name, err)
	}
	c.manifest, c.host, c.settings = m, h, described
	return c, nil
}

func (c *carried) config(m *installed.Manifest, patient bool) host.Config {
	return host.Config{Name: m.Name, Command: c.store.Path(m), Pin: m.SHA256, Settings: m.Config, MaxInFlight: c.most, Dir: c.dir, Logger: c.logger,
		Patient: patient, Quarantine: pluginDeaths, Confine: true, Memory: m.Memory}
}

// Submit implements transports.Submitter.
func (c *carried) Submit(ctx context.Context, req *transports.Request, done func(transports.Result, error)) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	c.host.Submit(ctx, req, done)
}

// Merge implements engine.TransportSettings.
func (c *carried) Merge(old, change []byte) (json.RawMessage, error) {
	out, err := c.described().Merge(old, change)
	var mistake *schema.Error
	if errors.As(err, &mistake) {
		return nil, &engine.SettingsError{Pointer: mistake.Pointer, Message: mistake.Message}
	}
	return out, err
}

// Mask implements engine.TransportSettings.
func (c *carried) Mask(settings []byte) json.RawMessage { return c.described().Mask(settings) }

func (c *carried) described() *schema.Schema {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.settings
}

func (c *carried) forEngine() engine.Transport {
	return engine.Transport{Submitter: c, Settings: c, Health: c.health, Build: c.build,
		Restart: func() error {
			c.mu.RLock()
			defer c.mu.RUnlock()
			return c.host.Release()
		}}
}

func (c *carried) build() uint32 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	sum, err := hex.DecodeString(c.manifest.SHA256)
	if err != nil || len(sum) < 4 {
		return 0
	}
	return uint32(sum[0])<<24 | uint32(sum[1])<<16 | uint32(sum[2])<<8 | uint32(sum[3])
}

func (c *carried) health() engine.TransportStatus {
	c.mu.RLock()
	defer c.mu.RUnlock()
	st := status(c.name, c.host.Health())
	if st.Version == "" {
		st.Version = c.manifest.Version
	}
	st.SettingsSchema = c.manifest.EndpointSchema
	return st
}

// follow takes other versions up until ctx ends; rebuilt is told.
func (c *carried) follow(ctx context.Context, rebuilt func(context.Context) error) {
	ctx, c.stop = context.WithCancel(ctx)
	c.stopped.Go(func() {
		t := time.NewTicker(followEvery)
		defer t.Stop()
		var refused string // the version that did not start, said once
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			m, err := c.store.Get(c.name)
			if err != nil || c.same(m) || m.SHA256+string(m.Config) == refused {
				continue
			}
			if err := c.upgrade(ctx, m); err != nil {
				refused = m.SHA256 + string(m.Config)
				c.logger.Error("another version of a plugin is installed but does not start: the one that runs stays", "transport", c.name, "version", m.Version, "error", err)
				continue
			}
			c.logger.Info("another version of a plugin took over", "transport", c.name, "version", m.Version, "sha256", m.SHA256)
			if err := rebuilt(ctx); err != nil && ctx.Err() == nil {
				c.logger.Warn("deliveries held by the plugin's former version are still held: release them", "transport", c.name, "error", err)
			}
		}
	})
}

func (c *carried) same(m *installed.Manifest) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return m.SHA256 == c.manifest.SHA256 && bytes.Equal(m.Config, c.manifest.Config) && m.Memory == c.manifest.Memory
}

// upgrade starts the new process, gives it the new attempts and lets the old one finish its own.
func (c *carried) upgrade(ctx context.Context, m *installed.Manifest) error {
	described, err := schema.Compile(m.EndpointSchema)
	if err != nil {
		return err
	}
	next, err := host.Start(ctx, c.config(m, false))
	if err != nil {
		return err
	}
	c.mu.Lock()
	old := c.host
	c.host, c.manifest, c.settings = next, m, described
	c.mu.Unlock()
	c.stopped.Go(func() {
		drain, cancel := context.WithTimeout(ctx, drainPatience)
		defer cancel()
		if err := old.Close(drain); err != nil && ctx.Err() == nil {
			c.logger.Warn("the former version of a plugin did not finish", "transport", c.name, "error", err)
		}
	})
	return nil
}

// Close ends the process; attempts still under way at the end of ctx are interrupted.
func (c *carried) Close(ctx context.Context) error {
	c.stop()
	c.stopped.Wait()
	return c.host.Close(ctx)
}
