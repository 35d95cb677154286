package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/api"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/seal"
)

func logDiffCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "diff FROM TO", Short: "Say what changed between two points of the log", Args: exactly("FROM", "TO"),
		Long: `Say what changed between two points of the log: which tenants, endpoints, subscriptions and
profiles were created, changed or deleted, field by field, and how many records of each type
lie between. A point is a seq or an RFC 3339 time, which stands for the newest record that is
not later. With --data it works offline on a data directory; else it asks a running server.`,
		Example: `  hookline log diff 1000 2000 --data ./data
  hookline log diff 2026-01-31T08:00:00Z 2026-01-31T09:00:00Z -o json`,
	}
	remoteFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		from, err := pointOf("FROM", args[0])
		if err != nil {
			return err
		}
		to, err := pointOf("TO", args[1])
		if err != nil {
			return err
		}
		var d engine.LogDiff
		if cmd.Flags().Changed("data") {
			d, err = offlineDiff(cmd, t, from, to)
		} else {
			d, err = remoteDiff(cmd, t, args)
		}
		if err != nil {
			return err
		}
		asJSON, err := outputJSON(cmd)
		if err != nil {
			return err
		}
		if asJSON {
			enc := json.NewEncoder(t.out)
			enc.SetEscapeHTML(false)
			return enc.Encode(d)
		}
		for _, line := range d.Text {
			t.say("%s", printable(line))
		}
		return nil
	}
	return cmd
}

func pointOf(name, text string) (engine.AsOf, error) {
	at, err := api.ParseAsOf(text)
	if err != nil {
		return at, usagef("%s %q is neither a seq of 1 or more nor an RFC 3339 time", name, text)
	}
	return at, nil
}

func remoteDiff(cmd *cobra.Command, t *terminal, args []string) (d engine.LogDiff, err error) {
	r, err := connect(cmd, t)
	if err != nil {
		return d, err
	}
	answer, err := r.call(cmd.Context(), http.MethodGet, withQuery(pathf("v1", "log", "diff"), url.Values{"from": {args[0]}, "to": {args[1]}}), nil)
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(answer, &d)
}

func offlineDiff(cmd *cobra.Command, t *terminal, from, to engine.AsOf) (d engine.LogDiff, err error) {
	o, err := openOffline(cmd, t)
	if err != nil {
		return d, err
	}
	defer o.Close()
	keyring, err := o.openKeyring(t)
	if err != nil {
		return d, err
	}
	head, err := o.log.Head(cmd.Context())
	if err != nil {
		return d, errors.Join(err, keyring.Close())
	}
	b := newBar(t.err, "comparing", head.Seq)
	defer b.end()
	d, err = engine.Offline{Log: o.log, Keyring: keyring, Dir: o.path, Progress: func(n eventlog.Seq) { b.at(n) }}.DiffLog(cmd.Context(), from, to)
	return d, errors.Join(err, keyring.Close())
}

// openKeyring opens the directory's keyring: under its own master key, or the one that HOOKLINE_MASTER_KEY or
// HOOKLINE_MASTER_KEY_FILE gives. Whoever opened it closes it.
func (o *offline) openKeyring(t *terminal) (*seal.Keyring, error) {
	var given *seal.Master
	var key seal.Master
	var err error
	switch text, file := t.getenv("HOOKLINE_MASTER_KEY"), t.getenv("HOOKLINE_MASTER_KEY_FILE"); {
	case text != "":
		key, err = seal.ParseMaster(text)
		given = &key
	case file != "":
		key, err = seal.LoadMaster(file)
		given = &key
	}
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	if given == nil && !o.exists(masterKeyFile) {
		return nil, fmt.Errorf("%s is missing: what is sealed cannot be compared; give the key by HOOKLINE_MASTER_KEY or HOOKLINE_MASTER_KEY_FILE", o.join(masterKeyFile))
	}
	master, _, err := o.masterKey(given)
	if err != nil {
		return nil, err
	}
	return seal.Open(o.join(keyringFile), master)
}
