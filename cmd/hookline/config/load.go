package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/hookline/hookline/engine/api/nearest"
)

// Load reads flags (registered by AddFlags and parsed), environment (as of os.Environ) and the file they name. Errors wrap
// ErrConfig.
func Load(fs *pflag.FlagSet, environ []string) (*Config, error) {
	env, err := environment(environ)
	if err != nil {
		return nil, err
	}
	file := map[string]setting{}
	if path := configPath(fs, env); path != "" {
		if file, err = readFile(path); err != nil {
			return nil, err
		}
	}
	c := &Config{}
	for _, o := range options() {
		var err error
		if values, ok := fromFlag(fs, &o); ok {
			err = o.apply(c, values, "--"+o.name)
		} else if v, ok := env[o.env()]; ok {
			err = o.apply(c, fromEnv(&o, v), o.env())
		} else if s, ok := file[o.key()]; ok {
			err = o.apply(c, s.values, s.where)
		} else if o.def != "" {
			err = o.apply(c, []string{o.def}, o.name)
		}
		if err != nil {
			return nil, err
		}
	}
	if c.Data == "" {
		return nil, fmt.Errorf("%w: --data is missing: give the directory that holds, or will hold, the log", ErrConfig)
	}
	if !c.ClockStart.IsZero() && !c.Manual {
		return nil, fmt.Errorf("%w: clock-start is for the manual clock: add --clock manual, or leave it out", ErrConfig)
	}
	return c, nil
}

func configPath(fs *pflag.FlagSet, env map[string]string) string {
	if f := fs.Lookup("config"); f != nil && f.Changed {
		return f.Value.String()
	}
	return env[envPrefix+"CONFIG"]
}

func fromFlag(fs *pflag.FlagSet, o *option) ([]string, bool) {
	f := fs.Lookup(o.name)
	if f == nil || !f.Changed {
		return nil, false
	}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice(), true
	}
	return []string{f.Value.String()}, true
}

func fromEnv(o *option, v string) []string {
	if o.list == nil {
		return []string{v}
	}
	return strings.FieldsFunc(v, func(r rune) bool { return r == ',' })
}

// environment picks our variables. One that nobody knows but that is close to a known one is a mistake; others may be
// somebody else's.
func environment(environ []string) (map[string]string, error) {
	known := []string{"CONFIG", "SERVER", "BIN"}
	for _, o := range options() {
		known = append(known, strings.TrimPrefix(o.env(), envPrefix))
	}
	env := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		rest, ours := strings.CutPrefix(name, envPrefix)
		if !ours {
			continue
		}
		if near := nearest.Of(rest, known); !slices.Contains(known, rest) && near != "" {
			return nil, fmt.Errorf("%w: unknown variable %s: did you mean %s?", ErrConfig, name, envPrefix+near)
		}
		env[name] = value
	}
	return env, nil
}

// setting is one key of the file.
type setting struct {
	values []string
	where  string
}

// readFile reads a flat mapping of keys to scalars, or to lists where the option takes several.
func readFile(path string) (map[string]setting, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: --config: %w", ErrConfig, err)
	}
	var doc yaml.Node
	in := yaml.NewDecoder(bytes.NewReader(text))
	if err := in.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: %s: %w", ErrConfig, path, err)
	}
	if err := in.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: %s: more than one YAML document: remove the `---` between them", ErrConfig, path)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%w: %s: want `key: value` lines, e.g. listen: 127.0.0.1:8080", ErrConfig, path)
	}
	out := map[string]setting{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		where := fmt.Sprintf("%s line %d: %s", path, key.Line, key.Value)
		o, err := find(key.Value)
		if err != nil {
			return nil, fmt.Errorf("%w: %s line %d: %w", ErrConfig, path, key.Line, err)
		}
		if _, twice := out[key.Value]; twice {
			return nil, fmt.Errorf("%w: %s: given twice: keep one", ErrConfig, where)
		}
		values, err := valuesOf(value, o)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrConfig, where, err)
		}
		out[key.Value] = setting{values, where}
	}
	return out, nil
}

func find(key string) (*option, error) {
	var keys []string
	for _, o := range options() {
		if o.key() == key {
			return &o, nil
		}
		keys = append(keys, o.key())
	}
	if near := nearest.Of(key, keys); near != "" {
		return nil, fmt.Errorf("unknown key %s: did you mean %s?", key, near)
	}
	return nil, fmt.Errorf("unknown key %s: known are %s", key, strings.Join(keys, ", "))
}

func valuesOf(n *yaml.Node, o *option) ([]string, error) {
	switch {
	case n.Kind == yaml.MappingNode && o.tree:
		text, err := yaml.Marshal(n)
		return []string{string(text)}, err
	case n.Kind == yaml.ScalarNode && n.Tag != "!!null":
		return []string{n.Value}, nil
	case n.Kind == yaml.SequenceNode && o.list != nil:
		var out []string
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
				return nil, fmt.Errorf("line %d: want a value, not a list or mapping", item.Line)
			}
			out = append(out, item.Value)
		}
		return out, nil
	case o.list != nil:
		return nil, fmt.Errorf("want a value or a list of values")
	}
	return nil, fmt.Errorf("want one value")
}
