package main

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/eventlog/pebblelog"
)

func logCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "log", Short: "Read, prove and rebuild a log", RunE: group,
		Long: `Read, prove and rebuild the log of a data directory. These commands work offline: they
refuse a directory that a server holds; follow, release and checkpoint ask a running server,
and so does diff without --data. None of them changes the log.
` + exitCodes,
		Example: `  hookline log stat --data ./data
  hookline log verify --data ./data
  hookline log rebuild --check --data ./data
  hookline log cat --data ./data --after 1000 --tenant acme`,
	}
	cmd.PersistentFlags().String("data", "", "data `DIR` [HOOKLINE_DATA]")
	cmd.AddCommand(logStatCommand(t), logCatCommand(t), logFollowCommand(t), logVerifyCommand(t), logRebuildCommand(t), logDiffCommand(t),
		logBackupCommand(t), logRestoreCommand(t), logReleaseCommand(t),
		logExportCommand(t), logImportCommand(t), logSalvageCommand(t),
		logCheckpointCommand(t), logCheckProofCommand(t))
	return cmd
}

// offline is a data directory that this command holds, and its log, opened for reading.
type offline struct {
	*dataDir
	log    *pebblelog.Log
	logger *slog.Logger
}

func dataFlag(cmd *cobra.Command, t *terminal) (string, error) {
	path, _ := cmd.Flags().GetString("data")
	if path == "" {
		path = t.getenv("HOOKLINE_DATA")
	}
	if path == "" {
		return "", usagef("--data is missing: give the data directory")
	}
	return path, nil
}

// openOffline opens the directory that --data or HOOKLINE_DATA names. Whoever opened it closes it.
func openOffline(cmd *cobra.Command, t *terminal) (*offline, error) {
	path, err := dataFlag(cmd, t)
	if err != nil {
		return nil, err
	}
	dir, err := openDataDir(path, false)
	if err != nil {
		return nil, err
	}
	if err := dir.checkWhole(); err != nil {
		dir.Close()
		return nil, err
	}
	o := &offline{dataDir: dir, logger: offlineLogger(t)}
	if !dir.exists(logDir) {
		dir.Close()
		return nil, fmt.Errorf("%s holds no log: is it a data directory of hookline?", path)
	}
	o.log, err = pebblelog.Open(pebblelog.Options{Dir: dir.join(logDir), ReadOnly: true, Logger: o.logger, ScrubRate: -1})
	if err != nil {
		dir.Close()
		return nil, fmt.Errorf("log: %w", err)
	}
	return o, nil
}

// offlineLogger writes warnings and errors as text.
func offlineLogger(t *terminal) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func (o *offline) Close() {
	if err := o.log.Close(); err != nil {
		o.logger.Warn("closing the log", "error", err)
	}
	o.dataDir.Close()
}
