package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/plugins/verify"
)

const verifyPluginLong = `Hold a plugin to the laws of the transport protocol (plugins/proto/README.md), in any
language, over the wire. Each law runs in a process of its own; what a receiver must see is
seen by an HTTP server of ours on loopback. A transport of another kind is given --target,
an address that it acknowledges at once; laws that need our receiver are then skipped.

Exit 0 when no law is broken, 1 when one is.`

func verifyPluginCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{Use: "verify FILE [-- ARGS...]", Short: "Hold a plugin to the protocol's laws", Long: verifyPluginLong,
		Example: "  hookline plugins verify ./relay --settings '{\"token\":\"12345678\"}'\n  hookline plugins verify ./relay --settings @settings.json --junit report.xml -o json"}
	settingsFlags(cmd, true)
	cmd.Flags().String("target", "", "an `ADDRESS` that is acknowledged at once; our own HTTP receiver when left out")
	cmd.Flags().String("law", "", "hold only this `LAW`")
	cmd.Flags().String("junit", "", "write the report as JUnit XML to this `FILE` too")
	cmd.Flags().StringP("output", "o", "text", "`FORMAT` of the report: text or json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("hookline plugins verify needs FILE")
		}
		format, _ := cmd.Flags().GetString("output")
		if format != "text" && format != "json" {
			return usagef("--output is %q: neither text nor json", format)
		}
		o := verify.Options{Command: args[0], Args: args[1:]}
		o.Target, _ = cmd.Flags().GetString("target")
		o.Only, _ = cmd.Flags().GetString("law")
		var err error
		if o.Config, err = settingsOf(cmd, "config"); err != nil {
			return err
		}
		if o.Settings, err = settingsOf(cmd, "settings"); err != nil {
			return err
		}
		if format == "text" {
			o.Progress = func(v verify.Verdict) { _ = v.Text(t.out) }
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		return runVerify(ctx, t, o, cmd)
	}
	return cmd
}

func runVerify(ctx context.Context, t *terminal, o verify.Options, cmd *cobra.Command) error {
	rep, err := verify.Run(ctx, o)
	if err != nil {
		return err
	}
	if path, _ := cmd.Flags().GetString("junit"); path != "" {
		if err := writeReport(path, rep.JUnit); err != nil {
			return fmt.Errorf("--junit: %w", err)
		}
	}
	if o.Progress == nil {
		err = rep.JSON(t.out)
	} else {
		err = rep.Summary(t.out)
	}
	if err == nil && !rep.OK() {
		return errSilent{exitError}
	}
	return err
}

func writeReport(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
