// Package config reads what `hookline serve` is told, from flags, environment and a YAML file, strictly: an unknown key or
// a value out of bounds is an error that names the place, the bound and the fix, and for a mistyped key the nearest known
// one. A flag wins over the environment, the environment over the file, the file over the default.
//
// One table (options.go) lists the options: each is the flag --some-name, the variable HOOKLINE_SOME_NAME and the key
// some_name of the file. Keys that are secrets have no flag, since a flag can be read by others on the machine.
//
// Nothing here keeps state; all functions are safe for concurrent use.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hookline/hookline/eventlog/seal"
)

// ErrConfig: the configuration cannot be used.
var ErrConfig = errors.New("configuration")

// Config is what a server is told.
type Config struct {
	Data   string // the data directory
	Listen string // host:port of the API
	// PortalFrames are the origins whose pages may show the customer portal in a frame.
	PortalFrames []string
	PublicURL    string         // where the server is reached from outside; "" = as the caller did
	AllowCIDR    []netip.Prefix // targets that the address guard lets through besides public ones
	AllowHTTP    bool           // targets without TLS, where the profile allows it
	TrustCA      []byte         // PEM, beside the system's roots
	Profiles     string         // directory of the provider's own profiles; "" = only the built-in ones
	Manual       bool           // the manual clock
	ClockStart   time.Time      // of the manual clock; zero = the wall clock
	AdminKey     string         // "" = the one that is there, or a new one
	Master       *seal.Master   // nil = the data directory's own
	MasterFile   string         // that Master was read from; "" = it was not
	LogLevel     string         // debug, info, warn, error
	LogFormat    string         // json, text

	RestartRate int    // overdue deliveries a second after a start
	MaxInFlight int    // attempts at the same time
	LowWater    uint64 // bytes of free disk space

	Retention []BodyRule // which bodies are removed; nil = all stay

	BackupDir  string // where backups of the running log go; "" = there are none
	BackupRate int64  // bytes a second that one may copy
	BackupKeep int    // how many stay; 0 = all
}

// MinAdminKey is the least length of an admin key that is given, in characters.
const MinAdminKey = 32

func (c *Config) setData(v string) error {
	if v == "" {
		return errors.New("is empty: give the directory that holds, or will hold, the log")
	}
	c.Data = v
	return nil
}

func (c *Config) setPublicURL(v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%q is no address of a server: want e.g. https://hooks.example.com", v)
	}
	c.PublicURL = v
	return nil
}

func (c *Config) setPortalFrames(list []string) error {
	c.PortalFrames = nil
	for _, v := range list {
		v = strings.TrimSpace(v)
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Scheme+"://"+u.Host != v || strings.ContainsAny(u.Host, "*;,' \"") {
			return fmt.Errorf("%q is no origin: want scheme, host and port alone, e.g. https://app.example.com", v)
		}
		c.PortalFrames = append(c.PortalFrames, v)
	}
	return nil
}

func (c *Config) setListen(v string) error {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return fmt.Errorf("%q is no address: want HOST:PORT, e.g. 127.0.0.1:8080", v)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("port %q of %q is none: want 0 to 65535", port, v)
	} else if n == 0 && host == "" {
		return fmt.Errorf("%q names neither host nor port", v)
	}
	c.Listen = v
	return nil
}

func (c *Config) setAllowCIDR(list []string) error {
	c.AllowCIDR = nil
	for _, v := range list {
		p, err := netip.ParsePrefix(strings.TrimSpace(v))
		if err != nil {
			return fmt.Errorf("%q is no network: want an address and its prefix length, e.g. 10.0.0.0/8 or fd00::/8", v)
		}
		if p.Masked() != p {
			return fmt.Errorf("%q has bits beyond its prefix length: did you mean %s?", v, p.Masked())
		}
		c.AllowCIDR = append(c.AllowCIDR, p)
	}
	return nil
}

func (c *Config) setAllowHTTP(v string) (err error) {
	c.AllowHTTP, err = flag(v)
	return err
}

