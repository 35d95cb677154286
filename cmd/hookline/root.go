package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hookline/hookline/engine/api/nearest"
)

const rootLong = `hookline sends a provider's events to its customers' endpoints, and can prove what it did.

One binary, an append-only log as the only truth, filters that route, plugins that carry.

Run a server, then talk to it:

  hookline serve --data ./data
  export HOOKLINE_ADMIN_KEY=$(cat ./data/admin.key)
  hookline tenants create --id acme --profile osir --name "Acme Ltd"
  hookline endpoints create acme --url https://example.com/hooks --event-types domain.registered
  echo '{"domain":"example.com"}' | hookline publish acme domain.registered -d -
  hookline deliveries list acme

Or see it live with invented customers: hookline dev`

const exitCodes = `
Exit codes: 0 all is well, 1 error (also: the data directory is in use), 2 wrong usage
or configuration, 3 the log is corrupt, 4 the disk failed, 5 fenced.`

func newRoot(t *terminal) *cobra.Command {
	root := &cobra.Command{
		Use: "hookline", Short: "A webhook delivery engine that can prove what it did", Long: rootLong + "\n" + exitCodes,
		SilenceErrors: true, SilenceUsage: true, Version: versionText(), Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetVersionTemplate("hookline {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, err) })
	root.AddGroup(&cobra.Group{ID: "run", Title: "Run it:"}, &cobra.Group{ID: "api", Title: "Talk to a running server:"},
		&cobra.Group{ID: "filters", Title: "Write filters:"}, &cobra.Group{ID: "offline", Title: "Look at a data directory that no server holds:"})
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("run", serveCommand(t), devCommand(t), benchCommand(t), profilesCommand(t))
	add("api", publishCommand(t), tenantsCommand(t), endpointsCommand(t), subscriptionsCommand(t), keysCommand(t), sessionsCommand(t), auditCommand(t), eventsCommand(t),
		deliveriesCommand(t), attemptsCommand(t), recoveriesCommand(t), pluginsCommand(t), whyCommand(t), backupsCommand(t), keyringCommand(t))
	add("filters", filtersCommand(t))
	add("offline", logCommand(t))
	root.AddCommand(pluginCommand(t), versionCommand(t))
	return root
}

// group is a command that only has subcommands: alone it shows its help, with a word it does not know it is an error.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	var known []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
		}
	}
	msg := fmt.Sprintf("unknown command %q of %s", args[0], cmd.CommandPath())
	if near := nearest.Of(args[0], known); near != "" {
		return usagef("%s: did you mean %s?", msg, near)
	}
	return usagef("%s: known are %s", msg, strings.Join(known, ", "))
}

// flagError is cobra's, with the nearest known flag.
func flagError(cmd *cobra.Command, err error) error {
	if before, parser, ok := strings.Cut(err.Error(), ": strconv.Parse"); ok { // how Go reads a value is nobody's concern
		want := "a whole number of zero or more"
		switch {
		case strings.HasPrefix(parser, "Bool"):
			want = "true or false"
		case strings.HasPrefix(parser, "Float"):
			want = "a number"
		}
		return usagef("%s: want %s", before, want)
	}
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return &usageError{err}
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	if near := nearest.Of(name, known); near != "" {
		return usagef("%w: did you mean --%s?", err, near)
	}
	return &usageError{err}
}

// exactly is cobra.ExactArgs as a usage error that names the arguments.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usagef("%s needs %s", cmd.CommandPath(), strings.Join(names[len(args):], " and "))
		case len(args) > len(names):
			return usagef("%s takes no argument %q", cmd.CommandPath(), args[len(names)])
		}
		return nil
	}
}

func versionCommand(t *terminal) *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: exactly(), RunE: func(*cobra.Command, []string) error {
		t.say("hookline %s", versionText())
		return nil
	}}
}
