package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

func logRebuildCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "rebuild", Short: "Fold the log again into state and views", Args: exactly(),
		Long: `Fold the log again from its first record: the state, for its digest, and the views, which
are replaced. With --check nothing is replaced: state and views are rebuilt beside and
compared with what the server had noted and written; exit code 1 when they differ.`,
		Example: "  hookline log rebuild --data ./data\n  hookline log rebuild --check --data ./data -o json",
	}
	cmd.Flags().Bool("check", false, "compare only, replace nothing")
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
		told := &rebuildReport{OK: true, Rebuilt: []rebuilt{}}
		if !asJSON {
			told.say = t.say
		}
		if check, _ := cmd.Flags().GetBool("check"); check {
			err = errors.Join(o.checkState(cmd.Context(), t, told), o.checkViews(cmd.Context(), t, told))
		} else {
			err = o.rebuild(cmd.Context(), t, told)
		}
		if asJSON && (err == nil || errors.Is(err, errDiffers)) {
			err = errors.Join(err, json.NewEncoder(t.out).Encode(told))
		}
		return err
	}
	return cmd
}

// rebuildReport is what `log rebuild -o json` tells; as text it is told line by line.
type rebuildReport struct {
	OK      bool      `json:"ok"`
	Rebuilt []rebuilt `json:"rebuilt"`
	say     func(format string, args ...any)
}

// rebuilt is the state or a view, folded again. Was is what it is compared with: "" = nothing is there to compare with.
type rebuilt struct {
	Name    string  `json:"name"`
	Seq     uint64  `json:"seq"`
	Digest  string  `json:"digest"`
	Was     string  `json:"was,omitempty"` // same or different
	WasSeq  uint64  `json:"was_seq,omitempty"`
	WasHash string  `json:"was_digest,omitempty"`
	Seconds float64 `json:"seconds,omitempty"` // folding took
}

func (r *rebuildReport) tell(x rebuilt, format string, args ...any) {
	r.OK = r.OK && x.Was != "different"
	r.Rebuilt = append(r.Rebuilt, x)
	if r.say != nil && format != "" {
		r.say(format, args...)
	}
}

func rebuiltView(v standing) rebuilt {
	return rebuilt{Name: v.name, Seq: uint64(v.seq), Digest: fmt.Sprintf("%x", v.digest)}
}

// rebuild drops snapshots and views and makes the views again; the next start folds the state.
func (o *offline) rebuild(ctx context.Context, t *terminal, told *rebuildReport) error {
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
	folded, err := o.foldViews(ctx, t, o.join(viewsDir), nil)
	if err != nil {
		return err
	}
	told.tell(rebuiltState(s, took), "state: seq %d, digest %s, %s", s.Seq, s.Digest(), pace(s.Seq, took))
	for _, v := range folded {
		told.tell(rebuiltView(v), "%s: seq %d, digest %x", v.name, v.seq, v.digest)
	}
	return nil
}

// standing is where a view is.
type standing struct {
	name   string
	seq    eventlog.Seq
	digest eventlog.Hash
}

func standingOf(ctx context.Context, v offlineView) (s standing, err error) {
	s.name = v.Name()
	s.digest, s.seq, err = v.Digest(ctx)
	return s, err
}

