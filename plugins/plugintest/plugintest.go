// Package plugintest runs transports through a real child process, for tests: the test program itself becomes the plugin.
//
// Main goes into TestMain; Start starts one of its plugins as a host would and closes it with the test. Nothing
// started outlives the test.
package plugintest

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/plugins/sdk"
)

// argument marks a test program that was started as a plugin; the plugin's name follows.
const argument = "-hookline-test-plugin"

// Main serves one of the plugins and exits, if this process was started by Start; else it returns. Call it first.
func Main(plugins ...sdk.Plugin) {
	if len(os.Args) < 3 || os.Args[1] != argument {
		return
	}
	for _, p := range plugins {
		if p.Name == os.Args[2] {
			if err := sdk.Serve(p); err != nil {
				os.Exit(sdk.Complain(err))
			}
			os.Exit(0)
		}
	}
	os.Exit(64)
}

// Config is what hosts a plugin given to Main, to be changed before host.Start.
func Config(name string, settings json.RawMessage) host.Config {
	return host.Config{Name: name, Self: true, Args: []string{argument, name}, Settings: settings}
}

// Start starts a host and closes it when the test ends. Its log goes to the test's.
func Start(tb testing.TB, c host.Config) *host.Host {
	tb.Helper()
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	h, err := host.Start(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			tb.Error(err)
		}
	})
	return h
}
