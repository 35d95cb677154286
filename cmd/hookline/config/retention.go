package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// BodyRule is a rule of retention: bodies of a tenant and an event type ("" = all) are removed once they are old, or once
// all bodies together take too much disk.
type BodyRule struct {
	Tenant, EventType string
	Age               time.Duration // 0 = not by age
	Size              int64         // bytes; 0 = not by size
}

// retentionText is the option as it is written.
type retentionText struct {
	Facts  yaml.Node   `yaml:"facts"`
	Bodies *bodiesText `yaml:"bodies"`
}

type bodiesText struct {
	boundsText `yaml:",inline"`
	ByTenant   map[string]boundsText `yaml:"by_tenant"`
	ByType     map[string]boundsText `yaml:"by_type"`
}

type boundsText struct {
	Age  string `yaml:"age"`
	Size string `yaml:"size"`
}

// Bounds of an age.
const (
	minAge = time.Minute
	maxAge = 100 * 365 * 24 * time.Hour
)

func (c *Config) setRetention(v string) error {
	var in retentionText
	dec := yaml.NewDecoder(strings.NewReader(v))
	dec.KnownFields(true)
	if err := dec.Decode(&in); err != nil {
		return fmt.Errorf("cannot be read: %w; want e.g. {bodies: {age: 30d}}", err)
	}
	switch {
	case !in.Facts.IsZero():
		return errors.New("facts: they stay whole in this version: leave facts out, only bodies are removed")
	case in.Bodies == nil:
		return errors.New("bodies is missing: want e.g. {bodies: {age: 30d}}")
	}
	c.Retention = nil
	if b := in.Bodies.boundsText; b != (boundsText{}) {
		if err := c.addRule("bodies", BodyRule{}, b); err != nil {
			return err
		}
	}
	for _, tenant := range slices.Sorted(maps.Keys(in.Bodies.ByTenant)) {
		if err := c.addRule("bodies.by_tenant."+tenant, BodyRule{Tenant: tenant}, in.Bodies.ByTenant[tenant]); err != nil {
			return err
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(in.Bodies.ByType)) {
		if err := c.addRule("bodies.by_type."+typ, BodyRule{EventType: typ}, in.Bodies.ByType[typ]); err != nil {
			return err
		}
	}
	if len(c.Retention) == 0 {
		return errors.New("bodies has no rule: want an age or a size, e.g. {bodies: {age: 30d}}")
	}
	return nil
}

func (c *Config) addRule(where string, rule BodyRule, b boundsText) error {
	part := rule.Tenant != "" || rule.EventType != ""
	if part && b.Size != "" {
		return fmt.Errorf("%s.size: a size is of all bodies together: leave it out, or give it under bodies", where)
	}
	if b.Age == "" && b.Size == "" {
		return fmt.Errorf("%s: want an age, e.g. 30d", where)
	}
	if star := strings.IndexByte(rule.EventType, '*'); star >= 0 && (star != len(rule.EventType)-1 || star > 0 && rule.EventType[star-1] != '.') {
		return fmt.Errorf("%s: want a name, a beginning like domain.*, or *", where)
	}
	if b.Age != "" {
		age, err := parseAge(b.Age)
		if err != nil || age < minAge || age > maxAge {
			return fmt.Errorf("%s.age: %q is no age: want e.g. 30d or 12h, 1m to 36500d", where, b.Age)
		}
		rule.Age = age
	}
	if b.Size != "" {
		n, ok := size(b.Size)
		if !ok || n < 1<<20 {
			return fmt.Errorf("%s.size: %q is no size: want a whole number and MiB, GiB or TiB, at least 1MiB", where, b.Size)
		}
		rule.Size = int64(n)
	}
	c.Retention = append(c.Retention, rule)
	return nil
}

// parseAge reads a Go duration, or a whole number of days.
func parseAge(v string) (time.Duration, error) {
	if number, ok := strings.CutSuffix(v, "d"); ok {
		n, err := strconv.ParseUint(number, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(v)
}
