package https

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/hookline/hookline/transports"
)

// Options configures a Transport. The zero value is the safe default. Its JSON form is the transport's settings when it
// runs as a plugin.
type Options struct {
	// AllowCIDR opens address ranges that the guard refuses otherwise, e.g. 127.0.0.0/8 (DESIGN section 11).
	AllowCIDR []netip.Prefix `json:"allow_cidr,omitempty"`
	// AllowHTTP also takes http: targets. A profile that is https only is enforced by CheckTarget.
	AllowHTTP bool `json:"allow_http,omitempty"`
	// TrustPEM holds CA certificates trusted beside the system's, PEM.
	TrustPEM []byte `json:"trust_pem,omitempty"`

	// MaxIdle and MaxIdlePerHost cap the idle connections (about 13 KiB each); zero: 4096 and 256. The longest idle one goes.
	MaxIdle        int `json:"max_idle,omitempty"`
	MaxIdlePerHost int `json:"max_idle_per_host,omitempty"`
	// IdleTimeout is how long a connection idles when the server announces nothing; zero: 4 s. In JSON nanoseconds.
	IdleTimeout time.Duration `json:"idle_timeout_ns,omitempty"`
	// MaxAnnouncedIdle bounds an announced keep-alive timeout; zero: 30 s. In JSON nanoseconds.
	MaxAnnouncedIdle time.Duration `json:"max_announced_idle_ns,omitempty"`

	// Resolver looks names up; nil: the system's.
	Resolver Resolver `json:"-"`
}

// Resolver turns a host name into addresses; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const (
	defaultMaxIdle          = 4096
	defaultMaxIdlePerHost   = 256
	defaultIdleTimeout      = 4 * time.Second
	defaultMaxAnnouncedIdle = 30 * time.Second

	sessionCacheSize = 2048 // TLS sessions kept for resumption, a few KiB each
	targetCacheSize  = 8192 // parsed targets kept
)

func (o *Options) setDefaults() {
	if o.MaxIdle == 0 {
		o.MaxIdle = defaultMaxIdle
	}
	if o.MaxIdlePerHost == 0 {
		o.MaxIdlePerHost = min(defaultMaxIdlePerHost, max(o.MaxIdle, 0))
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	if o.MaxAnnouncedIdle == 0 {
		o.MaxAnnouncedIdle = max(defaultMaxAnnouncedIdle, o.IdleTimeout)
	}
}

func (o *Options) validate() error {
	switch {
	case o.MaxIdle < 0 || o.MaxIdlePerHost < 0:
		return errors.New("https: max_idle and max_idle_per_host must be 0 or more")
	case o.MaxIdlePerHost > o.MaxIdle:
		return fmt.Errorf("https: max_idle_per_host is %d, above max_idle %d: lower it", o.MaxIdlePerHost, o.MaxIdle)
	case o.IdleTimeout < 0 || o.MaxAnnouncedIdle < 0:
		return errors.New("https: idle_timeout and max_announced_idle must be 0 or more")
	}
	for _, p := range o.AllowCIDR {
		if !p.IsValid() {
			return errors.New("https: allow_cidr holds an invalid range: write address/bits, e.g. 127.0.0.0/8")
		}
	}
	return nil
}

// ParseOptions reads the JSON form of Options strictly: an unknown field is an error. Empty input is the default.
func ParseOptions(settings json.RawMessage) (Options, error) {
	var o Options
	if len(bytes.TrimSpace(settings)) == 0 {
		return o, nil
	}
	d := json.NewDecoder(bytes.NewReader(settings))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return o, fmt.Errorf("https: settings: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return o, errors.New("https: settings: more than one JSON value")
	}
	return o, nil
}

// FromSettings makes the transport from its JSON settings; it has the shape of sdk.Plugin's New.
func FromSettings(settings json.RawMessage) (transports.Transport, error) {
	o, err := ParseOptions(settings)
	if err != nil {
		return nil, err
	}
	return New(o)
}

// Schema is the JSON Schema of the settings.
func Schema() json.RawMessage {
	return json.RawMessage(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "allow_cidr": {"type": "array", "items": {"type": "string"}, "description": "address ranges opened although they are special-purpose, e.g. 127.0.0.0/8"},
    "allow_http": {"type": "boolean", "description": "take http: targets too"},
    "trust_pem": {"type": "string", "contentEncoding": "base64", "description": "CA certificates trusted beside the system's, PEM"},
    "max_idle": {"type": "integer", "minimum": 0, "description": "idle connections in all; 0: 4096"},
    "max_idle_per_host": {"type": "integer", "minimum": 0, "description": "idle connections a host; 0: 256"},
    "idle_timeout_ns": {"type": "integer", "minimum": 0, "description": "how long a connection idles where the server announces nothing; 0: 4 s"},
    "max_announced_idle_ns": {"type": "integer", "minimum": 0, "description": "upper bound of an announced keep-alive timeout; 0: 30 s"}
  }
}`)
}