// foldViews folds the views into a directory: each up to where it is in `until` (those at 0 not at all), all to the head
// when that is nil.
func (o *offline) foldViews(ctx context.Context, t *terminal, dir string, until []standing) (folded []standing, err error) {
	store, err := projection.Open(ctx, projection.Options{Dir: dir, Version: engine.ViewsVersion, Log: o.log, Logger: o.logger})
	if err != nil {
		return nil, fmt.Errorf("views: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	head, err := o.log.Head(ctx)
	if err != nil {
		return nil, err
	}
	for i, v := range offlineViews(store) {
		to := eventlog.Seq(0)
		if until != nil {
			if to = until[i].seq; to == 0 {
				folded = append(folded, standing{name: v.Name()})
				continue
			}
		}
		b := newBar(t.err, "folding "+v.Name(), head.Seq)
		_, err := projection.Fold(ctx, projection.FoldOptions{Log: o.log, Store: store, View: v, Until: to, Progress: b.at})
		b.end()
		if err != nil {
			return nil, err
		}
		s, err := standingOf(ctx, v)
		if err != nil {
			return nil, err
		}
		folded = append(folded, s)
	}
	return folded, nil
}

// checkState compares with the digest that the server noted last.
func (o *offline) checkState(ctx context.Context, t *terminal, told *rebuildReport) error {
	c, noted, err := engine.ReadCheckpoint(o.path)
	if err != nil {
		return fmt.Errorf("checkpoint: %w: it is derived, delete %s", err, o.join(snapshotsDir))
	}
	b := newBar(t.err, "folding state", c.Seq)
	began := time.Now()
	s, err := engine.Rebuild(ctx, o.log, c.Seq, b.at)
	took := time.Since(began)
	b.end()
	if err != nil {
		return err
	}
	is := rebuiltState(s, took)
	if noted {
		is.Was, is.WasSeq, is.WasHash = "same", uint64(c.Seq), c.Digest
	}
	switch {
	case !noted:
		told.tell(is, "state: seq %d, digest %s; nothing was noted to compare with", s.Seq, s.Digest())
	case s.Seq != c.Seq || s.Digest().String() != c.Digest:
		is.Was = "different"
		told.tell(is, "")
		return fmt.Errorf("state: %w: seq %d, digest %s, but noted was seq %d, digest %s", errDiffers, s.Seq, s.Digest(), c.Seq, c.Digest)
	default:
		told.tell(is, "state: same at seq %d, digest %s, %s", s.Seq, s.Digest(), pace(s.Seq, took))
	}
	return nil
}

func rebuiltState(s *state.State, took time.Duration) rebuilt {
	return rebuilt{Name: "state", Seq: uint64(s.Seq), Digest: s.Digest().String(), Seconds: took.Seconds()}
}

// pace says how fast records were folded.
func pace(records eventlog.Seq, took time.Duration) string {
	return fmt.Sprintf("folded in %.2f s (%.0f records/s)", took.Seconds(), float64(records)/max(took.Seconds(), 1e-6))
}

// checkViews compares the views on disk with some folded beside them.
func (o *offline) checkViews(ctx context.Context, t *terminal, told *rebuildReport) error {
	if !o.exists(viewsDir) {
		if told.say != nil {
			told.say("views: there are none to compare with")
		}
		return nil
	}
	was, err := o.standing(ctx)
	if err != nil {
		return fmt.Errorf("views: %w", err)
	}
	beside, err := os.MkdirTemp(o.path, ".rebuild-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(beside)
	is, err := o.foldViews(ctx, t, beside, was)
	if err != nil {
		return err
	}
	var differ []error
	for i, v := range was {
		now := rebuiltView(is[i])
		if v.seq != 0 {
			now.Was, now.WasSeq, now.WasHash = "same", uint64(v.seq), fmt.Sprintf("%x", v.digest)
		}
		switch {
		case v.seq == 0:
			told.tell(now, "%s: there is none to compare with", v.name)
		case is[i] != v:
			now.Was = "different"
			told.tell(now, "")
			differ = append(differ, fmt.Errorf("%s: %w: seq %d, digest %x, but on disk is seq %d, digest %x",
				v.name, errDiffers, is[i].seq, is[i].digest, v.seq, v.digest))
		default:
			told.tell(now, "%s: same at seq %d, digest %x", v.name, v.seq, v.digest)
		}
	}
	return errors.Join(differ...)
}

// standing says where the views on disk are.
func (o *offline) standing(ctx context.Context) (all []standing, err error) {
	store, err := projection.Open(ctx, projection.Options{Dir: o.join(viewsDir), Version: engine.ViewsVersion, Log: o.log, Logger: o.logger})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	for _, v := range offlineViews(store) {
		s, err := standingOf(ctx, v)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}
