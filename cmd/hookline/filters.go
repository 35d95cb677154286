package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/cmd/hookline/filtertest"
	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/api/nearest"
	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/filters"
)

func filtersCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "filters", Short: "Check, test and explain filters before they are saved", Args: cobra.ArbitraryArgs, RunE: group,
		Long: `Check, test and explain filters: the expressions that say which events a subscription gets.
They work without a server, by the same code that routes; --tenant asks a server about a
tenant's own catalogue, events and subscriptions. The guide to the language is filters/README.md.`,
		Example: `  hookline filters check 'data.zone.name == "example.com"' --profile dnsimple --event-types zone.*
  hookline filters explain 'data.zone.name == "example.com"' --event event.json
  hookline filters explain --tenant acme --event-id evt_01
  hookline filters simulate 'data.zone.name == "example.com"' --tenant acme --last 5000
  hookline filters test filters/*.yaml`,
	}
	cmd.AddCommand(filtersCheckCommand(t), filtersExplainCommand(t), filtersSimulateCommand(t), filtersTestCommand(t), filtersLintCommand(t), filtersFmtCommand(t),
		filtersBenchCommand(t), filtersImportCommand(t))
	return cmd
}

// outputFlag is -o of the commands that do without a server.
func outputFlag(cmd *cobra.Command) { cmd.Flags().StringP("output", "o", "table", "`table|json`") }

func wantsJSON(cmd *cobra.Command) (bool, error) {
	switch o, _ := cmd.Flags().GetString("output"); o {
	case "json":
		return true, nil
	case "table":
		return false, nil
	default:
		return false, usagef("-o %q is neither table nor json", o)
	}
}

func (t *terminal) showJSON(v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	t.say("%s", raw)
	return nil
}

// subjectFlags are what a filter is checked against.
func subjectFlags(cmd *cobra.Command) {
	cmd.Flags().String("profile", "", "`NAME` of a built-in profile, or a file of one, whose catalogue to check against")
	cmd.Flags().StringSlice("event-types", nil, "`TYPES` of the subscription, comma separated; default all")
	cmd.Flags().StringP("event", "e", "", "`FILE` with an event as it would be published, a JSON object with type and data; - for standard input")
}

// profileOf finds a profile by name, or reads the file of one.
func profileOf(name string) (*profile.Profile, error) {
	var known []string
	for _, p := range profile.Builtin() {
		if p.Name == name {
			return p, nil
		}
		known = append(known, p.Name)
	}
	if raw, err := os.ReadFile(name); err == nil {
		return profile.Load(name, raw)
	}
	slices.Sort(known)
	hint := "known are " + strings.Join(known, ", ")
	if near := nearest.Of(name, known); near != "" {
		hint = "did you mean " + near + "?"
	}
	return nil, fmt.Errorf("there is no profile %q, nor a file of that name: %s", name, hint)
}

// flagged is what the subject flags say; each is nil where it was not given.
func flagged(cmd *cobra.Command, t *terminal) (p *profile.Profile, types []string, ev *filtertest.Event, err error) {
	if name, _ := cmd.Flags().GetString("profile"); name != "" {
		if p, err = profileOf(name); err != nil {
			return nil, nil, nil, err
		}
	}
	if cmd.Flags().Changed("event-types") {
		types, _ = cmd.Flags().GetStringSlice("event-types")
	}
	name, _ := cmd.Flags().GetString("event")
	ev, err = eventOf(t, name)
	return p, types, ev, err
}

// eventOf reads an event's file; nil where none is named.
func eventOf(t *terminal, name string) (*filtertest.Event, error) {
	if name == "" {
		return nil, nil
	}
	raw, err := readInput(t, name)
	if err != nil {
		return nil, err
	}
	return filtertest.ParseEvent(raw)
}

