package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/plugins/installed"
	"github.com/hookline/hookline/plugins/proto"
	"github.com/hookline/hookline/plugins/schema"
)

// defaultPluginMemory is what an installed plugin may have, in MiB.
const defaultPluginMemory = 1024

const installPluginLong = `Copy a plugin into a data directory and pin its SHA-256: serve runs that copy and nothing
else. A server that runs takes another version of an installed plugin up within 2 s: the new
process takes new attempts, the old one finishes its own. A new name needs a restart.

The operator's settings (--config) are kept beside it in a file only this user can read.`

func installPluginCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{Use: "install FILE --data DIR", Short: "Copy a plugin into a data directory and pin it", Args: exactly("FILE"), Long: installPluginLong,
		Example: "  hookline plugins install ./relay --data ./data\n  hookline plugins install ./kafka --data ./data --config @kafka.json --sha256 9f86d08..."}
	settingsFlags(cmd, false)
	cmd.Flags().String("data", "", "data `DIR` [HOOKLINE_DATA]")
	cmd.Flags().String("sha256", "", "refuse a file with another `SUM` than this, in hex")
	cmd.Flags().Int("memory", defaultPluginMemory, "`MIB` of memory it may have; 0: no limit")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		data, err := dataFlag(cmd, t)
		if err != nil {
			return err
		}
		config, err := settingsOf(cmd, "config")
		if err != nil {
			return err
		}
		memory, _ := cmd.Flags().GetInt("memory")
		if memory != 0 && memory < 64 {
			return usagef("--memory is %d MiB: want at least 64, or 0 for no limit", memory)
		}
		store := installed.In(data)
		file, sum, err := store.Copy(args[0])
		if err != nil {
			return err
		}
		if want, _ := cmd.Flags().GetString("sha256"); want != "" && want != sum {
			return fmt.Errorf("%s has SHA-256 %s, not %s: it was not installed", args[0], sum, want)
		}
		m := &installed.Manifest{SHA256: sum, File: file, Config: config, Memory: int64(memory) << 20, InstalledAt: time.Now().UTC().Truncate(time.Millisecond)}
		d, err := ask(cmd.Context(), store.Path(m), sum, nil, config)
		if err != nil {
			return err
		}
		m.Name, m.Version, m.ConfigSchema, m.EndpointSchema = d.GetName(), d.GetVersion(), d.GetConfigSchema(), d.GetEndpointSchema()
		if m.Name == httpsName {
			return fmt.Errorf("the plugin calls itself %q, which is the built-in transport's name: it was not installed", httpsName)
		}
		if err := store.Install(m); err != nil {
			return err
		}
		t.say("installed %s %s, sha256 %s", m.Name, m.Version, m.SHA256)
		return nil
	}
	return cmd
}

// ask starts a plugin, lets it describe itself and tries the operator's settings.
func ask(ctx context.Context, file, pin string, args []string, config json.RawMessage) (*proto.Description, error) {
	w, err := host.OpenWire(ctx, host.Config{Name: file, Command: file, Pin: pin, Args: args})
	if err != nil {
		return nil, err
	}
	defer w.End(true)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	d, err := w.API.Describe(ctx, &proto.DescribeRequest{})
	if err != nil {
		return nil, fmt.Errorf("describe: %w", err)
	}
	s, err := schema.Compile(d.GetConfigSchema())
	if err != nil {
		return nil, fmt.Errorf("its schema of the operator's settings: %w", err)
	}
	if err := s.Check(config); err != nil {
		return nil, usagef("--config: %s", err)
	}
	if _, err := schema.Compile(d.GetEndpointSchema()); err != nil {
		return nil, fmt.Errorf("its schema of an endpoint's settings: %w", err)
	}
	if _, err := w.API.Configure(ctx, &proto.Settings{Json: config}); err != nil {
		return nil, fmt.Errorf("it refuses its settings: %w", err)
	}
	return d, nil
}

func removePluginCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{Use: "rm NAME --data DIR", Short: "Take an installed plugin away", Args: exactly("NAME"),
		Long: "Take an installed plugin away. A server that runs it keeps it until it ends; after that, deliveries to\nendpoints that use it wait, interrupted, until it is installed again."}
	cmd.Flags().String("data", "", "data `DIR` [HOOKLINE_DATA]")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		data, err := dataFlag(cmd, t)
		if err != nil {
			return err
		}
		if err := installed.In(data).Remove(args[0]); err != nil {
			return err
		}
		t.say("removed %s", args[0])
		return nil
	}
	return cmd
}

func listInstalled(t *terminal, cmd *cobra.Command, data string) error {
	all, err := installed.In(data).List()
	if err != nil {
		return err
	}
	items := []json.RawMessage{}
	for _, m := range all {
		m.Config = nil // may hold a password
		raw, err := json.Marshal(m)
		if err != nil {
			return err
		}
		items = append(items, raw)
	}
	if format, _ := cmd.Flags().GetString("output"); format == "json" {
		return t.showJSON(items)
	}
	return t.table(columns("NAME name", "VERSION version", "SHA256 sha256", "INSTALLED installed_at"), items, true)
}
