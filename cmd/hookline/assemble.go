package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/hookline/hookline/cmd/hookline/config"
	"github.com/hookline/hookline/cmd/hookline/profiledir"
	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/eventlog/backup"
	"github.com/hookline/hookline/eventlog/pebblelog"
	"github.com/hookline/hookline/eventlog/projection"
	"github.com/hookline/hookline/eventlog/seal"
	"github.com/hookline/hookline/plugins/installed"
	"github.com/hookline/hookline/transports"
)

// assembly is the engine and everything it stands on, opened in order and closed in reverse.
type assembly struct {
	engine    *engine.Engine
	log       *pebblelog.Log
	transport *httpsTransport
	plugins   []*carried      // those that are installed
	backups   *backups        // nil = there is no place for them
	profiles  *profiledir.Dir // the provider's own; nil = there are none
	adminKey  string          // to open it with; "" = whoever made the directory knows
	keyMade   bool
	closers   []func() error
}

// assemble opens a data directory that this process holds. It returns once recovery is done. Nothing stays open when it
// fails.
func assemble(ctx context.Context, cfg *config.Config, dir *dataDir, logger *slog.Logger) (a *assembly, err error) {
	a = &assembly{}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.profiles, err = openProfiles(cfg, logger); err != nil {
		return a, err
	}
	master, made, err := dir.openMaster(cfg)
	if err != nil {
		return a, err
	}
	if made {
		logger.Warn("a master key was made: without it nothing sealed can be read, and beside the data it protects little; keep it elsewhere and give it by HOOKLINE_MASTER_KEY or --master-key-file",
			"file", dir.join(masterKeyFile))
	}
	keyring, err := master.open(dir.join(keyringFile))
	if err != nil {
		return a, fmt.Errorf("keyring: %w", err)
	}
	a.closers = append(a.closers, keyring.Close)
	held, err := dir.heldBy()
	if err == nil {
		err = dir.newKeys(held, keyring)
	}
	if err != nil {
		return a, fmt.Errorf("held: %w", err)
	}
	if err := backup.CleanStaging(dir.join(stagingDir)); err != nil {
		return a, fmt.Errorf("backup: %w", err)
	}
	if a.log, err = pebblelog.Open(pebblelog.Options{Dir: dir.join(logDir), Logger: logger, OnFatal: onFatal(logger), Now: epochTime(cfg), LowWater: cfg.LowWater}); err != nil {
		return a, fmt.Errorf("log: %w", err)
	}
	a.closers = append(a.closers, a.log.Close)
	if cfg.BackupDir != "" {
		a.backups = newBackups(cfg, backup.Source{Log: a.log, Staging: dir.join(stagingDir), Keyring: keyring.Bytes,
			Clock: clockName(cfg.Manual), MadeBy: versionText()}, logger)
		a.closers = append(a.closers, a.backups.Close)
	}
	head, err := a.log.Head(ctx)
	if err != nil {
		return a, fmt.Errorf("log: %w", err)
	}
	key, keyMade, err := dir.adminKey(cfg.AdminKey, head.Seq == 0)
	if err != nil {
		return a, fmt.Errorf("admin key: %w", err)
	}
	a.adminKey, a.keyMade = key, keyMade
	if err := a.openEngine(ctx, cfg, dir, keyring, master.rotation(keyring), held != nil, logger); err != nil {
		return a, err
	}
	return a, nil
}

// epochTime is the time of epoch records, where it is not the wall clock: the manual clock does not start before them.
func epochTime(cfg *config.Config) func() int64 {
	if !cfg.Manual || cfg.ClockStart.IsZero() {
		return nil
	}
	return cfg.ClockStart.UnixMilli
}

// onFatal is how a process ends whose disk failed: at once, since nothing that it still did could be recorded. Plugins
// are killed with it by the kernel.
func onFatal(logger *slog.Logger) func(error) {
	return func(err error) {
		logger.Error("the disk failed, exiting", "error", err, "exit_code", exitDisk)
		os.Exit(exitDisk)
	}
}

