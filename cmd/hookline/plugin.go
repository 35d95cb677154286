package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/plugins/sdk"
	"github.com/hookline/hookline/transports/https"
)

// pluginCommand is how serve runs the transports that are part of this binary: each in a process of its own.
func pluginCommand(*terminal) *cobra.Command {
	cmd := &cobra.Command{Use: "plugin", Short: "Run a built-in transport (started by serve, not by hand)", Hidden: true, RunE: group}
	cmd.AddCommand(&cobra.Command{
		Use: httpsName, Short: "The HTTPS transport", Args: exactly(), Hidden: true,
		RunE: func(*cobra.Command, []string) error {
			keepHeapFloor(heapFloorPlugin)
			err := sdk.Serve(sdk.Plugin{Name: httpsName, Version: versionText(), ConfigSchema: https.Schema(), New: https.FromSettings, MaxInFlight: maxPluginInFlight})
			if errors.Is(err, sdk.ErrStartedByHand) {
				return &usageError{err}
			}
			return err
		},
	})
	return cmd
}

// maxPluginInFlight is the most a plugin takes at once; the host asks for less, by its own limit.
const maxPluginInFlight = 65_536
