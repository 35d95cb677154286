package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/backup"
	"github.com/hookline/hookline/eventlog/pebblelog"
)

func logBackupCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "backup", Short: "Back the log and the keyring up to a directory", Args: exactly(),
		Long: `Add a backup to a directory that holds any number of them. They share files: what is there
already is not copied again. Each is whole or not there: its manifest, with the SHA-256 of
every file, is written last.

The keyring is kept once, the newest, for all of them. The master key is in no backup: keep
it elsewhere, without it nothing in them can be read.

A directory that a server holds is backed up by the server: hookline backups create.`,
		Example: `  hookline log backup --data ./data --to /mnt/backups
  hookline log backup --data ./data --to /mnt/backups --keep 7`,
	}
	cmd.Flags().String("to", "", "the `DIR` that holds, or will hold, the backups")
	cmd.Flags().Int("keep", 0, "keep the newest `N` backups, remove the others; 0 = all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		to, _ := cmd.Flags().GetString("to")
		keep, _ := cmd.Flags().GetInt("keep")
		if to == "" {
			return usagef("--to is missing: give the directory that holds, or will hold, the backups")
		}
		if keep < 0 {
			return usagef("--keep is %d: want 0 (all) or more", keep)
		}
		m, err := backUp(cmd, t, to, keep)
		if m != nil {
			t.say("backup %s: head seq %d, chain %s", m.ID, m.HeadSeq, m.Chain)
			t.say("%d bytes in %d files, %d of them new", m.Bytes, len(m.Files), m.Added)
		}
		return err
	}
	return cmd
}

func backUp(cmd *cobra.Command, t *terminal, to string, keep int) (m *backup.Manifest, err error) {
	path, err := dataFlag(cmd, t)
	if err != nil {
		return nil, err
	}
	dir, err := openDataDir(path, false)
	if errors.Is(err, eventlog.ErrInUse) {
		return nil, fmt.Errorf("%w; a running server makes backups itself: hookline backups create", err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	if err := dir.checkWhole(); err != nil {
		return nil, err
	}
	if !dir.exists(logDir) {
		return nil, fmt.Errorf("%s holds no log: is it a data directory of hookline?", path)
	}
	logger := offlineLogger(t)
	// For writing, since Pebble links the tables of such only. Nothing is appended.
	log, err := pebblelog.Open(pebblelog.Options{Dir: dir.join(logDir), Logger: logger, ScrubRate: -1, OnFatal: onFatal(logger)})
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	into, err := backup.Open(to, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	b := newBar(t.err, "copying", 0)
	defer b.end()
	return into.Make(cmd.Context(), backup.Source{
		Log: log, Staging: dir.join(stagingDir), Clock: clockName(dir.exists(clockMarkFile)), MadeBy: versionText(),
		Keyring: func() ([]byte, error) { return os.ReadFile(dir.join(keyringFile)) },
	}, backup.Options{Keep: keep, Progress: func(done, total int64) {
		b.total = eventlog.Seq(total)
		b.bytes(done)
	}})
}

func backupsCommand(t *terminal) *cobra.Command {
	path := func([]string) string { return pathf("v1", "backups") }
	return objects("backups", "Backups that a running server makes", `  hookline backups create
  hookline backups list`,
		callCommand{use: "create", short: "Begin a backup, to the directory of the server's --backup-dir", method: post, path: path}.command(t),
		listCommand(t, "backups", nil, path, columns("ID id", "STATUS status", "STARTED started_at", "HEAD head_seq", "BYTES bytes", "ADDED added_bytes", "ERROR error")))
}

func logReleaseCommand(t *terminal) *cobra.Command {
	cmd := callCommand{use: "release", short: "Let a running server that was restored send", method: post,
		path: func([]string) string { return "/v1/log:release" }}.command(t)
	cmd.Long = `Let a running server send whose data directory was restored or imported: until then it is
held and sends nothing. Release it once the original is gone for good: else receivers get
what both send. Overdue deliveries start at the restart rate.`
	cmd.Example = "  hookline log release"
	remoteFlags(cmd)
	return cmd
}

// parseUntil reads a point in time or a seq.
func parseUntil(text string) (u backup.Until, err error) {
	if text == "" {
		return u, nil
	}
	if n, ok := parseSeq(text); ok {
		return backup.Until{Seq: n}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.UnixMilli() <= 0 {
		return u, usagef("--as-of %q is neither a seq, 1 or more, nor a time like 2026-01-31T08:00:00Z", text)
	}
	return backup.Until{Time: at.UnixMilli()}, nil
}
