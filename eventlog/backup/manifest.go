package backup

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// ReadList is Dir.List of a directory that is not held: also while a backup is under way there.
func ReadList(path string) ([]*Manifest, error) {
	d := Dir{path: path}
	return d.List()
}

// List returns the manifests of all backups, oldest first. One that cannot be read is an error (ErrDamaged) beside those
// that can.
func (d *Dir) List() ([]*Manifest, error) {
	entries, err := os.ReadDir(d.join(manifestsDir))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, fmt.Errorf("backup: %w", err)
	}
	var all []*Manifest
	var damage []error
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		m, err := d.manifest(id)
		if err != nil {
			damage = append(damage, err)
			continue
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *Manifest) int { return cmp.Or(a.MadeAt.Compare(b.MadeAt), cmp.Compare(a.ID, b.ID)) })
	return all, errors.Join(damage...)
}

// Find returns the backup with this id; "" is the newest.
func (d *Dir) Find(id string) (*Manifest, error) {
	all, err := d.List()
	switch {
	case id != "" && slices.ContainsFunc(all, func(m *Manifest) bool { return m.ID == id }):
		return all[slices.IndexFunc(all, func(m *Manifest) bool { return m.ID == id })], nil
	case id == "" && len(all) > 0:
		return all[len(all)-1], nil
	case err != nil:
		return nil, err
	case id == "":
		return nil, fmt.Errorf("%w: %s holds none", ErrNone, d.path)
	}
	return nil, fmt.Errorf("%w: %s holds no %.64q", ErrNone, d.path, id)
}

func (d *Dir) manifest(id string) (*Manifest, error) {
	raw, err := os.ReadFile(d.join(manifestsDir, id+".json"))
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	m, err := decodeManifest(raw)
	if err == nil && m.ID != id {
		err = fmt.Errorf("it is of %q", m.ID)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: manifest %s: %w", ErrDamaged, id, err)
	}
	return m, nil
}

func encodeManifest(m *Manifest) ([]byte, error) {
	line, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(line)
	return fmt.Appendf(line, "\n%q\n", hex.EncodeToString(sum[:])), nil
}

// decodeManifest refuses what encodeManifest did not write, and paths that lead out of the log.
func decodeManifest(raw []byte) (*Manifest, error) {
	line, rest, ok := bytes.Cut(raw, []byte("\n"))
	sum := sha256.Sum256(line)
	if !ok || string(rest) != fmt.Sprintf("%q\n", hex.EncodeToString(sum[:])) {
		return nil, errors.New("its SHA-256 is wrong")
	}
	m := &Manifest{}
	if err := json.Unmarshal(line, m); err != nil {
		return nil, err
	}
	if m.Format != format {
		return nil, fmt.Errorf("format %d, this build reads %d", m.Format, format)
	}
	if !isSum(m.Chain) || m.HeadSeq == 0 || len(m.Files) == 0 {
		return nil, errors.New("a field is out of range")
	}
	for _, f := range m.Files {
		if !isSum(f.SHA256) || f.Bytes < 0 || f.Path != path.Clean(f.Path) || path.IsAbs(f.Path) || strings.HasPrefix(f.Path, "..") {
			return nil, fmt.Errorf("file %q is out of range", f.Path)
		}
	}
	return m, nil
}

// Prune removes all backups but the newest `keep`, then what no backup needs: files of those removed, and what was left
// by one that was interrupted. It does nothing while a manifest cannot be read: that one's files would look unneeded.
func (d *Dir) Prune(keep int) (removed []string, err error) {
	all, err := d.List()
	if err != nil {
		return nil, err
	}
	for len(all) > max(keep, 1) {
		if err := os.Remove(d.join(manifestsDir, all[0].ID+".json")); err != nil {
			return removed, fmt.Errorf("backup: %w", err)
		}
		removed = append(removed, all[0].ID)
		all = all[1:]
	}
	if len(removed) > 0 { // before the files that they named
		if err := syncDir(d.join(manifestsDir)); err != nil {
			return removed, err
		}
	}
	return removed, d.sweep(all)
}

// sweep removes files that none of the backups needs.
func (d *Dir) sweep(all []*Manifest) error {
	needed := map[string]bool{}
	for _, m := range all {
		for _, f := range m.Files {
			needed[f.SHA256] = true
		}
	}
	for _, dir := range []string{d.path, d.join(manifestsDir), d.join(objectsDir)} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		for _, e := range entries {
			stale := strings.HasSuffix(e.Name(), unfinished)
			if dir == d.join(objectsDir) {
				stale = stale || isSum(e.Name()) && !needed[e.Name()]
			}
			if stale {
				if err := os.Remove(d.join(strings.TrimPrefix(dir, d.path), e.Name())); err != nil {
					return fmt.Errorf("backup: %w", err)
				}
			}
		}
	}
	return nil
}
