package main

import "github.com/spf13/cobra"

func tenantsCommand(t *terminal) *cobra.Command {
	fields := []bodyFlag{
		{"profile", textField, "`NAME` of a profile, e.g. osir or dnsimple; standard when left out"},
		{"name", textField, "for people"},
		{"attributes", jsonField, "`JSON` object; dnsimple needs id, identifier, display"},
		{"management_events", boolField, "publish what is done to its endpoints as events of its own"},
	}
	all := func([]string) string { return pathf("v1", "tenants") }
	one := func(args []string) string { return pathf("v1", "tenants", args[0]) }
	return objects("tenants", "Customers of the provider", `  hookline tenants create --id acme --profile osir --name "Acme Ltd"
  hookline tenants create --id 1010 --profile dnsimple --name Example \
    --attributes '{"id":1010,"identifier":"owner@example.com","display":"Example"}'
  hookline tenants list -o json`,
		listCommand(t, "tenants", nil, all, columns("ID id", "PROFILE profile", "NAME name", "CREATED created_at"), asOfFilter()...),
		callCommand{use: "get", short: "Show a tenant", args: []string{"TENANT"}, method: get, path: one, query: asOfFilter()}.command(t),
		callCommand{use: "create", short: "Create a tenant", method: post, path: all,
			fields: append([]bodyFlag{{"id", textField, "`ID` of 1 to 64 letters, digits, _ and -; made when left out"}}, fields...)}.command(t),
		callCommand{use: "update", short: "Change a tenant", args: []string{"TENANT"}, method: patch, path: one, fields: fields, patch: true}.command(t),
		callCommand{use: "delete", short: "Delete a tenant: its pending deliveries are canceled, the id is never free again", args: []string{"TENANT"},
			method: del, path: one, done: "deleted"}.command(t),
		eraseCommand(t))
}

func eraseCommand(t *terminal) *cobra.Command {
	cmd := callCommand{use: "erase", short: "Erase all that was written of a tenant, for ever", args: []string{"TENANT"}, method: post,
		path:   func(args []string) string { return pathf("v1", "tenants", args[0]) + ":erase" },
		fields: []bodyFlag{{"confirm", textField, "the `TENANT` once more: nothing brings back what is erased"}}, required: []string{"confirm"}}.command(t)
	cmd.Long = `Destroy the keys of everything that was written of a tenant: bodies, requests, responses,
URLs, secrets, names, filters. Nobody can read it any more, in the log or in a backup.
Pending deliveries are canceled and the tenant is deleted. Its records stay with their
facts (ids, types, times, outcomes), read "erased", and the log still verifies.

This cannot be undone: --confirm asks for the tenant's id once more.`
	cmd.Example = "  hookline tenants erase acme --confirm acme"
	return cmd
}

func endpointsCommand(t *terminal) *cobra.Command {
	fields := []bodyFlag{
		{"url", textField, "where to deliver"},
		{"event_types", listField, "`TYPES`, comma separated: names, prefixes like domain.*, or *"},
		{"filter", textField, "a boolean `EXPR` over the event, e.g. 'data.zone.name == \"example.com\"'"},
		{"description", textField, "for people"},
		{"headers", mapField, "further request header `NAME=VALUE`, repeatable"},
		{"secret", textField, "signing secret, 8 to 256 bytes; made when left out"},
		{"transport", textField, "`NAME` of a transport, default https"},
		{"settings", jsonField, "`JSON` for the transport"},
		{"concurrency", intField, "attempts at the same time, 1 to 256"},
		{"rate_limit", intField, "attempts a second, 1 to 10000; default no limit"},
		{"timeout", textField, "of one attempt, 1s to 60s"},
		{"schedule", listField, "`WAITS` between attempts, e.g. 5m,30m,2h"},
	}
	ids := []string{"TENANT", "ENDPOINT"}
	verb := func(name, short string, extra ...bodyFlag) *cobra.Command {
		return callCommand{use: name, short: short, args: ids, method: post, path: oneThing("endpoints", ":"+name), fields: extra}.command(t)
	}
	test := callCommand{use: "test", short: "Send a test event and show request and response", args: ids, method: post, path: oneThing("endpoints", ":test"),
		fields: []bodyFlag{{"event_type", textField, "a `TYPE` of the catalogue"}, {"data", jsonField, "`JSON` object to send instead of the catalogue's example"}}, required: []string{"event-type"}}
	return objects("endpoints", "Customers' addresses", `  hookline endpoints create acme --url https://example.com/hooks --event-types domain.registered,invoice.*
  hookline endpoints update acme ep_1 --timeout 10s --unset schedule
  hookline endpoints test acme ep_1 --event-type invoice.paid
  hookline endpoints enable acme ep_1`,
		listCommand(t, "endpoints", []string{"TENANT"}, tenantThing("endpoints"),
			columns("ID id", "STATUS status", "REASON disabled_reason", "FAILURES consecutive_failures", "TYPES event_types", "URL url", "DESCRIPTION description"), asOfFilter()...),
		callCommand{use: "get", short: "Show an endpoint", args: ids, method: get, path: oneThing("endpoints", ""), query: asOfFilter()}.command(t),
		callCommand{use: "create", short: "Create an endpoint and its first subscription", args: []string{"TENANT"}, method: post,
			path: tenantThing("endpoints"), fields: fields, query: strictFilter(), required: []string{"url"}}.command(t),
		callCommand{use: "update", short: "Change an endpoint", args: ids, method: patch, path: oneThing("endpoints", ""), fields: fields, query: strictFilter(), patch: true}.command(t),
		callCommand{use: "delete", short: "Delete an endpoint: its pending deliveries are canceled", args: ids, method: del,
			path: oneThing("endpoints", ""), done: "deleted"}.command(t),
		callCommand{use: "secret", short: "Show the signing secret", args: ids, method: get, path: oneThing("endpoints", "/secret")}.command(t),
		verb("enable", "Open both gates: neither disabled nor suppressed"),
		verb("disable", "Send nothing until it is enabled"),
		verb("clear-suppression", "Clear the suppression only"),
		verb("rotate-secret", "Switch to another signing secret", bodyFlag{"secret", textField, "8 to 256 bytes; made when left out"},
			bodyFlag{"overlap", textField, "how `LONG` the one before signs too, 0s to 720h, where the profile's signature carries two"}),
		test.command(t), recoverCommand(t),
		callCommand{use: "stats", short: "Show attempts by outcome, latency and backlog", args: ids, method: get, path: oneThing("endpoints", "/stats"),
			query: statsFilters()}.command(t))
}

