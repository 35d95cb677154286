package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/plugins/template"
)

const pluginsLong = `Transports of your own, each in a process of its own.

A plugin is one executable file that speaks plugins/proto (Go authors use plugins/sdk; any
language will do). verify holds it to the protocol's laws; install copies it into a data
directory and pins its SHA-256; serve then offers it to endpoints by its name:

  hookline endpoints create acme --url ADDRESS --transport NAME --settings JSON`

// pluginsCommand is everything about plugins except running one (pluginCommand).
func pluginsCommand(t *terminal) *cobra.Command {
	health := listCommand(t, "transports and their plugins", nil, func([]string) string { return pathf("v1", "transports") },
		columns("NAME name", "STATE state", "VERSION version", "PID pid", "RESTARTS restarts", "IN-FLIGHT in_flight", "HELD held", "ERROR last_error"))
	online := health.RunE
	health.Use, health.Aliases, health.Short = "ls", []string{"list"}, "Show transports and their plugins' health; with --data what is installed there"
	health.Flags().String("data", "", "list what is installed in this data `DIR`, without a server")
	health.RunE = func(cmd *cobra.Command, args []string) error {
		if dir, _ := cmd.Flags().GetString("data"); dir != "" {
			return listInstalled(t, cmd, dir)
		}
		return online(cmd, args)
	}
	release := callCommand{use: "release", short: "Start a quarantined plugin again", args: []string{"NAME"}, method: post,
		path: func(args []string) string { return pathf("v1", "transports", args[0]+":release") }}.command(t)
	cmd := objects("plugins", "Transports in their own processes", `  hookline plugins init relay --lang go
  hookline plugins verify ./relay/relay --settings '{"token":"12345678"}'
  hookline plugins install ./relay/relay --data ./data
  hookline plugins ls`,
		initPluginCommand(t), verifyPluginCommand(t), infoPluginCommand(t), runPluginCommand(t), installPluginCommand(t), removePluginCommand(t), health, release)
	cmd.Long = pluginsLong
	return cmd
}

func initPluginCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{Use: "init NAME", Short: "Write a plugin to start from, in Go or Node", Args: exactly("NAME"),
		Long:    "Write a whole plugin that passes verify into the new directory NAME (or --dir). Nothing is overwritten.",
		Example: "  hookline plugins init relay --lang go\n  hookline plugins init relay --lang node --dir ./plugins/relay"}
	cmd.Flags().String("lang", "go", "`LANGUAGE`: go or node")
	cmd.Flags().String("dir", "", "write into this new `DIR`; NAME when left out")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		lang, _ := cmd.Flags().GetString("lang")
		dir, _ := cmd.Flags().GetString("dir")
		if dir == "" {
			dir = args[0]
		}
		files, err := template.Files(lang, args[0])
		if err != nil {
			return &usageError{err}
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			return fmt.Errorf("%w: choose another directory with --dir", err)
		}
		names := make([]string, 0, len(files))
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
				return err
			}
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			t.say("%s", filepath.Join(dir, name))
		}
		if lang == "node" {
			t.say("next, in %s: npm install && npm run build, then hookline plugins verify dist/%s --settings '{\"token\":\"12345678\"}'", dir, args[0])
		} else {
			t.say("next, in %s: go mod edit -replace github.com/hookline/hookline=PATH (a checkout), go build -mod=mod -o %s ., then hookline plugins verify ./%s --settings '{\"token\":\"12345678\"}'", dir, args[0], args[0])
		}
		return nil
	}
	return cmd
}

// settingsFlags are what a plugin is configured with by hand: a JSON text, or @FILE.
func settingsFlags(cmd *cobra.Command, endpoint bool) {
	cmd.Flags().String("config", "", "operator's settings: `JSON` or @FILE")
	if endpoint {
		cmd.Flags().String("settings", "", "an endpoint's settings: `JSON` or @FILE")
	}
}

func settingsOf(cmd *cobra.Command, flag string) (json.RawMessage, error) {
	text, _ := cmd.Flags().GetString(flag)
	raw := []byte(text)
	if len(text) > 1 && text[0] == '@' {
		var err error
		if raw, err = os.ReadFile(text[1:]); err != nil {
			return nil, fmt.Errorf("--%s: %w", flag, err)
		}
	}
	if len(raw) > 0 && !json.Valid(raw) {
		return nil, usagef("--%s is not JSON", flag)
	}
	return raw, nil
}
