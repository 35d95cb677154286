package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/ndjson"
	"github.com/hookline/hookline/eventlog/pebblelog"
	"github.com/hookline/hookline/eventlog/seal"
)

func logExportCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Write the log as lines of JSON", Args: exactly(),
		Long: `Write the whole log as NDJSON: a line a batch, with its edges, chain, facts and sealed
sections (base64). Import gives the same log, chain and all. What is sealed stays sealed:
the keyring is exported apart, and opens only with the master key, which is never exported.`,
		Example: `  hookline log export --data ./data --to log.ndjson --keyring keyring
  hookline log export --data ./data | zstd > log.ndjson.zst`,
	}
	cmd.Flags().String("to", "-", "the new `FILE`, - = standard output")
	cmd.Flags().String("keyring", "", "copy the keyring to this new `FILE`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		to, _ := cmd.Flags().GetString("to")
		keyring, _ := cmd.Flags().GetString("keyring")
		o, err := openOffline(cmd, t)
		if err != nil {
			return err
		}
		defer o.Close()
		var out io.Writer = t.out
		if to != "-" {
			f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("--to: %w", err)
			}
			defer func() { err = errors.Join(err, f.Sync(), f.Close()) }()
			out = f
		}
		return o.export(cmd, t, out, keyring)
	}
	return cmd
}

func (o *offline) export(cmd *cobra.Command, t *terminal, out io.Writer, keyring string) error {
	raw, err := os.ReadFile(o.join(keyringFile))
	if err != nil {
		return fmt.Errorf("keyring: %w", err)
	}
	id, err := seal.KeyringID(raw)
	if err != nil {
		return err
	}
	if keyring != "" {
		if _, err := os.Lstat(keyring); err == nil {
			return fmt.Errorf("--keyring: %s: %w", keyring, os.ErrExist)
		}
		if err := writeNew(keyring, string(raw)); err != nil {
			return fmt.Errorf("--keyring: %w", err)
		}
	}
	head, err := o.log.Head(cmd.Context())
	if err != nil {
		return err
	}
	w, err := ndjson.NewWriter(out, ndjson.Header{First: head.First, Keyring: id, Clock: clockName(o.exists(clockMarkFile))}, typeName)
	if err != nil {
		return err
	}
	b := newBar(t.err, "exporting", head.Seq)
	defer b.end()
	for batch, err := range o.log.Batches(cmd.Context(), 0) {
		if err == nil {
			err = w.Write(&batch)
		}
		if err != nil {
			return err
		}
		b.at(batch.Last())
	}
	return w.Close()
}

func logImportCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "import", Short: "Make a data directory of an exported log", Args: exactly(),
		Long: `Make an empty or absent data directory of what log export wrote, with the keyring that it
exported. The whole chain is recomputed: the log is the same, or there is none. The
directory is held afterwards, as after log restore.`,
		Example: `  hookline log import --data ./data --from log.ndjson --keyring keyring
  zstd -dc log.ndjson.zst | hookline log import --data ./data --from - --keyring keyring`,
	}
	cmd.Flags().String("from", "", "the exported `FILE`, - = standard input")
	cmd.Flags().String("keyring", "", "the exported keyring `FILE`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		from, _ := cmd.Flags().GetString("from")
		keyring, _ := cmd.Flags().GetString("keyring")
		if from == "" || keyring == "" {
			return usagef("--from and --keyring are needed: the two files that log export wrote")
		}
		path, err := dataFlag(cmd, t)
		if err != nil {
			return err
		}
		in := t.in
		if from != "-" {
			f, err := os.Open(from)
			if err != nil {
				return fmt.Errorf("--from: %w", err)
			}
			defer f.Close()
			in = f
		}
		raw, err := os.ReadFile(keyring)
		if err != nil {
			return fmt.Errorf("--keyring: %w", err)
		}
		return importLog(cmd, t, path, from, in, raw)
	}
	return cmd
}

func importLog(cmd *cobra.Command, t *terminal, path, name string, in io.Reader, keyring []byte) (err error) {
	id, err := seal.KeyringID(keyring)
	if err != nil {
		return fmt.Errorf("--keyring: %w", err)
	}
	dir, err := openDataDir(path, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	if err := dir.beginRestore(); err != nil {
		return err
	}
	head, h, err := readLog(cmd, t, dir, in, id)
	if err != nil {
		return fmt.Errorf("%w; %s holds half an import: remove it before the next", err, path)
	}
	if err := writeNew(dir.join(keyringFile), string(keyring)); err != nil {
		return err
	}
	if h.Clock == clockName(true) {
		if err := writeNew(dir.join(clockMarkFile), "manual\n"); err != nil {
			return err
		}
	}
	source, _ := filepath.Abs(name)
	if err := dir.endRestore(&heldMark{From: source, HeadSeq: uint64(head.Seq), RestoredAt: time.Now().UTC(), NewKeys: true}); err != nil {
		return err
	}
	t.say("imported to %s: head seq %d, chain %x", path, head.Seq, head.Chain)
	t.say("it is held: a server on it sends nothing until hookline log release")
	return nil
}

func readLog(cmd *cobra.Command, t *terminal, dir *dataDir, in io.Reader, keyringID string) (head eventlog.Head, h ndjson.Header, err error) {
	logger := offlineLogger(t)
	c, err := pebblelog.NewCopy(pebblelog.Options{Dir: dir.join(logDir), Logger: logger, OnFatal: onFatal(logger)})
	if err != nil {
		return head, h, err
	}
	for b, err := range ndjson.Read(in, &h) {
		switch {
		case err != nil:
		case cmd.Context().Err() != nil:
			err = cmd.Context().Err()
		case h.Keyring != "" && h.Keyring != keyringID:
			err = fmt.Errorf("the log was sealed with keyring %s, --keyring is %s", h.Keyring, keyringID)
		default:
			err = c.Add(&b)
		}
		if err != nil {
			return head, h, errors.Join(err, c.Discard())
		}
	}
	return c.Head(), h, c.Finish()
}
