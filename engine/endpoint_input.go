package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/filters"
)

// Bounds of an endpoint's fields.
const (
	MaxDescription = 1024
	maxTarget      = 2048
	MinSecret      = 8
	MaxSecret      = 256
	MaxConcurrency = 256
	MaxRateLimit   = 10_000
	MinTimeout     = time.Second
	MaxTimeout     = 60 * time.Second
)

// endpointChange is an EndpointInput once validated: what to put into the records. In a patch, nil means unchanged.
type endpointChange struct {
	private record.EndpointPrivate
	config  record.Endpoint
	secret  string
	types   []string
	filter  *string

	carrier string // the transport before the change; "" = it is created
	moved   bool   // to another transport
}

// apply puts the input's fields over what is there, validating each; those of its subscription apart.
func (c *endpointChange) apply(e *Engine, in *EndpointInput, p *profile.Profile) error {
	steps := []func(*Engine, *EndpointInput, *profile.Profile) error{c.transport, c.url, c.texts, c.headers, c.settings, c.numbers, c.schedule, c.secretField}
	for _, step := range steps {
		if err := step(e, in, p); err != nil {
			return err
		}
	}
	return nil
}

func (c *endpointChange) transport(e *Engine, in *EndpointInput, _ *profile.Profile) error {
	if in.Transport.Set {
		c.config.Transport = in.Transport.Value
	}
	if c.config.Transport == "" {
		c.config.Transport = "https"
	}
	if _, ok := e.cfg.Transports[c.config.Transport]; !ok {
		return Invalid("transport", "%q is not installed here: see GET /v1/transports", c.config.Transport)
	}
	if c.carrier != "" && c.carrier != c.config.Transport { // what was meant for another transport is not shown to this one
		c.private.Settings = nil
		c.moved = true
	}
	return nil
}

func (c *endpointChange) url(e *Engine, in *EndpointInput, p *profile.Profile) error {
	if in.URL.Set {
		c.private.URL = in.URL.Value
	}
	if c.private.URL == "" {
		return Invalid("url", "is needed, e.g. https://customer.example/webhooks")
	}
	if !in.URL.Set && !c.moved {
		return nil
	}
	if len(c.private.URL) > maxTarget || !utf8.ValidString(c.private.URL) || strings.ContainsFunc(c.private.URL, unicode.IsControl) {
		return Invalid("url", "must be at most %d bytes of UTF-8 without control characters", maxTarget)
	}
	if check := e.cfg.Transports[c.config.Transport].Check; check != nil {
		if err := check(c.private.URL, p.HTTPSOnly); err != nil {
			return Invalid("url", "%s", err)
		}
	}
	return nil
}

func (c *endpointChange) texts(_ *Engine, in *EndpointInput, _ *profile.Profile) error {
	if in.Description.Set {
		if len(in.Description.Value) > MaxDescription {
			return Invalid("description", "has %d bytes, at most %d are taken", len(in.Description.Value), MaxDescription)
		}
		c.private.Description = in.Description.Value
	}
	return nil
}

