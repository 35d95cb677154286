package profiledir_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookline/hookline/cmd/hookline/profiledir"
	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/profile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running notes what it is given, as an engine that counts versions.
type running struct {
	mu      sync.Mutex
	refuse  error
	hash    map[string][32]byte
	version map[string]int
	faults  chan map[string]string // one for each reload
}

func (r *running) DefineProfiles(_ context.Context, profiles []*profile.Profile) (defined []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refuse; err != nil {
		r.refuse = nil
		return nil, err
	}
	for _, p := range profiles {
		if r.hash[p.Name] != p.Hash {
			r.hash[p.Name] = p.Hash
			r.version[p.Name]++
			defined = append(defined, fmt.Sprint(p.Name, r.version[p.Name]))
		}
	}
	return defined, nil
}

func (r *running) ReportProfileFaults(faults map[string]string) { r.faults <- faults }

func (r *running) versions() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprint(r.version)
}

type rig struct {
	*running
	t    *testing.T
	dir  string
	open *profiledir.Dir
	now  chan os.Signal
}

func (r *rig) write(file, name string, replace ...string) {
	r.t.Helper()
	content, err := profile.Start(name)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, file), []byte(strings.NewReplacer(replace...).Replace(string(content))), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func newRig(t *testing.T) *rig {
	return &rig{t: t, dir: t.TempDir(), now: make(chan os.Signal, 1),
		running: &running{hash: map[string][32]byte{}, version: map[string]int{}, faults: make(chan map[string]string, 100)}}
}

// follow starts it with what is there.
func (r *rig) follow() {
	r.t.Helper()
	var err error
	if r.open, err = profiledir.Open(r.dir, slog.New(slog.DiscardHandler)); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.DefineProfiles(r.t.Context(), r.open.Profiles()); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.open.Follow(ctx, r.running, r.now) }()
	r.t.Cleanup(func() { cancel(); <-done })
}

// reloaded waits for the next reload and tells what it found wrong.
func (r *rig) reloaded() map[string]string {
	r.t.Helper()
	select {
	case faults := <-r.faults:
		return faults
	case <-time.After(10 * time.Second):
		r.t.Fatal("no reload within 10 s")
		return nil
	}
}

// hup asks for a look at once.
func (r *rig) hup() map[string]string { r.t.Helper(); r.now <- syscall.SIGHUP; return r.reloaded() }

// A change is taken up without being asked for; a mistake is told, and what ran stays; the correction is taken up again.
func TestFollow(t *testing.T) {
	r := newRig(t)
	r.write("acme.yaml", "acme")
	r.write("notes.txt", "not-a-profile")
	r.follow()
	if got := r.versions(); got != "map[acme:1]" {
		t.Fatal(got)
	}
	r.write("acme.yaml", "acme", "timeout: 30s", "timeout: 5s")
	if faults := r.reloaded(); len(faults) != 0 || r.versions() != "map[acme:2]" {
		t.Fatalf("%v, %s", faults, r.versions())
	}
	r.write("acme.yaml", "acme", "timeout: 30s", "timeout: 5 minutes")
	if faults := r.reloaded(); !strings.Contains(faults["acme"], "acme.yaml:12: timeout:") || r.versions() != "map[acme:2]" {
		t.Fatalf("%v, %s", faults, r.versions())
	}
	r.write("other.yaml", "other")
	if faults := r.reloaded(); faults["acme"] == "" || r.versions() != "map[acme:2 other:1]" { // still told, and no obstacle
		t.Fatalf("%v, %s", faults, r.versions())
	}
	r.write("acme.yaml", "acme", "timeout: 30s", "timeout: 6s")
	if faults := r.reloaded(); len(faults) != 0 || r.versions() != "map[acme:3 other:1]" {
		t.Fatalf("%v, %s", faults, r.versions())
	}
}

// SIGHUP looks at once; a name that is taken is refused and told, until it is free; a file that is gone changes nothing.
func TestNames(t *testing.T) {
	r := newRig(t)
	r.write("a.yaml", "acme")
	r.follow()
	r.write("b.yaml", "acme", "timeout: 30s", "timeout: 5s")
	r.write("c.yaml", "other", "name: other", "name: osir")
	if faults := r.hup(); !strings.Contains(faults["acme"], "b.yaml: name: acme is the name") || !strings.Contains(faults["osir"], "c.yaml: name: osir is built in") || r.versions() != "map[acme:1]" {
		t.Fatalf("%v, %s", faults, r.versions())
	}
	if err := errors.Join(os.Remove(filepath.Join(r.dir, "a.yaml")), os.Remove(filepath.Join(r.dir, "c.yaml"))); err != nil {
		t.Fatal(err)
	}
	if faults := r.hup(); len(faults) != 0 || r.versions() != "map[acme:2]" {
		t.Fatalf("%v, %s", faults, r.versions())
	}
	if err := os.Remove(filepath.Join(r.dir, "b.yaml")); err != nil {
		t.Fatal(err)
	}
	if faults := r.hup(); len(faults) != 0 || r.versions() != "map[acme:2]" {
		t.Fatalf("%v, %s", faults, r.versions())
	}
}

// What the engine refuses is told; what it cannot take at the moment is offered again by itself.
func TestRefused(t *testing.T) {
	r := newRig(t)
	r.write("acme.yaml", "acme")
	r.follow()
	for code, again := range map[engine.Code]bool{engine.CodeConflict: false, engine.CodeDiskLow: true} {
		r.mu.Lock()
		r.refuse = &engine.Error{Code: code, Detail: "no"}
		r.mu.Unlock()
		if faults := r.hup(); faults["acme"] != "no" {
			t.Fatalf("%v", faults)
		}
		if again {
			if faults := r.reloaded(); len(faults) != 0 {
				t.Fatalf("offered again: %v", faults)
			}
		}
	}
}

// Nothing starts with a mistake; all of them are told.
func TestOpenRefuses(t *testing.T) {
	r := newRig(t)
	r.write("a.yaml", "acme", "timeout", "timout", "{order: {id: \"ord_1001\", total: 4200}}", "{order: {}}")
	r.write("b.yaml", "other", "name: other", "name: stripe")
	_, err := profiledir.Open(r.dir, slog.New(slog.DiscardHandler))
	for _, want := range []string{"a.yaml:12: unknown field \"timout\"", ": events[0].example: does not fit the schema", "b.yaml: name: stripe is built in"} {
		if !errors.Is(err, profiledir.ErrProfiles) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	if _, err := profiledir.Open(filepath.Join(r.dir, "none"), slog.New(slog.DiscardHandler)); !errors.Is(err, profiledir.ErrProfiles) {
		t.Errorf("no directory: %v", err)
	}
}
