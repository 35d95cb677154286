package engine

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// Bounds of what people write.
const (
	MaxName       = 256
	MaxAttributes = 16 << 10
)

var tenantID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// sealedTenant is a tenant with its private part still sealed: what a command may take out of the sequencer.
type sealedTenant struct {
	state.Tenant
	profile *state.Profile
}

func (s *sequencer) tenant(id string) (*state.Tenant, error) { return s.reader().tenant(id) }

// CreateTenant makes a tenant. Without an id one is made; an id is never free again.
func (e *Engine) CreateTenant(ctx context.Context, by Actor, in TenantInput) (Tenant, error) {
	id := in.ID
	if id == "" {
		id = "ten_" + strings.ToLower(rand.Text())
	}
	if !tenantID.MatchString(id) {
		return Tenant{}, Invalid("id", "%q does not fit: want 1 to 64 of A-Z a-z 0-9 _ -", id)
	}
	if in.Profile == nil {
		name := profile.Default
		in.Profile = &name
	}
	if e.cfg.Keyring.Erased(id) {
		return Tenant{}, tenantTaken(id)
	}
	private := record.TenantPrivate{By: by.Name, Attributes: json.RawMessage("{}")}
	var out sealedTenant
	err := e.tenantChange(ctx, id, in, &private, func(s *sequencer, facts record.Tenant, sec eventlog.Section) error {
		if s.st.TenantTaken(id) {
			return tenantTaken(id)
		}
		s.appendFacts(record.TypeTenantCreated, id, &facts, sec)
		t, _ := s.st.Tenant(id)
		out = s.sealedTenant(t)
		return nil
	})
	if err != nil {
		return Tenant{}, err
	}
	return e.tenantObject(out)
}

func tenantTaken(id string) error {
	return conflict("tenant %q exists or existed: an id is never free again", id)
}

// tenantChange validates the input against its profile, seals the private part and runs fn in the sequencer.
func (e *Engine) tenantChange(ctx context.Context, id string, in TenantInput, private *record.TenantPrivate,
	fn func(s *sequencer, facts record.Tenant, sec eventlog.Section) error) error {
	if in.Name != nil {
		if len(*in.Name) > MaxName || !utf8.ValidString(*in.Name) {
			return Invalid("name", "has %d bytes, at most %d of UTF-8 are taken", len(*in.Name), MaxName)
		}
		private.Name = *in.Name
	}
	if in.Attributes != nil {
		private.Attributes = *in.Attributes
	}
	if len(private.Attributes) > MaxAttributes || len(private.Attributes) == 0 || private.Attributes[0] != '{' {
		return Invalid("attributes", "must be a JSON object of at most %d bytes", MaxAttributes)
	}
	p, ok := e.profileNamed(*in.Profile)
	if !ok {
		return Invalid("profile", "%q is unknown: one of %s", *in.Profile, strings.Join(e.profileNames(), ", "))
	}
	if err := p.CheckTenant(private.Attributes); err != nil {
		return invalidField("attributes", err)
	}
	return e.change(ctx, func(s *sequencer) error {
		typ := record.TypeTenantCreated
		if s.st.TenantTaken(id) {
			typ = record.TypeTenantUpdated
		}
		sec, err := e.sealJSON(id, typ, 0, private)
		if err != nil {
			return err
		}
		latest, ok := s.st.LatestProfile(p.Name)
		if !ok {
			return Invalid("profile", "%q is not in the log", p.Name)
		}
		if latest.Hash != p.Hash {
			return conflict("profile %s was changed meanwhile; try again", p.Name)
		}
		return fn(s, record.Tenant{Profile: latest.Seq, ManagementEvents: in.ManagementEvents != nil && *in.ManagementEvents}, sec)
	})
}

// errMeanwhile: somebody else's patch came between the read and the write of this one.
var errMeanwhile = errors.New("engine: the tenant was changed meanwhile")

// UpdateTenant patches a tenant. Of patches at the same time none undoes what another one set.
func (e *Engine) UpdateTenant(ctx context.Context, by Actor, id string, in TenantInput) (Tenant, error) {
	for {
		t, err := e.patchTenant(ctx, by, id, in)
		if !errors.Is(err, errMeanwhile) {
			return t, err
		}
	}
}