func (c *endpointChange) settings(e *Engine, in *EndpointInput, _ *profile.Profile) error {
	described := e.cfg.Transports[c.config.Transport].Settings
	if in.Settings.Set && in.Settings.Null {
		c.private.Settings = nil
	}
	if described != nil {
		merged, err := described.Merge(c.private.Settings, in.Settings.Value)
		var mistake *SettingsError
		if errors.As(err, &mistake) {
			return Invalid("/settings"+mistake.Pointer, "%s", mistake.Message)
		} else if err != nil {
			return err
		}
		c.private.Settings = merged
		return nil
	}
	if !in.Settings.Set || in.Settings.Null {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(in.Settings.Value, &fields); err != nil {
		return Invalid("settings", "must be a JSON object")
	}
	for name := range fields {
		return Invalid("settings."+name, "is unknown: the %s transport has no settings", c.config.Transport)
	}
	return nil
}

func (c *endpointChange) numbers(_ *Engine, in *EndpointInput, _ *profile.Profile) error {
	if v := in.Concurrency; v.Set {
		if !v.Null && (v.Value < 1 || v.Value > MaxConcurrency) {
			return Invalid("concurrency", "is %d, want 1 to %d attempts at a time, or null for the default", v.Value, MaxConcurrency)
		}
		c.config.Concurrency = uint16(v.Value) // null: 0
	}
	if v := in.RateLimit; v.Set {
		if !v.Null && (v.Value < 1 || v.Value > MaxRateLimit) {
			return Invalid("rate_limit", "is %d, want 1 to %d attempts a second, or null for no limit", v.Value, MaxRateLimit)
		}
		c.config.RateLimit = uint16(v.Value) // null: 0
	}
	if v := in.Timeout; v.Set {
		c.config.TimeoutMS = 0
		if !v.Null {
			d, err := time.ParseDuration(v.Value)
			if err != nil || d < MinTimeout || d > MaxTimeout || d%time.Millisecond != 0 {
				return Invalid("timeout", `is %q, want a duration from "1s" to "60s" in whole ms, or null for the profile's`, v.Value)
			}
			c.config.TimeoutMS = uint32(d.Milliseconds())
		}
	}
	return nil
}

func (c *endpointChange) schedule(_ *Engine, in *EndpointInput, _ *profile.Profile) error {
	v := in.Schedule
	if !v.Set {
		return nil
	}
	c.config.Schedule = nil
	if v.Null {
		return nil
	}
	s := schedule.Schedule{}
	for i, text := range v.Value {
		d, err := time.ParseDuration(text)
		if err != nil {
			return Invalid(fmt.Sprintf("schedule[%d]", i), `%q is no duration such as "5m" or "2h"`, text)
		}
		s.Waits = append(s.Waits, d)
	}
	if len(s.Waits) == 0 {
		return Invalid("schedule", "has no waits, want 1 to %d, or null for the profile's", schedule.MaxWaits)
	}
	if err := s.Validate(); err != nil {
		return scheduleError(err)
	}
	c.config.Schedule = &s
	return nil
}

// scheduleError names a wait as schedule[0], and the whole as schedule.
func scheduleError(err error) error {
	var e *schedule.Error
	if errors.As(err, &e) && strings.HasPrefix(e.Field, "waits") {
		return Invalid("schedule"+strings.TrimPrefix(e.Field, "waits"), "%s", e.Message)
	}
	return Invalid("schedule", "%s", err)
}

// subscription validates what goes to the endpoint's only subscription.
func (c *endpointChange) subscription(in *EndpointInput) error {
	if in.EventTypes.Set && !in.EventTypes.Null {
		types, err := parseTypes(in.EventTypes.Value)
		if err != nil {
			return err
		}
		c.types = types
	}
	if in.Filter.Set {
		if err := checkFilter(in.Filter.Value); err != nil {
			return err
		}
		c.filter = &in.Filter.Value // null: ""
	}
	return nil
}

func parseTypes(list []string) ([]string, error) {
	types, err := filters.ParseTypes(list)
	if err != nil {
		return nil, Invalid("event_types", "%s", err)
	}
	return types.Strings(), nil
}

// checkFilter refuses a filter that does not compile, with line, column and caret.
func checkFilter(src string) error {
	if src == "" {
		return nil
	}
	if _, err := filters.Compile(src); err != nil {
		return Invalid("filter", "%s", err)
	}
	return nil
}

func (c *endpointChange) secretField(_ *Engine, in *EndpointInput, p *profile.Profile) error {
	if !in.Secret.Set || in.Secret.Null {
		return nil
	}
	c.secret = in.Secret.Value
	return checkSecret(c.secret, p)
}

func checkSecret(s string, p *profile.Profile) error {
	if len(s) < MinSecret || len(s) > MaxSecret || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return Invalid("secret", "must be %d to %d bytes of UTF-8 without control characters; leave it out to have one made", MinSecret, MaxSecret)
	}
	if err := p.CheckSecret(s); err != nil {
		return invalidField("secret", err)
	}
	return nil
}
