// Package profiledir keeps a directory of a provider's own profiles in use: every *.yaml is one profile.
//
// It promises that nothing starts with a file that has a mistake; that later a mistake is told and the profile that runs
// stays; that a file is read only once it has stopped changing; and that a profile whose file is gone stays as it was.
//
// Open reads; Follow runs until its context ends, in the caller's goroutine. Nobody closes anything.
package profiledir

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/profile"
)

// ErrProfiles: a directory that cannot be used. The message names each file, line, field and fix.
var ErrProfiles = errors.New("profiles")

// Interval is how often Follow looks at the directory. A change is taken up when it was seen twice in a row.
const Interval = 500 * time.Millisecond

// Dir is a directory of profiles, as last read. It belongs to one goroutine.
type Dir struct {
	path   string
	logger *slog.Logger
	stamps map[string]stamp // of the reading
	files  map[string]file
	taken  map[string]error // by file: why the name of its profile cannot be had
}

// stamp is what tells, without reading, that a file changed.
type stamp struct {
	modified time.Time
	size     int64
}

// file is one reading of a file.
type file struct {
	sum     [32]byte
	profile *profile.Profile // the last one without a mistake; nil = never had one
	fault   error            // of this reading
}

// Open reads every *.yaml in a directory. Any mistake is an error; all are told.
func Open(path string, logger *slog.Logger) (*Dir, error) {
	d := &Dir{path: path, logger: logger, files: map[string]file{}}
	if err := d.read(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProfiles, err)
	}
	faults := d.faults()
	var all []error
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		all = append(all, faults[name])
	}
	if err := errors.Join(all...); err != nil {
		return nil, fmt.Errorf("%w:\n%w", ErrProfiles, err)
	}
	return d, nil
}

// Profiles are the profiles in use, by name of their files.
func (d *Dir) Profiles() []*profile.Profile {
	var all []*profile.Profile
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		if p := d.files[name].profile; p != nil && d.taken[name] == nil {
			all = append(all, p)
		}
	}
	return all
}

// faults are the mistakes by file.
func (d *Dir) faults() map[string]error {
	out := maps.Clone(d.taken)
	for name, f := range d.files {
		if f.fault != nil {
			out[name] = f.fault
		}
	}
	return out
}

// look takes the stamps of all files, without reading one.
func (d *Dir) look() (map[string]stamp, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	out := map[string]stamp{}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".yaml" {
			continue
		}
		info, err := os.Stat(filepath.Join(d.path, e.Name())) // through links
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone meanwhile
		} else if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			out[e.Name()] = stamp{info.ModTime(), info.Size()}
		}
	}
	return out, nil
}

// read reads all files. Those whose content is what it was keep their reading.
func (d *Dir) read() error {
	stamps, err := d.look()
	if err != nil {
		return err
	}
	files := map[string]file{}
	for name := range stamps {
		path := filepath.Join(d.path, name)
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		f := file{sum: sha256.Sum256(content)}
		had, known := d.files[name]
		if known && had.sum == f.sum {
			files[name] = had
			continue
		}
		if f.profile, f.fault = profile.Lint(path, content); f.fault != nil {
			f.profile = had.profile
		}
		files[name] = f
	}
	d.stamps, d.files = stamps, files
	d.checkNames()
	return nil
}

// checkNames refuses names that are taken: by a built-in profile, or by a file before this one.
func (d *Dir) checkNames() {
	builtin := map[string]bool{}
	for _, p := range profile.Builtin() {
		builtin[p.Name] = true
	}
	d.taken = map[string]error{}
	first := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		p := d.files[name].profile
		if p == nil {
			continue
		}
		path := filepath.Join(d.path, name)
		fault := &profile.Error{File: path, Field: "name"}
		switch {
		case builtin[p.Name]:
			fault.Message = p.Name + " is built in and cannot be replaced; choose another name and move tenants to it"
		case first[p.Name] != "":
			fault.Message = fmt.Sprintf("%s is the name of the profile in %s too; choose another", p.Name, first[p.Name])
		default:
			first[p.Name] = path
			continue
		}
		d.taken[name] = fault
	}
}

// Engine takes profiles into use.
type Engine interface {
	// DefineProfiles makes changed ones the next version; it tells which.
	DefineProfiles(ctx context.Context, profiles []*profile.Profile) ([]string, error)
	// ReportProfileFaults shows, by profile name, why a newer file is not in use.
	ReportProfileFaults(faults map[string]string)
}

// again is after how many looks a profile is offered anew that the engine could not take for a reason of its own.
const again = 4

// Follow takes changes of the directory into use until ctx ends; now asks for a look at once, whatever the stamps say.
func (d *Dir) Follow(ctx context.Context, e Engine, now <-chan os.Signal) {
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	seen, wait := d.stamps, 0
	for {
		forced := false
		select {
		case <-ctx.Done():
			return
		case <-now:
			forced = true
		case <-tick.C:
		}
		stamps, err := d.look()
		if err != nil {
			d.logger.Error("the profiles' directory cannot be read; what runs stays", "dir", d.path, "error", err)
			continue
		}
		changed, settled := !maps.Equal(stamps, d.stamps), maps.Equal(stamps, seen)
		seen = stamps
		if wait > 0 {
			wait--
			changed = changed || wait == 0
		}
		if forced || changed && settled {
			wait = 0
			if !d.reload(ctx, e) {
				wait = again
			}
		}
	}
}

// reload reads and defines. false = the engine could not take it now.
func (d *Dir) reload(ctx context.Context, e Engine) bool {
	before, told := d.files, d.faults()
	if err := d.read(); err != nil {
		d.logger.Error("the profiles' directory cannot be read; what runs stays", "dir", d.path, "error", err)
		return false
	}
	for name := range before {
		if _, ok := d.files[name]; !ok {
			d.logger.Warn("a profile's file is gone; the profile stays as it was", "file", filepath.Join(d.path, name))
		}
	}
	shown := map[string]string{}
	for name, fault := range d.faults() {
		if told[name] == nil || told[name].Error() != fault.Error() {
			d.logger.Error("a profile was not taken; what runs stays", "file", filepath.Join(d.path, name), "error", fault)
		}
		if p := d.files[name].profile; p != nil {
			shown[p.Name] = fault.Error()
		}
	}
	done := true
	for _, p := range d.Profiles() { // one by one: one that the engine refuses holds up no other
		defined, err := e.DefineProfiles(ctx, []*profile.Profile{p})
		switch {
		case err != nil:
			d.logger.Error("a profile was not taken; what runs stays", "profile", p.Name, "error", err)
			shown[p.Name] = err.Error()
			var refused *engine.Error
			done = done && errors.As(err, &refused) && refused.Code == engine.CodeConflict
		case len(defined) > 0:
			d.logger.Info("a profile was defined", "profile", defined[0])
		}
	}
	e.ReportProfileFaults(shown)
	return done
}
