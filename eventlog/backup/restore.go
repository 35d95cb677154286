package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/pebblelog"
)

// Until is a point in a log's past: the end of the last batch that lies at or before it. The zero value is the end.
type Until struct {
	Seq  eventlog.Seq // 0 = by time
	Time int64        // Unix ms; 0 = by seq
}

func (u Until) zero() bool { return u == Until{} }

// within says whether a batch lies at or before the point.
func (u Until) within(b *eventlog.Batch) bool {
	if u.Seq != 0 {
		return b.Last() <= u.Seq
	}
	return b.Records[len(b.Records)-1].Time <= u.Time
}

func (u Until) String() string {
	if u.Seq != 0 {
		return fmt.Sprintf("seq %d", u.Seq)
	}
	return fmt.Sprintf("time %d ms", u.Time)
}

// FindFor returns the newest backup that reaches a point in the past. ErrNone when none does.
func (d *Dir) FindFor(u Until) (*Manifest, error) {
	newest, err := d.Find("")
	if err != nil || u.zero() {
		return newest, err
	}
	if u.Seq > eventlog.Seq(newest.HeadSeq) || u.Seq == 0 && u.Time > newest.HeadTime {
		return nil, fmt.Errorf("%w: the newest one, %s, ends at seq %d, time %d ms, before %s", ErrNone, newest.ID, newest.HeadSeq, newest.HeadTime, u)
	}
	return newest, nil
}

// Target is where a restore writes.
type Target struct {
	Log     string // a directory that does not exist
	Keyring string // a file that does not exist
	Staging string // a directory that does not exist; used with Until
	Until   Until
	// Progress, if not nil, is told what is done and of how much: first bytes copied, then records proved.
	Progress func(what string, done, total int64)
	// OnFatal ends the process when the disk fails; see pebblelog.Options.
	OnFatal func(error)
}

// Restore writes the log of a backup, and the keyring, and proves both files and chain before it returns. Its head is that
// of the manifest, or with Until the end of the last batch at or before it. On error what it wrote is no log; the caller
// removes it. Errors wrap ErrDamaged or eventlog.ErrCorrupt where the backup is not what was written.
func (d *Dir) Restore(ctx context.Context, m *Manifest, t Target) (eventlog.Head, error) {
	if t.Progress == nil {
		t.Progress = func(string, int64, int64) {}
	}
	if err := roomFor(filepath.Dir(t.Log), m.Bytes); err != nil {
		return eventlog.Head{}, err
	}
	into := t.Log
	if !t.Until.zero() {
		into = t.Staging
	}
	if err := d.putLog(ctx, m, into, t.Progress); err != nil {
		return eventlog.Head{}, err
	}
	head, err := proved(ctx, m, into, &t)
	if err == nil && !t.Until.zero() {
		head, err = cutAt(ctx, into, &t, head)
		err = errors.Join(err, os.RemoveAll(into))
	}
	if err != nil {
		return eventlog.Head{}, err
	}
	_, raw, err := d.keyring()
	if err != nil {
		return eventlog.Head{}, err
	}
	if err := writeFile(t.Keyring, raw); err != nil {
		return eventlog.Head{}, fmt.Errorf("backup: restore: %w", err)
	}
	return head, nil
}

// putLog copies the log's files out of the backup.
func (d *Dir) putLog(ctx context.Context, m *Manifest, into string, progress func(string, int64, int64)) error {
	if _, err := os.Lstat(into); err == nil {
		return fmt.Errorf("backup: restore: %s: %w: restore into an empty directory", into, os.ErrExist)
	}
	done, dirs := int64(0), map[string]bool{}
	for _, f := range m.Files {
		to := filepath.Join(into, filepath.FromSlash(f.Path))
		if dir := filepath.Dir(to); !dirs[dir] {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("backup: restore: %w", err)
			}
			dirs[dir] = true
		}
		from, err := os.Open(d.object(f.SHA256))
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%w: %s of %s is missing", ErrDamaged, f.Path, m.ID)
		}
		if err != nil {
			return fmt.Errorf("backup: restore: %w", err)
		}
		n, sum, err := copyFile(ctx, from, to, &pace{}, func(n int) { done += int64(n); progress("copying", done, m.Bytes) })
		if err = errors.Join(err, from.Close()); err != nil {
			return fmt.Errorf("backup: restore: %s: %w", f.Path, err)
		}
		if n != f.Bytes || sum != f.SHA256 {
			return fmt.Errorf("%w: %s of %s is not what was written: its SHA-256 is %s, want %s", ErrDamaged, f.Path, m.ID, sum, f.SHA256)
		}
	}
	for dir := range dirs {
		if err := syncDir(dir); err != nil {
			return fmt.Errorf("backup: restore: %w", err)
		}
	}
	return nil
}

// proved recomputes the whole chain and compares its end with the manifest's.
func proved(ctx context.Context, m *Manifest, dir string, t *Target) (head eventlog.Head, err error) {
	l, err := pebblelog.Open(pebblelog.Options{Dir: dir, ReadOnly: true, ScrubRate: -1, OnFatal: t.OnFatal})
	if err != nil {
		return head, fmt.Errorf("backup: restore: %w", err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	r, err := l.Verify(ctx, func(done, total eventlog.Seq, _ int64) { t.Progress("proving", int64(done), int64(total)) })
	if err != nil {
		return head, fmt.Errorf("backup: restore: %w", err)
	}
	if want := m.Head(); r.Head != want {
		return head, fmt.Errorf("%w: %s ends at seq %d with chain %x, its manifest says seq %d, chain %x", ErrDamaged, m.ID, r.Head.Seq, r.Head.Chain, want.Seq, want.Chain)
	}
	return r.Head, nil
}

// cutAt copies the batches up to the point into the log's place.
func cutAt(ctx context.Context, from string, t *Target, end eventlog.Head) (head eventlog.Head, err error) {
	l, err := pebblelog.Open(pebblelog.Options{Dir: from, ReadOnly: true, ScrubRate: -1, OnFatal: t.OnFatal})
	if err != nil {
		return head, fmt.Errorf("backup: restore: %w", err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	c, err := pebblelog.NewCopy(pebblelog.Options{Dir: t.Log, OnFatal: t.OnFatal})
	if err != nil {
		return head, err
	}
	for b, err := range l.Batches(ctx, 0) {
		if err == nil {
			if !t.Until.within(&b) {
				break
			}
			err = c.Add(&b)
		}
		if err != nil {
			return head, errors.Join(fmt.Errorf("backup: restore: %w", err), c.Discard())
		}
		t.Progress("cutting", int64(b.Last()), int64(end.Seq))
	}
	if c.Head().Seq == 0 {
		return head, errors.Join(fmt.Errorf("backup: restore: no batch ends at or before %s: the log began later", t.Until), c.Discard())
	}
	return c.Head(), c.Finish()
}
