package main

import "github.com/spf13/cobra"

func subscriptionsCommand(t *terminal) *cobra.Command {
	note := bodyFlag{"note", textField, "why, in a `SENTENCE`: kept with this version"}
	fields := []bodyFlag{
		{"event_types", listField, "`TYPES`, comma separated: names, prefixes like domain.*, or *"},
		{"filter", textField, "a boolean `EXPR` over the event"},
		{"mode", textField, "live, or shadow: evaluated and counted, and nothing delivered"},
		note,
	}
	ids := []string{"TENANT", "SUBSCRIPTION"}
	return objects("subscriptions", "Which events go to which endpoint", `  hookline subscriptions create acme --endpoint-id ep_1 --event-types domain.* --filter 'data.domain endsWith ".com"' --mode shadow
  hookline subscriptions promote acme sub_1
  hookline subscriptions versions acme sub_1
  hookline subscriptions rollback acme sub_1 --version 1234 --note 'lost orders'`,
		listCommand(t, "subscriptions", []string{"TENANT"}, tenantThing("subscriptions"),
			columns("ID id", "ENDPOINT endpoint_id", "TYPES event_types", "MODE mode", "FAILURES failures", "FILTER filter"), asOfFilter()...),
		callCommand{use: "get", short: "Show a subscription", args: ids, method: get, path: oneThing("subscriptions", ""), query: asOfFilter()}.command(t),
		callCommand{use: "create", short: "Create a subscription", args: []string{"TENANT"}, method: post, path: tenantThing("subscriptions"),
			fields: append([]bodyFlag{{"endpoint_id", textField, "`ID` of the endpoint"}}, fields...), query: strictFilter(), required: []string{"endpoint-id"}}.command(t),
		callCommand{use: "update", short: "Change a subscription", args: ids, method: patch, path: oneThing("subscriptions", ""), fields: fields, query: strictFilter(), patch: true}.command(t),
		callCommand{use: "delete", short: "Delete a subscription", args: ids, method: del, path: oneThing("subscriptions", ""), done: "deleted"}.command(t),
		versionsCommand(t, ids),
		callCommand{use: "rollback", short: "Make a new version with the event types, the filter and the mode of an old one", args: ids, method: post,
			path: oneThing("subscriptions", ":rollback"), fields: []bodyFlag{{"version", intField, "`SEQ` of the version whose content to take"}, note},
			required: []string{"version"}}.command(t),
		callCommand{use: "promote", short: "Let a subscription in shadow mode deliver", args: ids, method: post,
			path: oneThing("subscriptions", ":promote"), fields: []bodyFlag{note}}.command(t))
}

func versionsCommand(t *terminal, ids []string) *cobra.Command {
	cmd := listCommand(t, "versions", ids, oneThing("subscriptions", "/versions"),
		columns("VERSION version", "TIME time", "BY by", "MODE mode", "TYPES event_types", "FILTER filter", "RESTORES restores", "NOTE note"))
	cmd.Use, cmd.Aliases, cmd.Short = "versions"+places(ids), nil, "List what a subscription was, newest first"
	return cmd
}
