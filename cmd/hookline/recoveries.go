package main

import "github.com/spf13/cobra"

func recoverCommand(t *terminal) *cobra.Command {
	return callCommand{use: "recover", short: "Deliver again, in bulk, what did not reach an endpoint", args: []string{"TENANT", "ENDPOINT"}, method: post,
		path: oneThing("endpoints", ":recover"), fields: []bodyFlag{
			{"status", listField, "`STATUSES`: exhausted, skipped; default both"},
			{"since", textField, "deliveries created at or after this `TIME`, RFC 3339"},
			{"until", textField, "deliveries created before this `TIME`, RFC 3339"},
			{"event_types", listField, "`TYPES`, comma separated: names, prefixes like domain.*, or *"},
			{"rate", intField, "deliveries a second, 1 to 10000; default as fast as they are attempted"},
			{"dry_run", boolField, "count only"},
		}}.command(t)
}

func recoveriesCommand(t *terminal) *cobra.Command {
	ids := []string{"TENANT", "RECOVERY"}
	return objects("recoveries", "Deliveries made again in bulk", `  hookline endpoints recover acme ep_1 --status exhausted --dry-run
  hookline recoveries list acme
  hookline recoveries cancel acme rec_1`,
		listCommand(t, "recoveries", []string{"TENANT"}, tenantThing("recoveries"),
			columns("ID id", "STATE state", "REASON reason", "CREATED created", "MATCHED matched", "STARTED started_at", "FINISHED finished_at", "ENDPOINT endpoint_id")),
		callCommand{use: "get", short: "Show a recovery with its progress", args: ids, method: get, path: oneThing("recoveries", "")}.command(t),
		callCommand{use: "cancel", short: "Cancel a running recovery: what it created stays", args: ids, method: post,
			path: oneThing("recoveries", ":cancel")}.command(t))
}
