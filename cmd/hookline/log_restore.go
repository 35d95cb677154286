package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/backup"
)

func logRestoreCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "restore", Short: "Restore a backup into an empty data directory", Args: exactly(),
		Long: `Restore a backup: every file is checked against its SHA-256, then the whole chain is
recomputed and compared with the backup's. With --as-of the log ends with the last batch at
or before that seq or time.

The data directory must be empty or absent, and is held afterwards: a server on it reads,
takes changes and stores what is published, but sends nothing until hookline log release.
A restore that was broken off is recognized: such a directory opens as nothing.

The master key is in no backup: put it into DIR/master.key, or give it to serve.`,
		Example: `  hookline log restore --from /mnt/backups --data ./data
  hookline log restore --from /mnt/backups --data ./data --as-of 2026-01-31T08:00:00Z
  hookline log restore --from /mnt/backups --list`,
	}
	fs := cmd.Flags()
	fs.String("from", "", "the `DIR` that holds the backups")
	fs.String("backup", "", "this backup's `ID`; default the newest")
	fs.String("as-of", "", "end at or before this `SEQ|TIME` (RFC 3339)")
	fs.Bool("list", false, "show what backups there are, and restore nothing")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		from, _ := fs.GetString("from")
		if from == "" {
			return usagef("--from is missing: give the directory that holds the backups")
		}
		text, _ := fs.GetString("as-of")
		until, err := parseUntil(text)
		if err != nil {
			return err
		}
		if list, _ := fs.GetBool("list"); list {
			return listBackups(t, from)
		}
		id, _ := fs.GetString("backup")
		path, err := dataFlag(cmd, t)
		if err != nil {
			return err
		}
		return restore(cmd, t, restoring{from: from, id: id, data: path, until: until})
	}
	return cmd
}

func listBackups(t *terminal, from string) error {
	all, err := backup.ReadList(from)
	for _, m := range all {
		t.say("%s  head seq %d at %s, %d bytes", m.ID, m.HeadSeq, stamp(m.HeadTime), m.Bytes)
	}
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("%w: %s holds none", backup.ErrNone, from)
	}
	return err
}

// restoring is what a restore is told.
type restoring struct {
	from, id, data string
	until          backup.Until
}

func (r *restoring) find(d *backup.Dir) (*backup.Manifest, error) {
	if r.id != "" {
		return d.Find(r.id)
	}
	return d.FindFor(r.until)
}

func restore(cmd *cobra.Command, t *terminal, r restoring) (err error) {
	from, err := backup.Open(r.from, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	m, err := r.find(from)
	if err != nil {
		return err
	}
	dir, err := openDataDir(r.data, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	if err := dir.beginRestore(); err != nil {
		return err
	}
	var b *bar
	head, err := from.Restore(cmd.Context(), m, backup.Target{
		Log: dir.join(logDir), Keyring: dir.join(keyringFile), Staging: dir.join(stagingDir), Until: r.until,
		OnFatal: onFatal(offlineLogger(t)),
		Progress: func(what string, done, total int64) {
			if b == nil || b.what != what {
				b = newBar(t.err, what, eventlog.Seq(total))
			}
			if what == "copying" {
				b.bytes(done)
			} else {
				b.at(eventlog.Seq(done))
			}
		},
	})
	if b != nil {
		b.end()
	}
	if err != nil {
		return fmt.Errorf("%w; %s holds half a restore: remove it before the next", err, r.data)
	}
	if m.Clock == clockName(true) {
		if err := writeNew(dir.join(clockMarkFile), "manual\n"); err != nil {
			return err
		}
	}
	source, _ := filepath.Abs(r.from)
	if err := dir.endRestore(&heldMark{Backup: m.ID, From: source, HeadSeq: uint64(head.Seq), RestoredAt: time.Now().UTC(), NewKeys: true}); err != nil {
		return err
	}
	t.say("restored %s to %s: head seq %d of %d, chain %x", m.ID, r.data, head.Seq, m.HeadSeq, head.Chain)
	if _, err := os.Stat(dir.join(masterKeyFile)); err != nil {
		t.say("the master key is in no backup: put it into %s, or give it to serve", dir.join(masterKeyFile))
	}
	t.say("it is held: a server on it sends nothing until hookline log release")
	return nil
}

func parseSeq(text string) (eventlog.Seq, bool) {
	n, err := strconv.ParseUint(text, 10, 64)
	return eventlog.Seq(n), err == nil && n > 0
}
