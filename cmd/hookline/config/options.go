package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// option is one thing to be told.
type option struct {
	name   string // of the flag; - becomes _ elsewhere
	usage  string
	value  string // what help calls the value; "" = a switch
	def    string // shown and used when nobody says otherwise
	secret bool   // no flag
	set    func(c *Config, v string) error
	list   func(c *Config, v []string) error // instead of set: may be given several times
	tree   bool                              // the file may give a mapping, elsewhere it is one as text
}

func (o *option) key() string { return strings.ReplaceAll(o.name, "-", "_") }
func (o *option) env() string { return envPrefix + strings.ToUpper(o.key()) }

const envPrefix = "HOOKLINE_"

// apply sets the option from one source.
func (o *option) apply(c *Config, values []string, where string) error {
	var err error
	switch {
	case o.list != nil:
		err = o.list(c, values)
	case len(values) != 1:
		err = errors.New("takes one value")
	default:
		err = o.set(c, values[0])
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrConfig, where, err)
	}
	return nil
}

func options() []option {
	return []option{
		{name: "data", value: "DIR", usage: "data directory; made when absent", set: (*Config).setData},
		{name: "listen", value: "HOST:PORT", def: "127.0.0.1:8080", usage: "address of the API", set: (*Config).setListen},
		{name: "public-url", value: "URL", usage: "where the server is reached from outside, for links it hands out; default as the caller reached it", set: (*Config).setPublicURL},
		{name: "portal-frame", value: "ORIGIN", usage: "a page there may show the customer portal in a frame, e.g. https://app.example.com; same site only, for its cookie's sake (repeatable)", list: (*Config).setPortalFrames},
		{name: "allow-cidr", value: "CIDR", usage: "deliver to this network too, though it is not public (repeatable)", list: (*Config).setAllowCIDR},
		{name: "allow-http", usage: "deliver without TLS where the profile allows it", set: (*Config).setAllowHTTP},
		{name: "trust-ca", value: "FILE.pem", usage: "trust these authorities beside the system's", set: (*Config).setTrustCA},
		{name: "profiles", value: "DIR", usage: "profiles of your own beside the built-in ones, one *.yaml each; changes are taken up while it runs", set: (*Config).setProfiles},
		{name: "clock", value: "real|manual", def: "real", usage: "manual: time stands still until POST /v1/dev/clock:advance", set: (*Config).setClock},
		{name: "clock-start", value: "TIME", usage: "where the manual clock begins, RFC 3339", set: (*Config).setClockStart},
		{name: "admin-key", secret: true, set: (*Config).setAdminKey},
		{name: "master-key", secret: true, set: (*Config).setMasterKey},
		{name: "master-key-file", value: "FILE", usage: "the master key of everything sealed; default DIR/master.key, made when absent", set: (*Config).setMasterKeyFile},
		{name: "log-level", value: "LEVEL", def: "info", usage: "debug, info, warn or error", set: (*Config).setLogLevel},
		{name: "log-format", value: "json|text", def: "json", usage: "form of the process log", set: (*Config).setLogFormat},
		{name: "restart-rate", value: "N", def: "1000", usage: "overdue deliveries a second after a start, 1 to 1 000 000", set: (*Config).setRestartRate},
		{name: "max-in-flight", value: "N", def: "4096", usage: "attempts at the same time, 2 to 65 536", set: (*Config).setMaxInFlight},
		{name: "low-water", value: "SIZE", def: "256MiB", usage: "free disk space below which nothing new is accepted (507) until twice as much is free; a quarter of it is the reserve below which the process ends (exit 4)", set: (*Config).setLowWater},
		{name: "retention", value: "RULES", usage: "which bodies are removed, as YAML: {bodies: {age: 30d, size: 50GiB, by_tenant: {acme: {age: 7d}}, by_type: {domain.*: {age: 1d}}}}", tree: true, set: (*Config).setRetention},
		{name: "backup-dir", value: "DIR", usage: "where POST /v1/backups puts backups: better on another disk", set: (*Config).setBackupDir},
		{name: "backup-rate", value: "SIZE", def: "32MiB", usage: "bytes a second that a backup copies at most", set: (*Config).setBackupRate},
		{name: "backup-keep", value: "N", def: "0", usage: "how many backups stay, the newest; 0 = all", set: (*Config).setBackupKeep},
	}
}

// AddFlags registers the flags, and --config.
func AddFlags(fs *pflag.FlagSet) {
	for _, o := range options() {
		usage := o.usage + " [" + o.env() + "]"
		switch {
		case o.secret:
		case o.list != nil:
			fs.StringArray(o.name, nil, "`"+o.value+"`: "+usage)
		case o.value == "":
			fs.Bool(o.name, false, usage)
		default:
			fs.String(o.name, o.def, "`"+o.value+"`: "+usage)
		}
	}
	fs.String("config", "", "`FILE`: read options from a YAML file ["+envPrefix+"CONFIG]")
}
