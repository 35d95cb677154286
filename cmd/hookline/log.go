package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/pebblelog"
)

func logCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "log", Short: "Read, prove and rebuild a log", RunE: group,
		Long: `Read, prove and rebuild the log of a data directory. These commands work offline: they
refuse a directory that a server holds; follow alone asks a running server. None of them
changes the log.
` + exitCodes,
		Example: `  hookline log stat --data ./data
  hookline log verify --data ./data
  hookline log rebuild --check --data ./data
  hookline log cat --data ./data --after 1000 --tenant acme`,
	}
	cmd.PersistentFlags().String("data", "", "data `DIR` [HOOKLINE_DATA]")
	cmd.AddCommand(logStatCommand(t), logCatCommand(t), logFollowCommand(t), logVerifyCommand(t), logRebuildCommand(t))
	for _, name := range []string{"export", "import", "backup", "restore"} {
		cmd.AddCommand(&cobra.Command{Use: name, Short: "Not available yet", Hidden: true, DisableFlagParsing: true, RunE: func(*cobra.Command, []string) error {
			return usagef("log %s is not available yet in this version", name)
		}})
	}
	return cmd
}

// offline is a data directory that this command holds, and its log, opened for reading.
type offline struct {
	*dataDir
	log    *pebblelog.Log
	logger *slog.Logger
}

// openOffline opens the directory that --data or HOOKLINE_DATA names. Whoever opened it closes it.
func openOffline(cmd *cobra.Command, t *terminal) (*offline, error) {
	path, _ := cmd.Flags().GetString("data")
	if path == "" {
		path = t.getenv("HOOKLINE_DATA")
	}
	if path == "" {
		return nil, usagef("--data is missing: give the data directory")
	}
	dir, err := openDataDir(path, false)
	if err != nil {
		return nil, err
	}
	o := &offline{dataDir: dir, logger: slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: slog.LevelWarn}))}
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

func (o *offline) Close() {
	if err := o.log.Close(); err != nil {
		o.logger.Warn("closing the log", "error", err)
	}
	o.dataDir.Close()
}

// bar shows the progress of long work on a terminal; elsewhere it is silent. It belongs to one goroutine.
type bar struct {
	w     io.Writer
	what  string
	total eventlog.Seq
	began time.Time
	last  time.Time
	shown bool
}

func newBar(w io.Writer, what string, total eventlog.Seq) *bar {
	b := &bar{what: what, total: total, began: time.Now()}
	if f, ok := w.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			b.w = w
		}
	}
	return b
}

// at tells how far the work is: percent, rate and time left, at most five times a second.
func (b *bar) at(done eventlog.Seq) {
	if b.w == nil || b.total == 0 || time.Since(b.last) < 200*time.Millisecond {
		return
	}
	b.last, b.shown = time.Now(), true
	rate := float64(done) / time.Since(b.began).Seconds()
	left := time.Duration(0)
	if rate > 0 {
		left = time.Duration(float64(b.total-min(done, b.total)) / rate * float64(time.Second)).Round(time.Second)
	}
	fmt.Fprintf(b.w, "\r\x1b[K%s %d of %d (%d %%), %.0f records/s, %v left", b.what, done, b.total, done*100/b.total, rate, left)
}

func (b *bar) end() {
	if b.shown {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
