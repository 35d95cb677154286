// Package installed keeps the plugins of a data directory: one file each, copied and named by its SHA-256, and a manifest
// that pins it, in DIR/plugins/installed.
//
// What a manifest names is there before the manifest is: a crash in the middle of an installation leaves the one before.
// Nothing here runs a plugin; the manifest is the truth about what it said of itself when it was installed. Functions are
// safe for concurrent use by processes: the last installation of a name wins whole.
package installed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// ErrNone: no plugin of that name is installed.
var ErrNone = errors.New("installed: no such plugin")

// Manifest is one installed plugin.
type Manifest struct {
	Name           string          `json:"name"`
	Version        string          `json:"version"`
	SHA256         string          `json:"sha256"` // hex, of File
	File           string          `json:"file"`   // beside the manifest
	Config         json.RawMessage `json:"config,omitempty"`
	ConfigSchema   json.RawMessage `json:"config_schema,omitempty"`
	EndpointSchema json.RawMessage `json:"endpoint_schema,omitempty"`
	Memory         int64           `json:"memory_bytes"` // 0: unlimited
	InstalledAt    time.Time       `json:"installed_at"`
}

// Store is the plugins of one data directory.
type Store struct{ dir string }

// In is the store of a data directory; nothing is made before the first Install.
func In(data string) Store { return Store{filepath.Join(data, "plugins", "installed")} }

// Path is where a manifest's file lies.
func (s Store) Path(m *Manifest) string { return filepath.Join(s.dir, m.File) }

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// Copy copies a file into the store and returns its name there and its SHA-256. It is not installed before Install.
func (s Store) Copy(source string) (file, sum string, err error) {
	src, err := os.Open(source)
	if err != nil {
		return "", "", fmt.Errorf("installed: %w", err)
	}
	defer src.Close()
	if st, err := src.Stat(); err != nil || !st.Mode().IsRegular() {
		return "", "", fmt.Errorf("installed: %s is no regular file", source)
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return "", "", fmt.Errorf("installed: %w", err)
	}
	part, err := os.CreateTemp(s.dir, "part-*")
	if err != nil {
		return "", "", fmt.Errorf("installed: %w", err)
	}
	defer os.Remove(part.Name()) // gone once renamed
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(part, h), src)
	if err = errors.Join(err, part.Chmod(0o500), part.Sync(), part.Close()); err != nil {
		return "", "", fmt.Errorf("installed: copying %s: %w", source, err)
	}
	sum = hex.EncodeToString(h.Sum(nil))
	file = sum + ".plugin"
	if err = os.Rename(part.Name(), filepath.Join(s.dir, file)); err == nil {
		err = syncDir(s.dir)
	}
	if err != nil {
		return "", "", fmt.Errorf("installed: %w", err)
	}
	return file, sum, nil
}

// Install makes a copied plugin the one of its name, durably, and removes files that no manifest names.
func (s Store) Install(m *Manifest) error {
	if !validName.MatchString(m.Name) {
		return fmt.Errorf("installed: name %q: want a lower-case letter, then up to 31 of a-z, 0-9 and -", m.Name)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("installed: %w", err)
	}
	part, err := os.CreateTemp(s.dir, "part-*")
	if err != nil {
		return fmt.Errorf("installed: %w", err)
	}
	defer os.Remove(part.Name())
	_, err = part.Write(append(text, '\n')) // CreateTemp's 0600: Config may hold a password
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("installed: %w", err)
	}
	if err = os.Rename(part.Name(), s.manifest(m.Name)); err == nil {
		err = syncDir(s.dir)
	}
	if err != nil {
		return fmt.Errorf("installed: %w", err)
	}
	return s.tidy()
}

func (s Store) manifest(name string) string { return filepath.Join(s.dir, name+".json") }

// Get reads one manifest; ErrNone when there is none.
func (s Store) Get(name string) (*Manifest, error) {
	if !validName.MatchString(name) {
		return nil, fmt.Errorf("%w: %q", ErrNone, name)
	}
	text, err := os.ReadFile(s.manifest(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %q", ErrNone, name)
	}
	if err != nil {
		return nil, fmt.Errorf("installed: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("installed: %s: %w: install the plugin again", s.manifest(name), err)
	}
	if m.Name != name || m.File != filepath.Base(m.File) || len(m.SHA256) != 64 {
		return nil, fmt.Errorf("installed: %s does not fit its name: install the plugin again", s.manifest(name))
	}
	return &m, nil
}

// List reads every manifest, by name. A missing directory holds none.
func (s Store) List() ([]*Manifest, error) {
	paths, err := filepath.Glob(filepath.Join(s.dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("installed: %w", err)
	}
	slices.Sort(paths)
	var out []*Manifest
	for _, p := range paths {
		m, err := s.Get(strings.TrimSuffix(filepath.Base(p), ".json"))
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Remove takes a plugin away; ErrNone when there is none. A server that runs it keeps it until it ends.
func (s Store) Remove(name string) error {
	if _, err := s.Get(name); errors.Is(err, ErrNone) {
		return err
	}
	if err := errors.Join(os.Remove(s.manifest(name)), syncDir(s.dir)); err != nil {
		return fmt.Errorf("installed: %w", err)
	}
	return s.tidy()
}

// tidy removes the plugin files that no manifest names and that are older than an hour: a younger one may be about to be
// installed.
func (s Store) tidy() error {
	all, err := s.List()
	if err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(s.dir, "*.plugin"))
	if err != nil {
		return fmt.Errorf("installed: %w", err)
	}
	for _, p := range paths {
		named := slices.ContainsFunc(all, func(m *Manifest) bool { return m.File == filepath.Base(p) })
		if st, err := os.Stat(p); !named && err == nil && time.Since(st.ModTime()) > time.Hour {
			_ = os.Remove(p)
		}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
