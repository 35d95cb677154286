package main

import (
	"context"
	"errors"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/cmd/hookline/bench"
)

func benchCommand(t *terminal) *cobra.Command {
	var o bench.Options
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure this binary against a bare loop", Args: exactly(),
		Long: `Measure what this binary does on this machine, against a bare loop that signs and posts the
same bodies to the same receiver without an engine. Everything runs on loopback, in processes
of its own, on fresh data directories that are removed afterwards.

Rows: ` + strings.Join(bench.RowNames(), ", ") + `.`,
		Example: "  hookline bench\n  hookline bench --short\n  hookline bench --rows " + strings.Join(bench.RowNames()[:min(2, len(bench.RowNames()))], ",") + " --json result.json",
	}
	fs := cmd.Flags()
	fs.StringSliceVar(&o.Rows, "rows", nil, "only these `ROWS`")
	fs.BoolVar(&o.Long, "long", false, "also the rows that take minutes")
	fs.BoolVar(&o.Short, "short", false, "a smoke test: about a second a row, figures that mean little")
	fs.DurationVar(&o.Duration, "duration", 0, "of a row's publishing, default 8s")
	fs.DurationVar(&o.Idle, "idle", 0, "wait before disk is measured, default 30s")
	fs.IntVar(&o.Window, "window", 0, "events published and not yet received, default 20000")
	fs.IntVar(&o.Size, "size", 0, "of a body, in bytes, default 1024")
	fs.IntVar(&o.Records, "records", 0, "in the log of the row replay")
	fs.IntVar(&o.Aged, "aged", 0, "records in the log of the row aged")
	fs.IntVar(&o.Pending, "pending", 0, "deliveries left waiting in the row pending")
	fs.StringArrayVar(&o.ServeArgs, "serve-arg", nil, "further `ARG` of hookline serve (repeatable)")
	fs.StringVar(&o.Dir, "dir", "", "where data directories are made, on a real disk")
	fs.StringVar(&o.JSON, "json", "", "`FILE` for the complete result")
	fs.StringVar(&o.Binary, "binary", "", "measure this hookline `FILE` instead of this one")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		o.Out, o.Progress = t.out, t.err
		err := bench.Run(ctx, o)
		if errors.Is(err, bench.ErrOptions) {
			return &usageError{err}
		}
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return errors.New("interrupted")
		}
		return err
	}
	return cmd
}
