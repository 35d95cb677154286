package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/seal"
	"github.com/hookline/hookline/transports"
)

// Transport is what the engine needs of one.
type Transport struct {
	// Submitter makes the attempts.
	Submitter transports.Submitter
	// Alone makes the attempts of deliveries that a fault of ours interrupted three times or more, away from all
	// others; nil = Submitter.
	Alone transports.Submitter
	// Check judges a target when an endpoint is created or changed; the error is shown to the customer.
	Check func(target string, httpsOnly bool) error
	// Health reports on it; Checksum names the plugin's build. Build, when set, is asked instead: a build that changes
	// while the engine runs is told by Rebuilt.
	Health   func() TransportStatus
	Checksum uint32
	Build    func() uint32
	// Settings says what an endpoint may set; nil = nothing.
	Settings TransportSettings
	// Restart starts a plugin again that was given up; nil = that never happens.
	Restart func() error
}

// TransportSettings are an endpoint's own for a transport, described by the transport. It is safe for concurrent use.
type TransportSettings interface {
	// Merge applies a merge patch to settings and checks the result; the error is a *SettingsError. A secret that is
	// masked in the change stays as it was.
	Merge(old, change []byte) (json.RawMessage, error)
	// Mask hides every secret.
	Mask(settings []byte) json.RawMessage
}

// SettingsError says where an endpoint's settings don't fit.
type SettingsError struct {
	Pointer string // RFC 6901, within the settings; "" = the whole
	Message string
}

func (e *SettingsError) Error() string { return e.Pointer + " " + e.Message }

func (t *Transport) build() uint32 {
	if t.Build != nil {
		return t.Build()
	}
	return t.Checksum
}

// Config is everything an Engine stands on. Whoever fills it closes Log, Keyring and the store of the Views after
// the Engine.
type Config struct {
	Log     eventlog.Log
	Keyring *seal.Keyring
	Views
	Dir        string // for snapshots and checkpoints; "" = none are kept
	Owner      string // kept in the epoch record
	Profiles   []*profile.Profile
	Transports map[string]Transport // by name; "https" is the default one
	AdminKey   string               // "" = keep the one in the log
	Logger     *slog.Logger
	// LowSpace says that the disk is below low water: nothing new is accepted, no attempt starts. nil = never.
	LowSpace func() bool
	// Held starts the engine without sending anything until Release; Released makes a release durable.
	Held     bool
	Released func() error
	// RotateMaster seals the keyring under another master key; nil = it cannot be done from here.
	RotateMaster func() error
	// Backups makes backups of the log; nil = there is no place for them.
	Backups Backups

	ManualClock bool
	ClockStart  time.Time // of the manual clock; zero = the wall clock

	RestartRate int                               // overdue deliveries a second after a start; 0 = 1 000
	MaxInFlight int                               // attempts; 0 = 4 096
	ownWait     func(time.Duration) time.Duration // shortens waits of our own in tests; nil = as they are

	// Retention says which bodies are removed; none = all stay. The Log must be an eventlog.SectionRemover.
	Retention []BodyRule

	Quota int // endpoints a tenant, 1 to 100 000; 0 = 1 000
}

// MaxQuota is the largest Config.Quota.
const MaxQuota = 100_000

func (c *Config) setDefaults() {
	if c.RestartRate == 0 {
		c.RestartRate = 1000
	}
	if c.MaxInFlight == 0 {
		c.MaxInFlight = 4096
	}
	if c.ownWait == nil {
		c.ownWait = func(d time.Duration) time.Duration { return d }
	}
	if c.Quota == 0 {
		c.Quota = 1000
	}
	if c.LowSpace == nil {
		c.LowSpace = func() bool { return false }
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

func (c *Config) validate() error {
	switch {
	case c.Log == nil || c.Keyring == nil || c.History == nil || c.Follower == nil || c.Keys == nil || c.KeysFollower == nil:
		return errors.New("engine: Config needs Log, Keyring and Views, see NewViews")
	case len(c.Profiles) == 0:
		return errors.New("engine: Config.Profiles is empty: a tenant needs a profile")
	case c.Transports["https"].Submitter == nil:
		return errors.New(`engine: Config.Transports has no "https"`)
	case c.RestartRate < 1 || c.RestartRate > 1_000_000:
		return fmt.Errorf("engine: Config.RestartRate is %d, want 1 to 1 000 000 deliveries a second", c.RestartRate)
	case c.MaxInFlight < 2 || c.MaxInFlight > 1<<20:
		return fmt.Errorf("engine: Config.MaxInFlight is %d, want 2 to 1 048 576 attempts", c.MaxInFlight)
	case CheckRetention(c.Retention) != nil:
		return CheckRetention(c.Retention)
	case c.Quota < 1 || c.Quota > MaxQuota:
		return fmt.Errorf("engine: Config.Quota is %d, want 1 to 100 000 endpoints a tenant", c.Quota)
	}
	return nil
}