func flag(v string) (bool, error) {
	switch v {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", v)
}

func (c *Config) setTrustCA(path string) error {
	pem, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if !strings.Contains(string(pem), "-----BEGIN CERTIFICATE-----") {
		return fmt.Errorf("%s holds no certificate: want PEM", path)
	}
	c.TrustCA = pem
	return nil
}

func (c *Config) setProfiles(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no directory: want the one that holds the profiles, one *.yaml each", path)
	}
	c.Profiles = path
	return nil
}

func (c *Config) setClock(v string) error {
	return choice(v, "real", "manual", func() { c.Manual = v == "manual" })
}

func choice(v, a, b string, set func()) error {
	if v != a && v != b {
		return fmt.Errorf("%q is neither %s nor %s", v, a, b)
	}
	set()
	return nil
}

func (c *Config) setClockStart(v string) (err error) {
	if c.ClockStart, err = time.Parse(time.RFC3339Nano, v); err != nil {
		return fmt.Errorf("%q is no RFC 3339 time, e.g. 2026-01-31T08:00:00Z", v)
	}
	if y := c.ClockStart.UTC().Year(); y < 1970 || y > 9999 {
		return fmt.Errorf("%q is out of bounds: want 1970 to 9999", v)
	}
	return nil
}

func (c *Config) setAdminKey(v string) error {
	if n := len([]rune(v)); n < MinAdminKey {
		return fmt.Errorf("has %d characters: want at least %d, hard to guess, or leave it out to have one made", n, MinAdminKey)
	}
	if strings.TrimSpace(v) != v || strings.ContainsFunc(v, unicode.IsControl) {
		return errors.New("begins or ends with a blank, or holds a control character, which an Authorization header cannot carry")
	}
	c.AdminKey = v
	return nil
}

func (c *Config) setMasterKey(v string) error {
	m, err := seal.ParseMaster(v)
	if err != nil {
		return err
	}
	c.Master = &m
	return nil
}

func (c *Config) setMasterKeyFile(path string) error {
	m, err := seal.LoadMaster(path)
	if err != nil {
		return err
	}
	c.Master, c.MasterFile = &m, path
	return nil
}

func (c *Config) setLogLevel(v string) error {
	switch v {
	case "debug", "info", "warn", "error":
		c.LogLevel = v
		return nil
	}
	return fmt.Errorf("%q is none of debug, info, warn, error", v)
}

func (c *Config) setLogFormat(v string) error {
	return choice(v, "json", "text", func() { c.LogFormat = v })
}

func (c *Config) setRestartRate(v string) error { return number(v, 1, 1_000_000, &c.RestartRate) }
func (c *Config) setMaxInFlight(v string) error { return number(v, 2, 65_536, &c.MaxInFlight) }

func number(v string, low, high int, into *int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		return fmt.Errorf("%q is no whole number from %d to %d", v, low, high)
	}
	*into = n
	return nil
}

func (c *Config) setBackupDir(v string) error {
	if v == "" {
		return errors.New("is empty: give the directory that holds, or will hold, the backups")
	}
	c.BackupDir = v
	return nil
}

// setBackupRate reads a whole number and MiB, at least 1MiB.
func (c *Config) setBackupRate(v string) error {
	number, ok := strings.CutSuffix(v, "MiB")
	n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 20)
	if !ok || err != nil || n == 0 {
		return fmt.Errorf("%q is no rate: want a whole number of MiB a second, at least 1MiB, e.g. 32MiB", v)
	}
	c.BackupRate = int64(n) << 20
	return nil
}

func (c *Config) setBackupKeep(v string) error { return number(v, 0, 10_000, &c.BackupKeep) }

// setLowWater reads a size of at least 64 MiB.
func (c *Config) setLowWater(v string) error {
	n, ok := size(v)
	if !ok || n < 64<<20 {
		return fmt.Errorf("%q is no size: want a whole number and MiB, GiB or TiB, at least 64MiB, e.g. 512MiB", v)
	}
	c.LowWater = n
	return nil
}

// size reads a whole number and MiB, GiB or TiB.
func size(v string) (uint64, bool) {
	for unit, bytes := range map[string]uint64{"MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40} {
		number, ok := strings.CutSuffix(v, unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 20)
		return n * bytes, err == nil
	}
	return 0, false
}
