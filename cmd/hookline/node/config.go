// Package node assembles one hookline server: the log on Pebble, the keyring, the views, the engine, the HTTPS transport
// in its own process, and the HTTP face. It knows who implements what; the rooms it puts together do not.
//
// A Node is started once and stopped once, from any goroutine. It closes everything it opened, in the reverse order.
package node

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/hookline/hookline/eventlog/seal"
)

// Config is how a server runs. Flags, environment and file are read into it elsewhere.
type Config struct {
	Data      string // data directory, made when absent
	Listen    string // host:port; port 0 picks one
	AllowCIDR []netip.Prefix
	AllowHTTP bool
	TrustCA   string // PEM file, "" = the system's roots only

	ManualClock bool
	ClockStart  time.Time // zero = the wall clock

	AdminKey      string // "" = the one made at the first start
	MasterKey     string // text of the master key; "" = MasterKeyFile, else Data/master.key
	MasterKeyFile string

	RestartRate int
	MaxInFlight int
	LowWater    uint64 // bytes; 0 = the default

	Version string
	Logger  *slog.Logger
	Out     io.Writer // gets the admin key of a first start; nil = nobody
}

// MinAdminKey is the shortest admin key that may be given.
const MinAdminKey = 32

// Names in the data directory.
const (
	logDir      = "log"
	viewsDir    = "views"
	keyringFile = "keyring"
	masterFile  = "master.key"
	adminFile   = "admin.key"
	manualMark  = "manual-clock"
	snapshotDir = "snapshots"
	pluginsDir  = "plugins"
)

// Derived are the paths in a data directory that may be deleted: they are made anew from the log.
func Derived(data string) []string {
	return []string{filepath.Join(data, viewsDir), filepath.Join(data, snapshotDir), filepath.Join(data, pluginsDir)}
}

// LogDir and ViewsDir are where the offline tools look.
func LogDir(data string) string   { return filepath.Join(data, logDir) }
func ViewsDir(data string) string { return filepath.Join(data, viewsDir) }

// ErrUsage is wrapped by errors of the configuration, as opposed to errors of the machine.
var ErrUsage = errors.New("usage")

func (c *Config) validate() error {
	switch {
	case c.Data == "":
		return fmt.Errorf("%w: --data is needed: the directory for log, keys and views", ErrUsage)
	case c.Listen == "":
		return fmt.Errorf("%w: --listen is needed, e.g. 127.0.0.1:8080", ErrUsage)
	case c.AdminKey != "" && len(c.AdminKey) < MinAdminKey:
		return fmt.Errorf("%w: the admin key has %d characters, at least %d are needed; leave it out to have one made", ErrUsage, len(c.AdminKey), MinAdminKey)
	case !c.ManualClock && !c.ClockStart.IsZero():
		return fmt.Errorf("%w: a clock start needs --clock manual", ErrUsage)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Out == nil {
		c.Out = io.Discard
	}
	return nil
}

// master finds the master key: given as text, in a file, or made at the first start.
func (c *Config) master() (seal.Master, error) {
	if c.MasterKey != "" {
		return seal.ParseMaster(c.MasterKey)
	}
	if c.MasterKeyFile != "" {
		return seal.LoadMaster(c.MasterKeyFile)
	}
	path := filepath.Join(c.Data, masterFile)
	if _, err := os.Stat(path); err == nil {
		return seal.LoadMaster(path)
	}
	if _, err := os.Stat(filepath.Join(c.Data, keyringFile)); err == nil {
		return seal.Master{}, fmt.Errorf("the keyring %s needs the master key it was made with: restore %s, or give it by --master-key-file or HOOKLINE_MASTER_KEY",
			filepath.Join(c.Data, keyringFile), path)
	}
	c.Logger.Warn("a master key was made; keep a copy of it elsewhere: without it nothing sealed can be read again", "file", path)
	return seal.GenerateMaster(path)
}

// checkClock refuses a directory made under the other clock, and marks a new one (API.md: "Manual clock").
func (c *Config) checkClock(fresh bool) error {
	path := filepath.Join(c.Data, manualMark)
	_, err := os.Stat(path)
	marked := err == nil
	switch {
	case marked && !c.ManualClock:
		return fmt.Errorf("%w: %s was made under a manual clock: start with --clock manual, or use another directory", ErrUsage, c.Data)
	case !marked && c.ManualClock && !fresh:
		return fmt.Errorf("%w: %s was made under the real clock: start without --clock manual, or use another directory", ErrUsage, c.Data)
	case !marked && c.ManualClock:
		return os.WriteFile(path, []byte("this directory's times are from a manual clock\n"), 0o600)
	}
	return nil
}
