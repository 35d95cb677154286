package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/idempotency"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// offlineStatus is what `log stat` tells: the fields of /v1/log/status, and what may be deleted.
type offlineStatus struct {
	engine.LogStatus
	Derived []string `json:"derived"`
}

func logStatCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "stat", Short: "Show head, chain, digest and what may be deleted", Args: exactly(),
		Long: `Show where the log ends, the chain there, the digest of the state folded from it, how far
the views are, and which paths are derived: they may be deleted, the next start makes them
again. The log, the keyring, master.key and admin.key are not among them.`,
		Example: "  hookline log stat --data ./data -o json",
	}
	addOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		asJSON, err := outputJSON(cmd)
		if err != nil {
			return err
		}
		o, err := openOffline(cmd, t)
		if err != nil {
			return err
		}
		defer o.Close()
		st, err := o.status(cmd.Context(), t)
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(t.out).Encode(st)
		}
		text, err := json.Marshal(st)
		if err != nil {
			return err
		}
		return t.object(text)
	}
	return cmd
}

func addOutput(cmd *cobra.Command) { cmd.Flags().StringP("output", "o", "table", "`table|json`") }

// outputJSON says whether a command that addOutput gave -o was asked for JSON.
func outputJSON(cmd *cobra.Command) (bool, error) {
	output, _ := cmd.Flags().GetString("output")
	if output != "table" && output != "json" {
		return false, usagef("-o %q is neither table nor json", output)
	}
	return output == "json", nil
}

func (o *offline) status(ctx context.Context, t *terminal) (offlineStatus, error) {
	var st offlineStatus
	head, err := o.log.Head(ctx)
	if err != nil {
		return st, err
	}
	if st.Derived, err = o.derived(); err != nil {
		return st, err
	}
	st.HeadSeq, st.FirstSeq, st.Chain = uint64(head.Seq), uint64(head.First), fmt.Sprintf("%x", head.Chain)
	st.DigestSeq = st.HeadSeq
	st.Held = o.exists(heldFile)
	if st.StateDigest, err = o.digest(ctx, t, head); err != nil {
		return st, err
	}
	st.Views, err = o.views(ctx)
	return st, err
}

// derived lists what the log can be folded into again, by absolute path.
func (o *offline) derived() ([]string, error) {
	out := []string{}
	root, err := filepath.Abs(o.path)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{viewsDir, snapshotsDir, pluginsDir, stagingDir} {
		if o.exists(name) {
			out = append(out, filepath.Join(root, name))
		}
	}
	return out, nil
}

// digest is the state's at the head: noted by a checkpoint that stands there, else by folding the log.
func (o *offline) digest(ctx context.Context, t *terminal, head eventlog.Head) (string, error) {
	c, ok, err := engine.ReadCheckpoint(o.path)
	if err == nil && ok && c.Seq == head.Seq && c.Chain == fmt.Sprintf("%x", head.Chain) {
		return c.Digest, nil
	}
	b := newBar(t.err, "folding", head.Seq)
	defer b.end()
	s, err := engine.Rebuild(ctx, o.log, 0, b.at)
	if err != nil {
		return "", err
	}
	return s.Digest().String(), nil
}

// offlineView is a view without a follower.
type offlineView interface {
	projection.View
	Checkpoint() eventlog.Seq
	Digest(ctx context.Context) (eventlog.Hash, eventlog.Seq, error)
}

// offlineViews are all views of a store; of none, to know their names.
func offlineViews(store *projection.Store) []offlineView {
	return []offlineView{history.New(store), idempotency.New(store)}
}

// views says how far each view is. One that was deleted, or cannot be opened, has applied nothing.
func (o *offline) views(ctx context.Context) (map[string]uint64, error) {
	out := map[string]uint64{}
	if !o.exists(viewsDir) {
		for _, v := range offlineViews(nil) {
			out[v.Name()] = 0
		}
		return out, nil
	}
	store, err := projection.Open(ctx, projection.Options{Dir: o.join(viewsDir), Version: engine.ViewsVersion, Log: o.log, Logger: o.logger})
	if err != nil {
		return nil, fmt.Errorf("views: %w", err)
	}
	for _, v := range offlineViews(store) {
		out[v.Name()] = uint64(v.Checkpoint())
	}
	return out, store.Close()
}