func (e *Engine) patchTenant(ctx context.Context, by Actor, id string, in TenantInput) (Tenant, error) {
	read, err := e.readTenant(ctx, id)
	if err != nil {
		return Tenant{}, err
	}
	now, err := e.tenantObject(read)
	if err != nil {
		return Tenant{}, err
	}
	if in.Profile == nil {
		in.Profile = &now.Profile
	}
	private := record.TenantPrivate{Name: now.Name, Attributes: now.Attributes, By: by.Name}
	if in.Attributes != nil {
		merged, err := mergePatch(now.Attributes, *in.Attributes)
		if err != nil {
			return Tenant{}, Invalid("attributes", "must be a JSON object of at most %d bytes", MaxAttributes)
		}
		in.Attributes = &merged
	}
	var out sealedTenant
	err = e.tenantChange(ctx, id, in, &private, func(s *sequencer, facts record.Tenant, sec eventlog.Section) error {
		t, err := s.tenant(id)
		if err != nil {
			return err
		}
		if !bytes.Equal(t.Private.Data, read.Private.Data) {
			return errMeanwhile // every change of a tenant seals it anew
		}
		if newProfile, _ := s.st.Profile(facts.Profile); newProfile.HTTPSOnly && len(t.Endpoints) > 0 && facts.Profile != t.Profile {
			return conflict("tenant %q has endpoints: its profile cannot change to %s, which is https-only", id, newProfile.Name)
		}
		if in.ManagementEvents == nil {
			facts.ManagementEvents = t.ManagementEvents
		}
		s.appendFacts(record.TypeTenantUpdated, id, &facts, sec)
		out = s.sealedTenant(t)
		return nil
	})
	if err != nil {
		return Tenant{}, err
	}
	return e.tenantObject(out)
}

// DeleteTenant cancels the pending deliveries, removes the endpoints, and keeps the history.
func (e *Engine) DeleteTenant(ctx context.Context, by Actor, id string) error {
	if _, err := e.view(ctx, id); err != nil {
		return err
	}
	who, err := e.who(id, record.TypeTenantDeleted, by)
	if err != nil {
		return err
	}
	return e.change(ctx, func(s *sequencer) error {
		t, err := s.tenant(id)
		if err != nil {
			return err
		}
		s.endTenant(t)
		s.append(eventlog.Record{Type: record.TypeTenantDeleted, Tenant: id, Sections: who})
		return nil
	})
}

// who seals who made a change.
func (e *Engine) who(tenant string, typ eventlog.Type, by Actor) ([]eventlog.Section, error) {
	sec, err := e.sealJSON(tenant, typ, 0, record.WhoPrivate{By: by.Name})
	return []eventlog.Section{sec}, err
}

func (s *sequencer) sealedTenant(t *state.Tenant) sealedTenant { return s.reader().sealedTenant(t) }

func (e *Engine) tenantObject(t sealedTenant) (Tenant, error) {
	var p record.TenantPrivate
	err := e.openJSON(t.Private, t.ID, t.PrivateType, 0, &p)
	erased := isErased(err)
	if erased {
		p.Attributes = json.RawMessage("{}")
	} else if err != nil {
		return Tenant{}, err
	}
	return Tenant{ID: t.ID, Profile: t.profile.Name, ProfileVersion: int(t.profile.Version), Name: p.Name, Attributes: p.Attributes,
		ManagementEvents: t.ManagementEvents, CreatedAt: Time(t.CreatedAt), Erased: erased}, nil
}

// Tenant returns one tenant.
func (e *Engine) Tenant(ctx context.Context, id string) (Tenant, error) {
	return e.tenantBy(ctx, e.present, id)
}

func (e *Engine) tenantBy(ctx context.Context, read reading, id string) (Tenant, error) {
	var t sealedTenant
	err := read(ctx, func(r stateReader) error {
		found, err := r.tenant(id)
		if err == nil {
			t = r.sealedTenant(found)
		}
		return err
	})
	if err != nil {
		return Tenant{}, err
	}
	return e.tenantObject(t)
}

func (e *Engine) readTenant(ctx context.Context, id string) (out sealedTenant, err error) {
	err = e.do(ctx, func(s *sequencer) error {
		t, err := s.tenant(id)
		if err == nil {
			out = s.sealedTenant(t)
		}
		return err
	})
	return out, err
}

// Tenants lists tenants, newest first.
func (e *Engine) Tenants(ctx context.Context, in ListInput) (Page[Tenant], error) {
	return e.tenantsBy(ctx, e.present, in)
}

func (e *Engine) tenantsBy(ctx context.Context, read reading, in ListInput) (Page[Tenant], error) {
	var all []sealedTenant
	err := read(ctx, func(r stateReader) error {
		r.st.Tenants(func(t *state.Tenant) { all = append(all, r.sealedTenant(t)) })
		return nil
	})
	if err != nil {
		return Page[Tenant]{}, err
	}
	slices.SortFunc(all, func(a, b sealedTenant) int { return cmp.Compare(b.Seq, a.Seq) })
	return pageOf(all, in, func(t sealedTenant) eventlog.Seq { return t.Seq }, e.tenantObject)
}
