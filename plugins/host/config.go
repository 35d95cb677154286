package host

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
)

// Config says which plugin to run and how. Either Self or Command with Pin.
type Config struct {
	// Name is the transport's, and must be what the plugin calls itself.
	Name string

	// Self runs this very program with Args, e.g. "plugin", "https": /proc/self/exe as it is at Start, its hash is the pin.
	Self bool
	// Command is the plugin's file, Pin its SHA-256 in hex: no pin, no start.
	Command string
	Pin     string
	// Args are the arguments, without the program's name.
	Args []string

	// Settings go to the plugin's Configure at each start: one JSON object, or empty.
	Settings json.RawMessage

	// MaxInFlight bounds the attempts without a result, and again those waiting to be sent; zero: 4096, at most 65 536. The
	// plugin's own window may be smaller.
	MaxInFlight int

	// Dir is where a private copy of the plugin goes if sealed memory is not to be had, in Dir/plugins; empty: the
	// system's temporary folder.
	Dir string

	// Logger gets the plugin's standard error and output line by line, and what happens to the process; nil: discarded.
	Logger *slog.Logger

	// Patient makes Start return before the plugin runs. That it does not come up counts as a death, and it is tried again.
	Patient bool
	// Quarantine is how many deaths without a healthy minute between them end the restarts until Release; zero: they never
	// end.
	Quarantine int
	// Confine takes new privileges from the process and closes the file system to it, see confineThread; where the kernel
	// cannot, it runs all the same, and Health.Confined tells.
	Confine bool
	// Memory is how much the process may have, in bytes; zero: no limit.
	Memory int64

	// Grace is how long after its Timeout an attempt's result is still waited for; zero: 5 s.
	Grace time.Duration
	// StartTimeout bounds a start, from exec to the first window; zero: 20 s.
	StartTimeout time.Duration
	// HealthEvery is the time between two health calls, HangAfter the silence after which the plugin is killed; zero: 2 s and
	// 10 s. HangAfter must be at least three times HealthEvery.
	HealthEvery, HangAfter time.Duration

	logLines int // a second, of each stream; zero: 200
}

const (
	defaultInFlight = 4096
	maxInFlight     = 1 << 16

	maxDown      = 2 * time.Second        // how long an attempt waits for a restart
	firstBackoff = 100 * time.Millisecond // before the first restart
	lastBackoff  = 30 * time.Second
	healthyAfter = time.Minute // a run that long starts the backoff anew
	crashLoop    = 3           // deaths without a healthy minute between them that Health calls a crash loop
)

func (c *Config) setDefaults() {
	if c.MaxInFlight == 0 {
		c.MaxInFlight = defaultInFlight
	}
	if c.logLines == 0 {
		c.logLines = 200
	}
	if c.Dir == "" {
		c.Dir = os.TempDir()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Logger = c.Logger.With("transport", c.Name)
	for _, d := range []struct {
		v    *time.Duration
		zero time.Duration
	}{{&c.Grace, 5 * time.Second}, {&c.StartTimeout, 20 * time.Second}, {&c.HealthEvery, 2 * time.Second}, {&c.HangAfter, 10 * time.Second}} {
		if *d.v == 0 {
			*d.v = d.zero
		}
	}
}

func (c *Config) validate() error {
	switch {
	case c.Name == "":
		return errors.New("host: name is empty: name the transport, e.g. https")
	case c.Self == (c.Command != ""):
		return errors.New("host: set either self or command, not both")
	case c.Command != "" && c.Pin == "":
		return fmt.Errorf("host: plugin %s has no pin: give the SHA-256 of %s in hex", c.Name, c.Command)
	case c.MaxInFlight < 1 || c.MaxInFlight > maxInFlight:
		return fmt.Errorf("host: max in flight is %d, must be 1 to %d", c.MaxInFlight, maxInFlight)
	case len(c.Settings) > 0 && !json.Valid(c.Settings):
		return fmt.Errorf("host: settings of plugin %s are not JSON", c.Name)
	case c.Quarantine < 0 || c.Memory < 0:
		return errors.New("host: quarantine and memory must be 0 or more")
	case c.Grace < 0 || c.StartTimeout < 0 || c.HealthEvery < 0:
		return errors.New("host: grace, start timeout and health period must be above 0")
	case c.HangAfter < 3*c.HealthEvery:
		return fmt.Errorf("host: hang after is %s, must be at least three times the health period %s", c.HangAfter, c.HealthEvery)
	}
	if c.Pin != "" {
		c.Pin = strings.ToLower(c.Pin)
		if b, err := hex.DecodeString(c.Pin); err != nil || len(b) != 32 {
			return fmt.Errorf("host: pin %q of plugin %s is not a SHA-256: give 64 hex digits", c.Pin, c.Name)
		}
	}
	return nil
}
