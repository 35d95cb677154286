package backup

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/pebblelog"
	"github.com/hookline/hookline/eventlog/seal"
)

// Source is what is backed up.
type Source struct {
	// Log is open, for writing by this process or nobody.
	Log eventlog.Backuper
	// Staging is a directory that does not exist, on the log's own file system: a copy stands there meanwhile, its
	// tables linked. What a killed backup left there is removed.
	Staging string
	// Keyring returns the keyring file's bytes; asked after the log was copied too, so that no key of a record is missing.
	Keyring func() ([]byte, error)
	// Clock is real or manual, MadeBy the version of hookline.
	Clock, MadeBy string
}

// Options of Make.
type Options struct {
	// Rate bounds copying, in bytes a second; 0 = no bound.
	Rate int64
	// Keep removes all but the newest backups afterwards; 0 = none.
	Keep int
	// Progress, if not nil, is told the bytes looked at and those of all files.
	Progress func(done, total int64)
	// Now is the time that the backup is named by; nil = the wall clock.
	Now func() time.Time
}

// Make adds a backup. On error there is none, and what was copied for it serves the next one.
func (d *Dir) Make(ctx context.Context, src Source, o Options) (*Manifest, error) {
	before, err := d.List()
	if err != nil {
		return nil, fmt.Errorf("%w: move it away to go on", err)
	}
	if err := d.sweep(before); err != nil {
		return nil, err
	}
	if err := CleanStaging(src.Staging); err != nil {
		return nil, err
	}
	if err := src.Log.Backup(ctx, src.Staging); err != nil {
		return nil, err
	}
	m, err := d.keep(ctx, src, &o, before)
	if err = errors.Join(err, CleanStaging(src.Staging)); err != nil {
		return nil, err
	}
	if o.Keep > 0 {
		if _, err := d.Prune(o.Keep); err != nil {
			return m, fmt.Errorf("the backup %s is made, but older ones were not removed: %w", m.ID, err)
		}
	}
	return m, nil
}

// CleanStaging removes what a killed backup left in its staging directory.
func CleanStaging(staging string) error {
	return errors.Join(os.RemoveAll(staging), os.RemoveAll(staging+".part"))
}

// keep copies the staged log and the keyring, and writes the manifest.
func (d *Dir) keep(ctx context.Context, src Source, o *Options, before []*Manifest) (*Manifest, error) {
	head, err := headOf(ctx, src.Staging)
	if err != nil {
		return nil, err
	}
	_, id, err := keyringOf(src)
	if err != nil {
		return nil, err
	}
	for _, m := range before {
		if m.Keyring != id {
			return nil, fmt.Errorf("%w: %s holds backups of a log with keyring %s, this one's is %s: take another directory", ErrOther, d.path, m.Keyring, id)
		}
	}
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	made := now().UTC().Truncate(time.Millisecond)
	m := &Manifest{Format: format, MadeAt: made, MadeBy: src.MadeBy, Keyring: id, Clock: src.Clock,
		ID:      fmt.Sprintf("%s-%d", made.Format("20060102T150405.000Z"), head.Seq),
		HeadSeq: uint64(head.Seq), HeadTime: head.Time, Chain: hex.EncodeToString(head.Chain[:]), FirstSeq: uint64(head.First)}
	if slices.ContainsFunc(before, func(b *Manifest) bool { return b.ID == m.ID }) {
		return nil, fmt.Errorf("backup: %s exists: %w: try again", m.ID, fs.ErrExist)
	}
	if err := d.copyLog(ctx, src.Staging, m, o, before); err != nil {
		return nil, err
	}
	raw, _, err := keyringOf(src) // anew: keys may have been destroyed while the log was copied
	if err != nil {
		return nil, err
	}
	if err := d.putKeyring(raw); err != nil {
		return nil, err
	}
	text, err := encodeManifest(m)
	if err == nil {
		err = writeFile(d.join(manifestsDir, m.ID+".json"), text)
	}
	if err != nil {
		return nil, fmt.Errorf("backup: manifest: %w", err)
	}
	return m, nil
}

func keyringOf(src Source) (raw []byte, id string, err error) {
	if raw, err = src.Keyring(); err != nil {
		return nil, "", fmt.Errorf("backup: keyring: %w", err)
	}
	id, err = seal.KeyringID(raw)
	return raw, id, err
}

func headOf(ctx context.Context, dir string) (head eventlog.Head, err error) {
	l, err := pebblelog.Open(pebblelog.Options{Dir: dir, ReadOnly: true, ScrubRate: -1})
	if err != nil {
		return head, fmt.Errorf("backup: the copy: %w", err)
	}
	head, err = l.Head(ctx)
	if err = errors.Join(err, l.Close()); err == nil && head.Seq == 0 {
		err = errors.New("backup: the log is empty: there is nothing to back up yet")
	}
	return head, err
}

// copyLog copies the files that the directory does not have.
func (d *Dir) copyLog(ctx context.Context, from string, m *Manifest, o *Options, before []*Manifest) error {
	files, total, err := filesBelow(from)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	known := map[File]string{} // without sum -> sum
	for _, b := range before {
		for _, f := range b.Files {
			sum := f.SHA256
			f.SHA256 = ""
			known[f] = sum
		}
	}
	missing := int64(0)
	for _, f := range files {
		if known[f] == "" {
			missing += f.Bytes
		}
	}
	if err := roomFor(d.path, missing); err != nil {
		return err
	}
	p, done := &pace{rate: o.Rate}, int64(0)
	step := func(n int) {
		if done += int64(n); o.Progress != nil {
			o.Progress(done, total)
		}
	}
	for _, f := range files {
		if sum, ok := known[f]; ok && d.hasObject(sum, f.Bytes) {
			f.SHA256 = sum
			step(int(f.Bytes))
		} else if err := d.copyObject(ctx, filepath.Join(from, filepath.FromSlash(f.Path)), &f, m, p, step); err != nil {
			return fmt.Errorf("backup: %s: %w", f.Path, err)
		}
		m.Files = append(m.Files, f)
		m.Bytes += f.Bytes
	}
	return syncDir(d.join(objectsDir))
}

func (d *Dir) hasObject(sum string, bytes int64) bool {
	st, err := os.Stat(d.object(sum))
	return err == nil && st.Size() == bytes
}

// copyObject stores a file under its SHA-256, which is known once it was copied.
func (d *Dir) copyObject(ctx context.Context, path string, f *File, m *Manifest, p *pace, step func(int)) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	part := d.join(objectsDir, "new"+unfinished)
	n, sum, err := copyFile(ctx, from, part, p, step)
	if err != nil {
		return err
	}
	if n != f.Bytes {
		return errors.Join(fmt.Errorf("has %d bytes, had %d: it changed meanwhile", n, f.Bytes), os.Remove(part))
	}
	f.SHA256 = sum
	if !d.hasObject(sum, n) {
		m.Added += n
	}
	return os.Rename(part, d.object(sum))
}

// filesBelow lists regular files, by path, and the sum of their lengths.
func filesBelow(dir string) (files []File, total int64, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files = append(files, File{Path: filepath.ToSlash(rel), Bytes: info.Size(), Modified: info.ModTime().UnixNano()})
		total += info.Size()
		return nil
	})
	return files, total, err
}
