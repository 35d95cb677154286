package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// profileSet is what tenants may have now. It is immutable; a change makes another one.
type profileSet struct{ list []providedProfile }

// providedProfile is the newest version of a profile.
type providedProfile struct {
	*profile.Profile
	seq     eventlog.Seq // of its profile.defined
	version uint32       // counted by the log
	fault   string       // why a newer file of it is not in use; "" = there is none
}

// DefineProfiles makes the profiles the ones in use, each as the next version of its name where it differs from the newest
// one: tenants follow at once, pending deliveries keep the schedule they began with, and records keep the version they
// were decided under. It returns what became new, as "name version n"; all or nothing.
func (e *Engine) DefineProfiles(ctx context.Context, profiles []*profile.Profile) (defined []string, err error) {
	err = e.change(ctx, func(s *sequencer) error {
		for _, p := range profiles {
			if err := s.mayDefine(p); err != nil {
				return err
			}
		}
		defined = nil
		for _, p := range profiles {
			version, err := s.defineProfile(p)
			if err != nil {
				return err
			}
			if version > 0 {
				defined = append(defined, fmt.Sprintf("%s version %d", p.Name, version))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return defined, e.do(ctx, func(s *sequencer) error { // what is provided is durable
		e.provide(s.st)
		return nil
	})
}

// ReportProfileFaults shows, with the profiles by name, why newer files of them are not in use.
func (e *Engine) ReportProfileFaults(faults map[string]string) {
	for {
		had := e.provided.Load()
		next := &profileSet{list: slices.Clone(had.list)}
		for i := range next.list {
			next.list[i].fault = faults[next.list[i].Name]
		}
		if e.provided.CompareAndSwap(had, next) {
			return
		}
	}
}

// mayDefine refuses a version that the tenants who would follow cannot have.
func (s *sequencer) mayDefine(p *profile.Profile) error {
	had, ok := s.st.LatestProfile(p.Name)
	if !ok || had.HTTPSOnly || !p.HTTPSOnly {
		return nil
	}
	var found error
	s.st.Tenants(func(t *state.Tenant) {
		if t.Profile == had.Seq && len(t.Endpoints) > 0 {
			found = conflict("profile %s cannot become https-only: tenant %q has endpoints, which may be without TLS; give the stricter profile another name and move tenants to it", p.Name, t.ID)
		}
	})
	return found
}

// defineProfile appends a version where the content is new. 0 = it is not.
func (s *sequencer) defineProfile(p *profile.Profile) (version uint32, err error) {
	had, ok := s.st.LatestProfile(p.Name)
	if ok && had.Hash == p.Hash {
		s.e.profiles.Store(had.Seq, p)
		return 0, nil
	}
	sealer, err := s.e.cfg.Keyring.Sealer("")
	if err != nil {
		return 0, err
	}
	version = 1
	if ok {
		version = had.Version + 1
	}
	facts := record.ProfileDefined{Name: p.Name, Version: version, Hash: p.Hash, TimeoutMS: uint32(p.Timeout.Milliseconds()),
		Schedule: p.Schedule, DisableOnFail: p.DisableAfterExhausted, SuppressAfter: uint32(p.SuppressAfter), HTTPSOnly: p.HTTPSOnly,
		GoneDisables: p.GoneDisables, RetryAfterCapMS: uint64(p.RetryAfterCap.Milliseconds()), WarnAt: p.WarnAt}
	seq := s.appendFacts(record.TypeProfileDefined, "", &facts, sealSection(sealer, "", record.TypeProfileDefined, 0, p.Content))
	s.e.profiles.Store(seq, p)
	return version, nil
}

// provide makes the set of the newest versions: the built-in ones first, then the others by name. One that is in the log
// alone, since its file is gone, stays as it was.
func (e *Engine) provide(st *state.State) {
	place := map[string]int{}
	for i, p := range e.cfg.Profiles {
		place[p.Name] = i + 1
	}
	set := &profileSet{}
	faults := map[string]string{}
	if had := e.provided.Load(); had != nil {
		for _, p := range had.list {
			faults[p.Name] = p.fault
		}
	}
	for _, latest := range st.LatestProfiles() {
		p, err := e.profileAt(latest.Seq)
		if err != nil {
			e.cfg.Logger.Error("a profile of the log cannot be used", "profile", latest.Name, "version", latest.Version, "error", err)
			continue
		}
		set.list = append(set.list, providedProfile{Profile: p, seq: latest.Seq, version: latest.Version, fault: faults[p.Name]})
	}
	slices.SortStableFunc(set.list, func(a, b providedProfile) int {
		x, y := place[a.Name], place[b.Name]
		switch {
		case x == 0 && y == 0:
			return 0
		case x == 0:
			return 1
		case y == 0:
			return -1
		}
		return x - y
	})
	e.provided.Store(set)
}

// Profiles lists the profiles a tenant may have.
func (e *Engine) Profiles() []Profile {
	set := e.provided.Load().list
	out := make([]Profile, 0, len(set))
	for _, p := range set {
		out = append(out, profileObject(p))
	}
	return out
}

// Profile returns one profile with its catalogue.
func (e *Engine) Profile(name string) (Profile, error) {
	p, ok := e.profileNamed(name)
	if !ok {
		return Profile{}, notFound("profile", name)
	}
	return profileObject(p), nil
}

func (e *Engine) profileNamed(name string) (providedProfile, bool) {
	for _, p := range e.provided.Load().list {
		if p.Name == name {
			return p, true
		}
	}
	return providedProfile{}, false
}

func (e *Engine) profileNames() []string {
	var names []string
	for _, p := range e.provided.Load().list {
		names = append(names, p.Name)
	}
	return names
}

// profileAt is the profile version of a record: parsed once.
func (e *Engine) profileAt(seq eventlog.Seq) (*profile.Profile, error) {
	if p, ok := e.profiles.Load(seq); ok {
		return p.(*profile.Profile), nil
	}
	r, err := e.cfg.Log.Get(context.Background(), seq)
	if err != nil {
		return nil, err
	}
	var facts record.ProfileDefined
	if err := facts.Decode(r.Facts); err != nil {
		return nil, err
	}
	content, err := e.openSection(r.Sections[0], "", r.Type, 0)
	if err != nil {
		return nil, err
	}
	p, err := profile.Load(facts.Name, content)
	if err != nil {
		return nil, fmt.Errorf("engine: profile %s version %d of the log: %w", facts.Name, facts.Version, err)
	}
	e.profiles.Store(seq, p)
	return p, nil
}

func profileObject(p providedProfile) Profile {
	o := Profile{Name: p.Name, Version: int(p.version), ReloadError: textOrNull(p.fault), Title: p.Title, Description: p.Description, HTTPSOnly: p.HTTPSOnly,
		Timeout: p.Timeout.String(), Schedule: texts(p.Schedule.Waits), Jitter: p.Schedule.Jitter, MaxAttempts: p.Schedule.MaxAttempts(),
		DisableAfterExhausted: p.DisableAfterExhausted, SuppressAfter: p.SuppressAfter, Strict: p.Strict, GoneDisables: p.GoneDisables, WarnAt: make([]int, len(p.WarnAt)), EventTypes: make([]EventType, len(p.EventTypes))}
	if p.Schedule.Limit > 0 {
		o.TimeLimit = ptr(p.Schedule.Limit.String())
	}
	if h := p.Handshake(); h != nil {
		o.Handshake = &Handshake{Origin: h.Origin}
		if h.Rate > 0 {
			o.Handshake.Rate = ptr(h.Rate)
		}
	}
	for _, sig := range p.Signatures() {
		o.Signatures = append(o.Signatures, Signature{Scheme: sig.Scheme, Headers: append([]string{}, sig.Headers...), Hash: textOrNull(sig.Hash),
			Encoding: textOrNull(sig.Encoding), Signs: textOrNull(sig.Signs), Prefix: textOrNull(sig.Prefix), Form: textOrNull(sig.Form),
			Version: textOrNull(sig.Version), Overlaps: sig.Overlaps})
	}
	if p.RetryAfterCap > 0 {
		o.RetryAfterCap = ptr(p.RetryAfterCap.String())
	}
	for i, percent := range p.WarnAt {
		o.WarnAt[i] = int(percent)
	}
	for i, t := range p.EventTypes {
		o.EventTypes[i] = EventType{Name: t.Name, Description: t.Description, Example: t.Example, Schema: t.Schema}
	}
	return o
}
