package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/ndjson"
	"github.com/hookline/hookline/eventlog/pebblelog"
)

// apartFile holds, in a salvaged directory, whole batches behind the first lost record.
const apartFile = "apart.ndjson"

func logSalvageCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "salvage", Short: "Write what is intact of a damaged log to another directory", Args: exactly(),
		Long: `Read what can be read of a damaged log, and change nothing there. Everything before the
first lost record becomes the log of a new data directory, with the chain that it had: it
verifies, and a server opens it, held. Records whose content alone is damaged stay; that
content counts as removed. Whole batches behind the first lost record cannot be part of a log
that folds; they are written to TO/apart.ndjson, as log export does.

What is lost is listed by seq; TO/salvaged.json notes whose content is, for log verify. Exit code 0 when nothing is, 3 when something is. Restore a
backup rather than this where there is one that is recent enough.`,
		Example: "  hookline log salvage --data ./data --to ./salvaged",
	}
	cmd.Flags().String("to", "", "the empty or absent `DIR` to write to")
	cmd.Flags().StringP("output", "o", "table", "`table|json`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		to, _ := cmd.Flags().GetString("to")
		if to == "" {
			return usagef("--to is missing: give the empty or absent directory to write to")
		}
		output, _ := cmd.Flags().GetString("output")
		if output != "table" && output != "json" {
			return usagef("-o %q is neither table nor json", output)
		}
		path, err := dataFlag(cmd, t)
		if err != nil {
			return err
		}
		found, err := salvage(cmd, t, path, to)
		if err != nil {
			return err
		}
		return t.salvaged(found, to, output == "json")
	}
	return cmd
}

func salvage(cmd *cobra.Command, t *terminal, path, to string) (found pebblelog.Salvaged, err error) {
	from, err := openDataDir(path, false)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if !from.exists(logDir) {
		return found, fmt.Errorf("%s holds no log: is it a data directory of hookline?", path)
	}
	dir, err := openDataDir(to, true)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	if err := dir.beginRestore(); err != nil {
		return found, err
	}
	if found, err = salvageLog(cmd, t, from, dir); err != nil {
		return found, err
	}
	for _, name := range []string{keyringFile, clockMarkFile} {
		raw, err := os.ReadFile(from.join(name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = writeNew(dir.join(name), string(raw))
		}
		if err != nil {
			return found, err
		}
	}
	if err := dir.noteSalvaged(&found); err != nil {
		return found, err
	}
	source, _ := filepath.Abs(path)
	return found, dir.endRestore(&heldMark{From: source, HeadSeq: uint64(found.Head.Seq), RestoredAt: time.Now().UTC(), NewKeys: true})
}

func salvageLog(cmd *cobra.Command, t *terminal, from, dir *dataDir) (found pebblelog.Salvaged, err error) {
	logger := offlineLogger(t)
	c, err := pebblelog.NewCopy(pebblelog.Options{Dir: dir.join(logDir), Logger: logger, OnFatal: onFatal(logger)})
	if err != nil {
		return found, err
	}
	apart := apartWriter{path: dir.join(apartFile)}
	var b *bar
	found, err = pebblelog.Salvage(cmd.Context(), pebblelog.Options{Dir: from.join(logDir), Logger: logger, OnFatal: onFatal(logger)}, dir.join(stagingDir), c, apart.write,
		func(done, total eventlog.Seq) {
			if b == nil {
				b = newBar(t.err, "salvaging", total)
			}
			b.at(done)
		})
	if b != nil {
		b.end()
	}
	if err = errors.Join(err, apart.close()); err != nil {
		return found, errors.Join(err, c.Discard())
	}
	if found.Head.Seq == 0 {
		return found, errors.Join(fmt.Errorf("nothing of the log is intact: %w", eventlog.ErrCorrupt), c.Discard())
	}
	return found, c.Finish()
}

// apartWriter opens its file with the first batch.
type apartWriter struct {
	path string
	f    *os.File
	w    *ndjson.Writer
}

func (a *apartWriter) write(b *eventlog.Batch) (err error) {
	if a.f == nil {
		if a.f, err = os.OpenFile(a.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return err
		}
		if a.w, err = ndjson.NewWriter(a.f, ndjson.Header{First: b.First}, typeName); err != nil {
			return err
		}
	}
	return a.w.Write(b)
}

func (a *apartWriter) close() error {
	if a.f == nil {
		return nil
	}
	return errors.Join(a.w.Close(), a.f.Sync(), a.f.Close())
}

// lostRange is one line of what was lost.
type lostRange struct {
	First   uint64 `json:"first_seq"`
	Last    uint64 `json:"last_seq"`
	Content bool   `json:"content_only"` // the records are there
	What    string `json:"what"`
}

func (t *terminal) salvaged(s pebblelog.Salvaged, to string, asJSON bool) error {
	lost := []lostRange{}
	for _, l := range s.Lost {
		what, _, _ := strings.Cut(l.What, "\n")
		lost = append(lost, lostRange{uint64(l.First), uint64(l.Last), l.Content, what})
	}
	if asJSON {
		err := json.NewEncoder(t.out).Encode(struct {
			Head  uint64      `json:"head_seq"`
			Chain string      `json:"chain"`
			Apart int64       `json:"batches_apart"`
			Lost  []lostRange `json:"lost"`
		}{uint64(s.Head.Seq), fmt.Sprintf("%x", s.Head.Chain), s.Apart, lost})
		if err != nil {
			return err
		}
	} else {
		for _, l := range lost {
			what := "lost" // the record
			if l.Content {
				what = "content lost"
			}
			t.say("%s: seq %d to %d: %s", what, l.First, l.Last, l.What)
		}
		t.say("salvaged to %s: head seq %d, chain %x, %d sections, %d without their content", to, s.Head.Seq, s.Head.Chain, s.Sections, s.Emptied)
		if s.Apart > 0 {
			t.say("%d whole batches behind the first lost record are in %s", s.Apart, filepath.Join(to, apartFile))
		}
		t.say("it is held: a server on it sends nothing until hookline log release")
	}
	if len(lost) > 0 {
		return errSilent{exitCorrupt}
	}
	return nil
}
