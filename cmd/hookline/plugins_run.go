package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/transports"
)

func infoPluginCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{Use: "info FILE [-- ARGS...]", Short: "Start a plugin and show what it says of itself"}
	settingsFlags(cmd, false)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("hookline plugins info needs FILE")
		}
		config, err := settingsOf(cmd, "config")
		if err != nil {
			return err
		}
		sum, err := host.Sum(args[0])
		if err != nil {
			return err
		}
		d, err := ask(cmd.Context(), args[0], sum, args[1:], config)
		if err != nil {
			return err
		}
		return t.showJSON(map[string]any{"name": d.GetName(), "version": d.GetVersion(), "sha256": sum, "capabilities": append([]string{}, d.GetCapabilities()...),
			"config_schema": document(d.GetConfigSchema()), "endpoint_schema": document(d.GetEndpointSchema())})
	}
	return cmd
}

func document(raw []byte) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

func runPluginCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{Use: "run FILE TARGET -d FILE|-", Short: "Make one attempt with a plugin, by hand", Args: exactly("FILE", "TARGET"),
		Long:    "Start a plugin, make one attempt at TARGET with the body given by -d, show the result. No server, no records.\nExit 0 when it was acknowledged, else 1.",
		Example: "  echo '{}' | hookline plugins run ./relay http://127.0.0.1:9000/ -d - --settings '{\"token\":\"12345678\"}'"}
	settingsFlags(cmd, true)
	cmd.Flags().StringP("data", "d", "", "the body: a `FILE`, or - for standard input")
	cmd.Flags().Duration("timeout", 30*time.Second, "of the attempt")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		config, err := settingsOf(cmd, "config")
		if err != nil {
			return err
		}
		settings, err := settingsOf(cmd, "settings")
		if err != nil {
			return err
		}
		body, err := bodyOf(cmd, t)
		if err != nil {
			return err
		}
		timeout, _ := cmd.Flags().GetDuration("timeout")
		return runOnce(cmd.Context(), t, args[0], config, &transports.Request{Target: args[1], Body: body, Timeout: timeout, EventID: "evt_byhand",
			Settings: settings, Headers: []transports.Header{{Name: "content-type", Value: "application/json"}}})
	}
	return cmd
}

func bodyOf(cmd *cobra.Command, t *terminal) ([]byte, error) {
	switch path, _ := cmd.Flags().GetString("data"); path {
	case "":
		return nil, usagef("-d is missing: give the body's FILE, or - for standard input")
	case "-":
		return io.ReadAll(t.in)
	default:
		return os.ReadFile(path)
	}
}

func runOnce(ctx context.Context, t *terminal, file string, config json.RawMessage, req *transports.Request) error {
	sum, err := host.Sum(file)
	if err != nil {
		return err
	}
	d, err := ask(ctx, file, sum, nil, config)
	if err != nil {
		return err
	}
	h, err := host.Start(ctx, host.Config{Name: d.GetName(), Command: file, Pin: sum, Settings: config, MaxInFlight: 1})
	if err != nil {
		return err
	}
	defer func() { _ = h.Close(context.WithoutCancel(ctx)) }()
	res, err := h.Deliver(ctx, req)
	if err != nil {
		return err
	}
	headers := map[string][]string{}
	for _, f := range res.Headers {
		headers[f.Name] = append(headers[f.Name], f.Value)
	}
	err = t.showJSON(map[string]any{"outcome": res.Outcome.String(), "error_kind": res.Kind, "error": res.Error, "status": res.Status,
		"headers": headers, "body": string(res.Body), "truncated": res.Truncated, "took_ms": float64(res.Took.Microseconds()) / 1000})
	if err == nil && res.Outcome != transports.Acknowledged {
		return errSilent{exitError}
	}
	return err
}
