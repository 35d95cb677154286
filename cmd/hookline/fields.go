package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// bodyFlag is a flag that fills a field of a request's body.
type bodyFlag struct {
	field string // of the body; the flag is the same with dashes
	kind  fieldKind
	usage string
}

type fieldKind int

const (
	textField fieldKind = iota
	listField           // comma separated, repeatable
	intField
	boolField
	mapField // NAME=VALUE, repeatable
	jsonField
)

func (f *bodyFlag) flag() string { return strings.ReplaceAll(f.field, "_", "-") }

func addBodyFlags(cmd *cobra.Command, fields []bodyFlag, patch bool) {
	fs := cmd.Flags()
	for _, f := range fields {
		switch f.kind {
		case listField:
			fs.StringSlice(f.flag(), nil, f.usage)
		case intField:
			fs.Int(f.flag(), 0, f.usage)
		case boolField:
			fs.Bool(f.flag(), false, f.usage)
		case mapField:
			fs.StringArray(f.flag(), nil, f.usage)
		default:
			fs.String(f.flag(), "", f.usage)
		}
	}
	if patch {
		fs.StringSlice("unset", nil, "set these `FIELDS` back to their default, e.g. timeout,schedule")
	}
}

// body makes the request's body of the flags that were given.
func body(cmd *cobra.Command, fields []bodyFlag) ([]byte, error) {
	out := map[string]any{}
	fs := cmd.Flags()
	for _, f := range fields {
		if !fs.Changed(f.flag()) {
			continue
		}
		switch f.kind {
		case textField:
			out[f.field], _ = fs.GetString(f.flag())
		case intField:
			out[f.field], _ = fs.GetInt(f.flag())
		case boolField:
			out[f.field], _ = fs.GetBool(f.flag())
		case listField:
			list, _ := fs.GetStringSlice(f.flag())
			out[f.field] = append([]string{}, list...)
		case mapField:
			members := map[string]string{}
			pairs, _ := fs.GetStringArray(f.flag())
			for _, pair := range pairs {
				name, value, ok := strings.Cut(pair, "=")
				if !ok || name == "" {
					return nil, usagef("--%s %.100q: want NAME=VALUE", f.flag(), pair)
				}
				members[name] = value
			}
			out[f.field] = members
		case jsonField:
			text, _ := fs.GetString(f.flag())
			if !json.Valid([]byte(text)) {
				return nil, usagef("--%s is not JSON: %.100s", f.flag(), text)
			}
			out[f.field] = json.RawMessage(text)
		}
	}
	if fs.Lookup("unset") != nil {
		unset, _ := fs.GetStringSlice("unset")
		for _, name := range unset {
			name = strings.ReplaceAll(name, "-", "_")
			if !slices.ContainsFunc(fields, func(f bodyFlag) bool { return f.field == name }) {
				return nil, usagef("--unset %s: there is no such field", name)
			}
			out[name] = nil
		}
		if len(out) == 0 {
			return nil, usagef("nothing to change: give at least one flag")
		}
	}
	return json.Marshal(out)
}

// callCommand is one that makes a single call and shows the answer.
type callCommand struct {
	use, short, example string
	args                []string
	method              string
	path                func(args []string) string
	fields              []bodyFlag // nil: no body
	query               []filterFlag
	required            []string // flags
	patch               bool
	done                string // what to say when the answer has no body
}

func (c callCommand) command(t *terminal) *cobra.Command {
	cmd := &cobra.Command{Use: c.use + places(c.args), Short: c.short, Example: c.example, Args: exactly(c.args...),
		Annotations: calls(c.method, c.path, c.args)}
	addBodyFlags(cmd, c.fields, c.patch)
	addFilterFlags(cmd, c.query)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, name := range c.required {
			if !cmd.Flags().Changed(name) {
				return usagef("--%s is missing", name)
			}
		}
		r, err := connect(cmd, t)
		if err != nil {
			return err
		}
		var content []byte
		if c.fields != nil {
			if content, err = body(cmd, c.fields); err != nil {
				return err
			}
		}
		answer, err := r.call(cmd.Context(), c.method, withQuery(c.path(args), chosen(cmd, c.query)), content)
		if err != nil {
			return err
		}
		if len(answer) == 0 {
			if r.output == "table" {
				t.say("%s", c.done)
			}
			return nil
		}
		return r.show(answer)
	}
	return cmd
}

// calls notes which call of the API a command makes, with its arguments in their places.
func calls(method string, path func(args []string) string, args []string) map[string]string {
	return map[string]string{callNote: method + " " + path(args)}
}

const callNote = "call"

// objects is a command with subcommands that talk to a server.
func objects(use, short, example string, sub ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Example: example, RunE: group,
		Long: short + ".\n\nTimes in tables are UTC, to the second; -o json has every answer as the API gives it."}
	remoteFlags(cmd)
	cmd.AddCommand(sub...)
	return cmd
}

// The paths of a tenant's things.
func tenantThing(thing string) func(args []string) string {
	return func(args []string) string { return pathf("v1", "tenants", args[0], thing) }
}

func oneThing(thing, suffix string) func(args []string) string {
	return func(args []string) string { return pathf("v1", "tenants", args[0], thing, args[1]) + suffix }
}

const (
	get   = http.MethodGet
	post  = http.MethodPost
	patch = http.MethodPatch
	del   = http.MethodDelete
)