func eventsCommand(t *terminal) *cobra.Command {
	ids := []string{"TENANT", "EVENT"}
	return objects("events", "What happened at the provider", `  hookline events list acme --type domain.registered --from 2026-01-31T00:00:00Z
  hookline events get acme evt_1
  hookline events deliver acme evt_1 --endpoint-id ep_1`,
		listCommand(t, "events", []string{"TENANT"}, tenantThing("events"),
			columns("UID uid", "ID id", "TYPE type", "OCCURRED occurred_at", "SEQ seq"),
			append(append(timeFilters(), asOfFilter()...), filterFlag{"type", "type", "exactly this `TYPE`"},
				filterFlag{"id", "id", "with this `ID` or uid"},
				filterFlag{"endpoint-id", "endpoint_id", "with a delivery to this endpoint `ID`"},
				filterFlag{"status", "status", "with a delivery that is pending, succeeded, exhausted, skipped or canceled"},
				filterFlag{"matched", "matched", "false = those that matched no endpoint when they were published"},
				filterFlag{"metadata", "metadata", "with this `TEXT` in their metadata"})...),
		callCommand{use: "get", short: "Show an event with its body, by uid or id", args: ids, method: get, path: oneThing("events", ""), query: asOfFilter()}.command(t),
		callCommand{use: "deliver", short: "Deliver an event to an endpoint, whether it matched then or not", args: ids, method: post,
			path: oneThing("events", ":deliver"), fields: []bodyFlag{{"endpoint_id", textField, "`ID` of the endpoint"}}, required: []string{"endpoint-id"}}.command(t))
}

func deliveriesCommand(t *terminal) *cobra.Command {
	ids := []string{"TENANT", "DELIVERY"}
	verb := func(name, short string) *cobra.Command {
		return callCommand{use: name, short: short, args: ids, method: post, path: oneThing("deliveries", ":"+name)}.command(t)
	}
	filters := append(append(timeFilters(), asOfFilter()...),
		filterFlag{"endpoint-id", "endpoint_id", "to this endpoint `ID`"},
		filterFlag{"event-id", "event_id", "of this event, by `ID` or uid"},
		filterFlag{"event-type", "event_type", "of events of exactly this `TYPE`"},
		filterFlag{"status", "status", "pending, succeeded, exhausted, skipped or canceled"},
		filterFlag{"metadata", "metadata", "of events with this `TEXT` in their metadata"})
	return objects("deliveries", "The duty to bring one event to one endpoint", `  hookline deliveries list acme --status exhausted
  hookline deliveries get acme dlv_1
  hookline deliveries resend acme dlv_1`,
		listCommand(t, "deliveries", []string{"TENANT"}, tenantThing("deliveries"),
			columns("ID id", "STATUS status", "REASON reason", "ATTEMPTS attempts_made", "NEXT next_attempt_at", "TYPE event_type", "ENDPOINT endpoint_id"), filters...),
		callCommand{use: "get", short: "Show a delivery with its attempts", args: ids, method: get, path: oneThing("deliveries", ""), query: asOfFilter()}.command(t),
		verb("resend", "Deliver the same event again, as a new delivery"),
		verb("cancel", "Cancel a pending delivery"),
		verb("release", "Let a delivery held by plugin_fault go on at once"))
}

func attemptsCommand(t *terminal) *cobra.Command {
	return objects("attempts", "Single tries with request and response", `  hookline attempts list acme --endpoint-id ep_1 --outcome timed_out
  hookline attempts list acme --delivery-id dlv_1 --order asc -o json`,
		listCommand(t, "attempts", []string{"TENANT"}, tenantThing("attempts"),
			columns("FINISHED finished_at", "OUTCOME outcome", "KIND error_kind", "STATUS response.status", "NUMBER number", "TRIGGER trigger", "TYPE event_type", "DELIVERY delivery_id"),
			append(append(timeFilters(), asOfFilter()...),
				filterFlag{"endpoint-id", "endpoint_id", "at this endpoint `ID`"},
				filterFlag{"delivery-id", "delivery_id", "of this delivery `ID`"},
				filterFlag{"event-id", "event_id", "of this event, by `ID` or uid"},
				filterFlag{"event-type", "event_type", "of events of exactly this `TYPE`"},
				filterFlag{"outcome", "outcome", "acknowledged, rejected, unreachable, timed_out, gone or failed"},
				filterFlag{"order", "order", "asc = oldest first"})...),
		proveCommand(t),
		callCommand{use: "get", short: "Show an attempt with request and response", args: []string{"TENANT", "ATTEMPT"}, method: get,
			path: oneThing("attempts", ""), query: asOfFilter()}.command(t))
}
