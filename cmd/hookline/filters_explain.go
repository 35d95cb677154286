package main

import (
	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine"
)

func filtersExplainCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "explain [FILTER]", Short: "Say what a filter, or each subscription of a tenant, makes of an event, and why", Args: atMost(1),
		Long: `Say whether an event matches, which clause decided and the values it saw. With a FILTER: of
that. Without, and with --tenant: of each of the tenant's present subscriptions. Exit 1 if the
filter is none.`,
		Example: `  hookline filters explain 'data.record.ttl < 60' --event event.json
  hookline filters explain --tenant acme --event-id evt_01 --endpoint ep_01
  hookline filters explain 'data.record.ttl < 60' --tenant acme --event-id evt_01`,
	}
	remoteFlags(cmd)
	fileFlag(cmd)
	cmd.Flags().StringP("event", "e", "", "`FILE` with an event as it would be published, a JSON object with type and data; - for standard input")
	cmd.Flags().String("tenant", "", "ask the server about this `TENANT`")
	cmd.Flags().String("event-id", "", "`ID` or uid of one of the tenant's events, instead of --event")
	cmd.Flags().String("endpoint", "", "`ENDPOINT` whose subscriptions to explain; default all")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		inJSON, err := wantsJSON(cmd)
		if err != nil {
			return err
		}
		x, err := explainFilter(cmd, t, args)
		if err != nil {
			return err
		}
		if inJSON {
			err = t.showJSON(x)
		} else {
			t.explanations(&x)
		}
		if err == nil && !x.Valid {
			return errSilent{exitError}
		}
		return err
	}
	return cmd
}

func explainFilter(cmd *cobra.Command, t *terminal, args []string) (x engine.FilterExplained, err error) {
	tenant, _ := cmd.Flags().GetString("tenant")
	id, _ := cmd.Flags().GetString("event-id")
	endpoint, _ := cmd.Flags().GetString("endpoint")
	file, _ := cmd.Flags().GetString("file")
	eventFile, _ := cmd.Flags().GetString("event")
	hasFilter := len(args) > 0 || file != ""
	switch {
	case tenant == "" && !hasFilter:
		return x, usagef("%s needs a FILTER, or --tenant for its subscriptions", cmd.CommandPath())
	case tenant == "" && (id != "" || endpoint != ""):
		return x, usagef("--event-id and --endpoint are a tenant's: give --tenant")
	case (id == "") == (eventFile == ""):
		return x, usagef("give the event: --event FILE, or with --tenant --event-id ID")
	case endpoint != "" && hasFilter:
		return x, usagef("--endpoint is for its own subscriptions: leave the filter out")
	}
	ev, err := eventOf(t, eventFile)
	if err != nil {
		return x, err
	}
	in := filterRequest{Tenant: tenant, Event: ev.Published(), EventID: id, EndpointID: endpoint}
	src := ""
	if hasFilter {
		if src, err = filterText(cmd, t, args); err != nil {
			return x, err
		}
		in.Filter = &src
	}
	if tenant != "" {
		return x, askFilters(cmd, t, "explain", in, &x)
	}
	seen, err := ev.Seen()
	if err != nil {
		return x, err
	}
	checked, err := engine.CheckFilter(&engine.FilterInput{Filter: src}, nil, seen)
	return engine.FilterExplained{Valid: checked.Valid, Errors: checked.Errors, Explanation: checked.Explanation,
		Subscriptions: []engine.SubscriptionExplained{}}, plain(err)
}

func (t *terminal) explanations(x *engine.FilterExplained) {
	for i := range x.Errors {
		t.say("error: %s", remarkText(&x.Errors[i]))
	}
	if x.Explanation != nil {
		t.explained(x.Explanation, "")
	}
	for i := range x.Subscriptions {
		s := &x.Subscriptions[i]
		t.say("%s -> %s", s.SubscriptionID, s.EndpointID)
		t.explained(&s.Explanation, "  ")
	}
	if x.Truncated {
		t.say("... there are more subscriptions: name an --endpoint")
	}
}
