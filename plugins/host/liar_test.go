package host_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/transports"
)

// A plugin that lies is killed, named, and after five deaths quarantined; a release starts it again. Meanwhile another
// transport of the same process works on.
func TestLiarsAreContained(t *testing.T) {
	for lie, reason := range map[string]string{
		"wrong_id": "not under way", "twice": "not under way", "too_many": "more than 128 results", "giant": "larger than max",
		"no_window": "no window", "hang_in_describe": "did not get ready within",
	} {
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			honest := start(t, nil)
			c := plugintest.Liar(lie)
			c.Patient, c.Quarantine, c.StartTimeout = true, 2, time.Second
			h := plugintest.Start(t, quiet(c))
			until(t, "quarantine of "+lie, func() bool {
				_, err := h.Deliver(t.Context(), request("x"))
				if lie != "twice" && err == nil {
					t.Fatal("a liar's attempt has a result")
				}
				if err != nil && !errors.Is(err, transports.ErrInterrupted) {
					t.Fatalf("blame: %v", err)
				}
				if _, err := honest.Deliver(t.Context(), request("echo")); err != nil {
					t.Fatalf("another transport: %v", err)
				}
				return h.Health().State == host.Quarantined
			})
			if got := h.Health(); !strings.Contains(got.LastError, reason) || got.PID != 0 {
				t.Errorf("the reason is %q, want one about %q; pid %d", got.LastError, reason, got.PID)
			}
			if _, err := h.Deliver(t.Context(), request("x")); err == nil || !strings.Contains(err.Error(), "quarantined") {
				t.Errorf("an attempt of a quarantined plugin: %v", err)
			}
			if err := h.Release(); err != nil {
				t.Fatal(err)
			}
			if err := h.Release(); !errors.Is(err, host.ErrRuns) {
				t.Errorf("a second release: %v", err)
			}
			until(t, "it dies again", func() bool {
				_, _ = h.Deliver(t.Context(), request("x"))
				return h.Health().State == host.Quarantined
			})
		})
	}
}

func quiet(c host.Config) host.Config {
	c.Logger = slog.New(slog.DiscardHandler)
	return c
}

// counted counts what is logged, by message.
type counted struct {
	lines, dropped atomic.Int64
}

// Endless logs cost a bounded number of lines, and the plugin works on.
func TestFloodOfLogs(t *testing.T) {
	seen := &counted{}
	c := plugintest.Liar("flood")
	c.Logger = slog.New(handler{seen})
	h := plugintest.Start(t, c)
	began := time.Now()
	until(t, "dropped lines are told", func() bool {
		if _, err := h.Deliver(t.Context(), request("x")); err != nil {
			t.Fatal(err)
		}
		return seen.dropped.Load() > 0
	})
	if most := int64(400 * (2 + time.Since(began)/time.Second)); seen.lines.Load() > most {
		t.Errorf("%d lines in %s", seen.lines.Load(), time.Since(began))
	}
}

// A plugin that takes more memory than it may dies; one that is confined reads no keys and writes nothing.
func TestLimits(t *testing.T) {
	c := plugintest.Liar("hoard")
	c.Memory, c.Patient, c.Quarantine = 512<<20, true, 2
	h := plugintest.Start(t, quiet(c))
	until(t, "the hoarder is quarantined", func() bool {
		if _, err := h.Deliver(t.Context(), request("x")); err == nil {
			t.Fatal("it had 4 GiB")
		}
		return h.Health().State == host.Quarantined
	})

	secret := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	c = plugintest.Liar("read_keys " + secret)
	c.Confine = true
	h = plugintest.Start(t, c)
	if !slices.Contains(h.Health().Confined, "files") {
		t.Skip("this kernel has no Landlock")
	}
	res, err := h.Deliver(t.Context(), request("x"))
	if err != nil || strings.Count(res.Error, "permission denied") != 2 {
		t.Errorf("%q %v", res.Error, err)
	}
}

// However often a plugin's file is swapped while it is installed and started, nothing else than what was pinned runs.
func TestSwapRaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "plugin")
	good, foreign := []byte("#!/bin/sh\nexit 7\n"), []byte("#!/bin/sh\ntouch "+filepath.Join(dir, "foreign")+"\nexit 7\n")
	write := func(content []byte) {
		next := path + ".next"
		if err := errors.Join(os.WriteFile(next, content, 0o755), os.Rename(next, path)); err != nil {
			t.Error(err)
		}
	}
	write(good)
	pin, err := host.Sum(path)
	if err != nil {
		t.Fatal(err)
	}
	quit, swapped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(swapped)
		for i := 0; ; i++ {
			select {
			case <-quit:
				return
			default:
				write([][]byte{foreign, good}[i%2])
			}
		}
	}()
	races := 100
	if os.Getenv("HOOKLINE_TORTURE") != "" {
		races = 1000
	}
	refused := 0
	for range races {
		_, err := host.Start(t.Context(), quiet(host.Config{Name: "swapped", Command: path, Pin: pin, Dir: dir}))
		if err == nil {
			t.Fatal("a script that speaks no protocol started")
		}
		if errors.Is(err, host.ErrPin) {
			refused++
		}
	}
	close(quit)
	<-swapped
	if _, err := os.Stat(filepath.Join(dir, "foreign")); err == nil {
		t.Error("a foreign file was executed")
	}
	t.Logf("%d races, %d refused by their pin", races, refused)
}

type handler struct{ *counted }

func (h handler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (h handler) WithAttrs([]slog.Attr) slog.Handler           { return h }
func (h handler) WithGroup(string) slog.Handler                { return h }
func (h handler) Handle(_ context.Context, r slog.Record) error {
	switch {
	case strings.HasPrefix(r.Message, "plugin output dropped"):
		h.dropped.Add(1)
	case r.Message == "plugin output":
		h.lines.Add(1)
	}
	return nil
}
