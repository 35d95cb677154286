package main

import "github.com/spf13/cobra"

func keysCommand(t *terminal) *cobra.Command {
	all := func([]string) string { return pathf("v1", "keys") }
	one := func(args []string) string { return pathf("v1", "keys", args[0]) }
	return objects("keys", "API keys and what they may do", `  hookline keys create --name billing --scope publish
  hookline keys create --name "Acme's own" --scope tenant --tenant acme --expires-at 2027-01-31T00:00:00Z
  hookline keys list
  hookline keys revoke key_1`,
		listCommand(t, "issued keys", nil, all, columns("ID id", "SCOPE scope", "TENANT tenant", "PREFIX prefix", "NAME name",
			"LAST-USED last_used_at", "EXPIRES expires_at", "REVOKED revoked_at")),
		callCommand{use: "get", short: "Show a key, but not the key itself", args: []string{"KEY"}, method: get, path: one}.command(t),
		callCommand{use: "create", short: "Issue a key: it is shown once", method: post, path: all, required: []string{"name", "scope"},
			fields: []bodyFlag{
				{"name", textField, "who uses it"},
				{"scope", textField, "`SCOPE`: admin, publish, read or tenant"},
				{"tenant", textField, "the only `TENANT` that it is good for; needed for the scope tenant"},
				{"expires_at", textField, "`TIME`, RFC 3339; default never"},
			}}.command(t),
		callCommand{use: "revoke", short: "Revoke a key, at once and for ever", args: []string{"KEY"}, method: del, path: one, done: "revoked"}.command(t),
		callCommand{use: "whoami", short: "Show who the key in use is, and what it may do", method: get,
			path: func([]string) string { return pathf("v1", "whoami") }}.command(t))
}

func auditCommand(t *terminal) *cobra.Command {
	cols := columns("TIME time", "TYPE type", "TENANT tenant", "BY by", "NAME by_name", "SEQ seq")
	order := append(timeFilters(), filterFlag{"order", "order", "asc = oldest first"})
	of := listCommand(t, "a tenant's changes", []string{"TENANT"}, tenantThing("audit"), cols, order...)
	of.Use, of.Aliases = "tenant TENANT", nil
	return objects("audit", "Who changed what", `  hookline audit list --from 2026-01-31T00:00:00Z
  hookline audit tenant acme -o json`,
		listCommand(t, "changes", nil, func([]string) string { return pathf("v1", "audit") }, cols, order...), of)
}

func sessionsCommand(t *terminal) *cobra.Command {
	return objects("portal-sessions", "Customers' time in the portal", `  hookline portal-sessions create acme --expires-in 2h
  hookline portal-sessions list acme`,
		listCommand(t, "sessions and links that are not over", []string{"TENANT"}, tenantThing("portal-sessions"),
			columns("ID id", "CREATED created_at", "OPENED opened_at", "EXPIRES expires_at")),
		callCommand{use: "create", short: "Make a link that opens the portal, once", args: []string{"TENANT"}, method: post, path: tenantThing("portal-sessions"),
			fields: []bodyFlag{{"expires_in", textField, "how long the session lasts, 1m to 24h; default 1h"}}}.command(t),
		callCommand{use: "end", short: "End a session or a link at once", args: []string{"TENANT", "SESSION"}, method: del,
			path: oneThing("portal-sessions", ""), done: "ended"}.command(t))
}
