package host_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/plugins/plugintest"
)

// copySelf puts this test program into a file of its own and returns its hash.
func copySelf(t *testing.T) (file, pin string) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "plugin")
	if err := os.WriteFile(file, b, 0o700); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return file, hex.EncodeToString(sum[:])
}

// Section 9: no pin, no start; another file, no start; once started, what happens to the file does not matter.
func TestPin(t *testing.T) {
	file, pin := copySelf(t)
	c := plugintest.Config("probe", nil)
	c.Self, c.Command = false, file
	if _, err := host.Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), "no pin") {
		t.Errorf("no pin: %v", err)
	}
	c.Pin = strings.Repeat("0", 64)
	if _, err := host.Start(t.Context(), c); !errors.Is(err, host.ErrPin) || !strings.Contains(err.Error(), pin) {
		t.Errorf("another pin: %v", err)
	}
	c.Pin = strings.ToUpper(pin)
	h := plugintest.Start(t, c)
	if err := os.WriteFile(file, []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	pid := h.Health().PID
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "a restart from the copy", func() bool { got := h.Health(); return got.State == host.Running && got.PID != pid })
	if got := h.Health(); got.Checksum != pin || got.Restarts != 1 {
		t.Errorf("%+v", got)
	}
	if _, err := h.Deliver(t.Context(), request("echo")); err != nil {
		t.Error(err)
	}
}

// Whatever goes wrong at a start is told, and nothing stays behind: no process, no copy, no folder.
func TestFailedStarts(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	script := func(text string) string {
		f := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(f, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		return f
	}
	command := func(file string) func(*host.Config) {
		return func(c *host.Config) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(b)
			c.Self, c.Command, c.Pin, c.Args = false, file, hex.EncodeToString(sum[:]), nil
		}
	}
	for name, c := range map[string]struct {
		change func(*host.Config)
		say    string
	}{
		"settings refused": {func(c *host.Config) { c.Settings = []byte(`{"mood":"refuse"}`) }, "mood is refuse, must be good"},
		"settings no JSON": {func(c *host.Config) { c.Settings = []byte(`{`) }, "not JSON"},
		"another name":     {func(c *host.Config) { c.Name = "https" }, `calls itself "probe"`},
		"no name":          {func(c *host.Config) { c.Name = "" }, "name is empty"},
		"self and command": {func(c *host.Config) { c.Command = "x" }, "either self or command"},
		"too many":         {func(c *host.Config) { c.MaxInFlight = 1 << 20 }, "must be 1 to 65536"},
		"too hasty":        {func(c *host.Config) { c.HangAfter = time.Second }, "at least three times"},
		"bad pin":          {func(c *host.Config) { c.Pin = "abc" }, "64 hex digits"},
		"no file":          {func(c *host.Config) { c.Self, c.Command, c.Pin = false, "/nowhere", strings.Repeat("0", 64) }, "no such file"},
		"not a plugin":     {command(script("#!/bin/sh\necho hello\n")), "handshake"},
		"exits":            {command(script("#!/bin/sh\nexit 3\n")), "starting plugin probe"},
		"not executable":   {command(script("just text\n")), "exec format error"},
		"silent": {func(c *host.Config) {
			command(script("#!/bin/sh\nsleep 60 & wait\n"))(c)
			c.StartTimeout = 300 * time.Millisecond
		}, "starting plugin probe"},
		"started by hand": {func(c *host.Config) { c.Args = []string{"-test.run=NoSuchTest"} }, "handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := plugintest.Config("probe", nil)
			cfg.Dir = t.TempDir()
			c.change(&cfg)
			began := time.Now()
			h, err := host.Start(t.Context(), cfg)
			if err == nil {
				h.Close(t.Context())
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), c.say) {
				t.Errorf("error %q does not say %q", err, c.say)
			}
			if d := time.Since(began); d > 10*time.Second {
				t.Errorf("took %s", d)
			}
			for _, dir := range []string{os.TempDir(), filepath.Join(cfg.Dir, "plugins")} {
				if left, _ := filepath.Glob(dir + "/*"); len(left) > 0 && (dir != os.TempDir() || strings.Contains(strings.Join(left, " "), "hookline-plugin-")) {
					t.Errorf("left behind: %q", left)
				}
			}
			if n := children(t); n != 0 {
				t.Errorf("%d child processes left", n)
			}
		})
	}
}

// children counts this process's children that are not zombies.
func children(t *testing.T) int {
	t.Helper()
	threads, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range threads {
		b, _ := os.ReadFile(f) // a thread may have ended
		n += len(strings.Fields(string(b)))
	}
	return n
}