// filterText is the filter of the command line: the argument, or the file that -f names.
func filterText(cmd *cobra.Command, t *terminal, args []string) (string, error) {
	file, _ := cmd.Flags().GetString("file")
	switch {
	case file != "" && len(args) > 0:
		return "", usagef("-f stands beside a filter: give one of them")
	case file != "":
		raw, err := readInput(t, file)
		return strings.TrimRight(string(raw), "\n"), err
	case len(args) == 0:
		return "", usagef("%s needs a FILTER, or -f FILE", cmd.CommandPath())
	}
	return args[0], nil
}

func fileFlag(cmd *cobra.Command) {
	cmd.Flags().StringP("file", "f", "", "`FILE` that holds the filter; - for standard input")
}

func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return usagef("%s takes no argument %q: quote the whole filter", cmd.CommandPath(), args[n])
		}
		return nil
	}
}

func filtersCheckCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "check [FILTER]", Short: "Say whether a text is a filter, what is wrong with it and what it costs", Args: atMost(1),
		Long: `Say whether a text is a filter and what it costs at worst, with warnings about what is most
likely a mistake by the schemas of a catalogue. Exit 1 if it is none, or, with --strict, if
there are warnings.`,
		Example: `  hookline filters check 'data.zone.name == "example.com"' --profile dnsimple --event-types zone.*
  hookline filters check -f zones.filter --event event.json --strict`,
	}
	remoteFlags(cmd)
	subjectFlags(cmd)
	fileFlag(cmd)
	cmd.Flags().Bool("strict", false, "warnings are errors")
	cmd.Flags().String("tenant", "", "ask the server, by the catalogue of this `TENANT`'s profile")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		src, err := filterText(cmd, t, args)
		if err != nil {
			return err
		}
		inJSON, err := wantsJSON(cmd)
		if err != nil {
			return err
		}
		checked, err := checkFilter(cmd, t, src)
		if err != nil {
			return err
		}
		if inJSON {
			err = t.showJSON(checked)
		} else {
			t.checked(&checked)
		}
		if err == nil && !checked.Valid {
			return errSilent{exitError}
		}
		return err
	}
	return cmd
}

func checkFilter(cmd *cobra.Command, t *terminal, src string) (out engine.FilterChecked, err error) {
	p, types, ev, err := flagged(cmd, t)
	if err != nil {
		return out, err
	}
	strict, _ := cmd.Flags().GetBool("strict")
	tenant, _ := cmd.Flags().GetString("tenant")
	if tenant != "" {
		if p != nil {
			return out, usagef("--profile stands beside --tenant, which has one")
		}
		return out, askFilters(cmd, t, "check", filterRequest{Filter: &src, Tenant: tenant, EventTypes: types, Event: ev.Published(), Strict: strict}, &out)
	}
	var seen *filters.Event
	if ev != nil {
		if seen, err = ev.Seen(); err != nil {
			return out, err
		}
	}
	out, err = engine.CheckFilter(&engine.FilterInput{Filter: src, EventTypes: types, Strict: strict}, p, seen)
	return out, plain(err)
}

// plain is an engine's error as people read it on the command line.
func plain(err error) error {
	var e *engine.Error
	if errors.As(err, &e) {
		return errors.New(strings.Replace(e.Detail, "filters: ", "", 1)) // the room's name says nothing here
	}
	return err
}

// filterRequest is the body of /v1/filters:check and :explain.
type filterRequest struct {
	Filter     *string         `json:"filter,omitempty"`
	Tenant     string          `json:"tenant,omitempty"`
	EventTypes []string        `json:"event_types,omitempty"`
	Event      json.RawMessage `json:"event,omitempty"`
	EventID    string          `json:"event_id,omitempty"`
	EndpointID string          `json:"endpoint_id,omitempty"`
	Strict     bool            `json:"strict,omitempty"`
}

func askFilters(cmd *cobra.Command, t *terminal, verb string, in filterRequest, into any) error {
	r, err := connect(cmd, t)
	if err != nil {
		return err
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := r.call(cmd.Context(), http.MethodPost, "/v1/filters:"+verb, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}