func (a *assembly) openEngine(ctx context.Context, cfg *config.Config, dir *dataDir, keyring *seal.Keyring, rotate func() error, held bool, logger *slog.Logger) error {
	store, err := projection.Open(ctx, projection.Options{
		Dir: dir.join(viewsDir), Version: engine.ViewsVersion, Log: a.log, Logger: logger, Fatal: onFatal(logger),
	})
	if err != nil {
		return fmt.Errorf("views: %w", err)
	}
	a.closers = append(a.closers, store.Close)
	views, err := engine.NewViews(projection.FollowerOptions{
		Log: a.log, Store: store, Paused: a.log.LowSpace, Logger: logger,
	})
	if err != nil {
		return fmt.Errorf("views: %w", err)
	}
	a.closers = append(a.closers, views.Stop)
	if a.transport, err = startHTTPS(ctx, cfg, dir.path, logger); err != nil {
		return err
	}
	a.closers = append(a.closers, func() error {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // the engine has drained: nobody waits any more for what is left, and it has counted it
		if err := a.transport.Close(ctx); !errors.Is(err, transports.ErrInterrupted) {
			return err
		}
		return nil
	})
	carrier, err := a.transport.forEngine()
	if err != nil {
		return err
	}
	carriers := map[string]engine.Transport{httpsName: carrier}
	if err := a.carryInstalled(ctx, cfg, dir.path, logger, carriers); err != nil {
		return err
	}
	conf := engine.Config{
		Log: a.log, Keyring: keyring, Views: views, Dir: dir.path, Owner: owner(),
		Profiles: a.allProfiles(), Transports: carriers, AdminKey: a.adminKey,
		Logger: logger, LowSpace: a.log.LowSpace, ManualClock: cfg.Manual, ClockStart: cfg.ClockStart,
		RestartRate: cfg.RestartRate, MaxInFlight: cfg.MaxInFlight, Held: held, Released: dir.release, RotateMaster: rotate,
	}
	for _, rule := range cfg.Retention {
		conf.Retention = append(conf.Retention, engine.BodyRule(rule))
	}
	if a.backups != nil {
		conf.Backups = a.backups
	}
	if a.engine, err = engine.Open(ctx, conf); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	a.closers = append(a.closers, a.engine.Close)
	a.followProfiles()
	for _, c := range a.plugins {
		c.follow(context.WithoutCancel(ctx), a.engine.Rebuilt)
	}
	return nil
}

// carryInstalled starts the plugins that are installed in the data directory.
func (a *assembly) carryInstalled(ctx context.Context, cfg *config.Config, data string, logger *slog.Logger, into map[string]engine.Transport) error {
	store := installed.In(data)
	all, err := store.List()
	if err != nil {
		return err
	}
	for _, m := range all {
		c, err := carry(ctx, store, m, data, cfg.MaxInFlight, logger)
		if err != nil { // it must not take the others with it; its endpoints' deliveries wait
			logger.Error("an installed plugin cannot be run", "transport", m.Name, "error", err)
			continue
		}
		a.plugins = append(a.plugins, c)
		a.closers = append(a.closers, func() error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel() // see the https transport's
			if err := c.Close(ctx); !errors.Is(err, transports.ErrInterrupted) {
				return err
			}
			return nil
		})
		into[m.Name] = c.forEngine()
	}
	return nil
}

// allProfiles are the built-in profiles and the provider's own.
func (a *assembly) allProfiles() []*profile.Profile {
	all := profile.Builtin()
	if a.profiles != nil {
		all = append(all, a.profiles.Profiles()...)
	}
	return all
}

// owner tells in every batch of the log which process wrote it.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%.64s/%d", host, os.Getpid())
}

// Close closes everything that was opened, newest first. Idempotent.
func (a *assembly) Close() error {
	var errs []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i]())
	}
	a.closers = nil
	return errors.Join(errs...)
}
