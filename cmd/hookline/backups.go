package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hookline/hookline/cmd/hookline/config"
	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/eventlog/backup"
)

// backups makes backups of the running log into the configured directory, one at a time. It is engine.Backups. Close
// breaks off the one under way and waits for it.
type backups struct {
	dir    string
	src    backup.Source
	opts   backup.Options
	logger *slog.Logger

	mu      sync.Mutex
	current *engine.Backup // under way, or the last one that failed
	refresh bool           // keys were destroyed while it is under way
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
}

var _ engine.Backups = (*backups)(nil)

func newBackups(cfg *config.Config, src backup.Source, logger *slog.Logger) *backups {
	b := &backups{dir: cfg.BackupDir, src: src, logger: logger, opts: backup.Options{Rate: cfg.BackupRate, Keep: cfg.BackupKeep}}
	b.ctx, b.stop = context.WithCancel(context.Background())
	return b
}

// Start implements engine.Backups.
func (b *backups) Start() (engine.Backup, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current != nil && b.current.Status == "running" {
		return engine.Backup{}, &engine.Error{Code: engine.CodeConflict, Detail: "a backup is under way since " +
			stamp(int64(b.current.StartedAt)) + ": wait for it, see GET /v1/backups"}
	}
	if b.ctx.Err() != nil {
		return engine.Backup{}, &engine.Error{Code: engine.CodeUnavailable, Detail: "the server is stopping"}
	}
	dir, err := backup.Open(b.dir, true)
	if errors.Is(err, backup.ErrBusy) {
		return engine.Backup{}, &engine.Error{Code: engine.CodeConflict, Detail: err.Error()}
	}
	if err != nil {
		return engine.Backup{}, err
	}
	now := time.Now()
	b.current = &engine.Backup{ID: "running", Status: "running", StartedAt: engine.Time(now.UnixMilli())}
	started := *b.current
	b.running.Go(func() { b.make(dir, now) })
	return started, nil
}

func (b *backups) make(dir *backup.Dir, began time.Time) {
	opts := b.opts
	opts.Progress = func(done, _ int64) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.current.Bytes = done
	}
	m, err := dir.Make(b.ctx, b.src, opts)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refresh {
		err = errors.Join(err, b.refreshIn(dir))
	}
	b.refresh = false
	err = errors.Join(err, dir.Close())
	if err == nil {
		b.current = nil // it is in the directory
		b.logger.Info("backup made", "id", m.ID, "head_seq", m.HeadSeq, "bytes", m.Bytes, "added_bytes", m.Added,
			"took", time.Since(began).Round(time.Millisecond))
		return
	}
	text, at := err.Error(), engine.Time(time.Now().UnixMilli())
	b.current.ID, b.current.Status, b.current.Error, b.current.FinishedAt = "failed", "failed", &text, &at
	b.logger.Error("backup failed", "error", err)
}

// All implements engine.Backups.
func (b *backups) All() ([]engine.Backup, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := []engine.Backup{}
	if b.current != nil {
		all = append(all, *b.current)
	}
	kept, err := backup.ReadList(b.dir)
	slices.Reverse(kept)
	for _, m := range kept {
		at := engine.Time(m.MadeAt.UnixMilli())
		all = append(all, engine.Backup{ID: m.ID, Status: "done", StartedAt: at, FinishedAt: &at, HeadSeq: m.HeadSeq, Chain: m.Chain,
			Bytes: m.Bytes, Added: m.Added})
	}
	return all, err
}

// RefreshKeyring implements engine.Backups. While a backup is under way it is done at its end.
func (b *backups) RefreshKeyring() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current != nil && b.current.Status == "running" {
		b.refresh = true
		return nil
	}
	dir, err := backup.Open(b.dir, true)
	if err != nil {
		return err
	}
	return errors.Join(b.refreshIn(dir), dir.Close())
}

func (b *backups) refreshIn(dir *backup.Dir) error {
	raw, err := b.src.Keyring()
	if err != nil {
		return err
	}
	return dir.RefreshKeyring(raw)
}

// Close breaks off the backup under way.
func (b *backups) Close() error {
	b.stop()
	b.running.Wait()
	return nil
}
