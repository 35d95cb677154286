package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

func logRebuildCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "rebuild", Short: "Fold the log again into state and views", Args: exactly(),
		Long: `Fold the log again from its first record: the state, for its digest, and the views, which
are replaced. With --check nothing is replaced: state and views are rebuilt beside and
compared with what the server had noted and written; exit code 1 when they differ.`,
		Example: "  hookline log rebuild --data ./data\n  hookline log rebuild --check --data ./data",
	}
	cmd.Flags().Bool("check", false, "compare only, replace nothing")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o, err := openOffline(cmd, t)
		if err != nil {
			return err
		}
		defer o.Close()
		if check, _ := cmd.Flags().GetBool("check"); check {
			return errors.Join(o.checkState(cmd.Context(), t), o.checkHistory(cmd.Context(), t))
		}
		return o.rebuild(cmd.Context(), t)
	}
	return cmd
}

// rebuild drops snapshots and views and makes the views again; the next start folds the state.
func (o *offline) rebuild(ctx context.Context, t *terminal) error {
	head, err := o.log.Head(ctx)
	if err != nil {
		return err
	}
	b := newBar(t.err, "folding state", head.Seq)
	began := time.Now()
	s, err := engine.Rebuild(ctx, o.log, 0, b.at)
	took := time.Since(began)
	b.end()
	if err != nil {
		return err
	}
	for _, name := range []string{snapshotsDir, viewsDir} {
		if err := os.RemoveAll(o.join(name)); err != nil {
			return err
		}
	}
	digest, seq, err := o.history(ctx, t, o.join(viewsDir), 0)
	if err != nil {
		return err
	}
	t.say("state: seq %d, digest %s, %s", s.Seq, s.Digest(), pace(s.Seq, took))
	t.say("history: seq %d, digest %x", seq, digest)
	return nil
}

// history folds the view into a directory, up to the batch that holds until (0 = the head).
func (o *offline) history(ctx context.Context, t *terminal, dir string, until eventlog.Seq) (digest eventlog.Hash, seq eventlog.Seq, err error) {
	store, err := projection.Open(ctx, projection.Options{Dir: dir, Version: history.LayoutVersion, Log: o.log, Logger: o.logger})
	if err != nil {
		return digest, 0, fmt.Errorf("views: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	head, err := o.log.Head(ctx)
	if err != nil {
		return digest, 0, err
	}
	b := newBar(t.err, "folding history", head.Seq)
	defer b.end()
	h := history.New(store)
	if _, err := projection.Fold(ctx, projection.FoldOptions{Log: o.log, Store: store, View: h, Until: until, Progress: b.at}); err != nil {
		return digest, 0, err
	}
	return h.Digest(ctx)
}

// checkState compares with the digest that the server noted last.
func (o *offline) checkState(ctx context.Context, t *terminal) error {
	c, noted, err := engine.ReadCheckpoint(o.path)
	if err != nil {
		return fmt.Errorf("checkpoint: %w: it is derived, delete %s", err, o.join(snapshotsDir))
	}
	b := newBar(t.err, "folding state", c.Seq)
	began := time.Now()
	s, err := engine.Rebuild(ctx, o.log, c.Seq, b.at)
	took := time.Since(began)
	b.end()
	switch {
	case err != nil:
		return err
	case !noted:
		t.say("state: seq %d, digest %s; nothing was noted to compare with", s.Seq, s.Digest())
	case s.Seq != c.Seq || s.Digest().String() != c.Digest:
		return fmt.Errorf("state: %w: seq %d, digest %s, but noted was seq %d, digest %s", errDiffers, s.Seq, s.Digest(), c.Seq, c.Digest)
	default:
		t.say("state: same at seq %d, digest %s, %s", s.Seq, s.Digest(), pace(s.Seq, took))
	}
	return nil
}

// pace says how fast records were folded.
func pace(records eventlog.Seq, took time.Duration) string {
	return fmt.Sprintf("folded in %.2f s (%.0f records/s)", took.Seconds(), float64(records)/max(took.Seconds(), 1e-6))
}

// checkHistory compares the view on disk with one folded beside it.
func (o *offline) checkHistory(ctx context.Context, t *terminal) error {
	if !o.exists(viewsDir) {
		t.say("history: there is none to compare with")
		return nil
	}
	store, err := projection.Open(ctx, projection.Options{Dir: o.join(viewsDir), Version: history.LayoutVersion, Log: o.log, Logger: o.logger})
	if err != nil {
		return fmt.Errorf("views: %w", err)
	}
	was, at, err := history.New(store).Digest(ctx)
	if err = errors.Join(err, store.Close()); err != nil {
		return fmt.Errorf("views: %w", err)
	}
	if at == 0 {
		t.say("history: there is none to compare with")
		return nil
	}
	beside, err := os.MkdirTemp(o.path, ".rebuild-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(beside)
	is, seq, err := o.history(ctx, t, beside, at)
	if err != nil {
		return err
	}
	if is != was || seq != at {
		return fmt.Errorf("history: %w: seq %d, digest %x, but on disk is seq %d, digest %x", errDiffers, seq, is, at, was)
	}
	t.say("history: same at seq %d, digest %x", seq, is)
	return nil
}
