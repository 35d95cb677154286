package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/seal"
)

// Bounds of an overlap.
const (
	DefaultOverlap = 24 * time.Hour
	MaxOverlap     = 30 * 24 * time.Hour
)

// RotateInput is how a secret is replaced.
type RotateInput struct {
	Secret  string         // "" = one is made
	Overlap *time.Duration // how long the old one signs too; nil = 24 h where the profile's signature can carry two, else 0
}

// EndpointSecret is a signing secret as it was given or made (O-10).
type EndpointSecret struct {
	Secret    string  `json:"secret"`
	PublicKey *string `json:"public_key" doc:"what receivers verify with, of an asymmetric secret (whsk_); else null"`
}

// RotateSecret replaces the secret. It takes effect at the next attempt. Where the profile's signature can carry two, the
// one before goes on signing beside it for a while, by the engine's clock; where it cannot, the change is at once.
func (e *Engine) RotateSecret(ctx context.Context, by Actor, tenant, id string, in RotateInput) (Endpoint, error) {
	v, err := e.view(ctx, tenant)
	if err != nil {
		return Endpoint{}, err
	}
	overlap, err := in.check(v.profile)
	if err != nil {
		return Endpoint{}, err
	}
	if in.Secret == "" {
		in.Secret = v.profile.NewSecret()
	}
	secs, err := e.sealRotation(tenant, in.Secret, by)
	if err != nil {
		return Endpoint{}, err
	}
	var out sealedEndpoint
	err = e.change(ctx, func(s *sequencer) error {
		ep, err := s.endpoint(tenant, id)
		if err != nil {
			return err
		}
		if err := e.sameProfile(ep.Tenant, v); err != nil {
			return err
		}
		change := record.EndpointChange{Endpoint: ep.Seq, Reason: record.ReasonByUser}
		if overlap > 0 {
			change.Until = s.now + overlap.Milliseconds()
		}
		s.appendFacts(record.TypeEndpointSecretRotated, tenant, &change, secs...)
		out = s.sealedEndpoint(ep)
		return nil
	})
	if err != nil {
		return Endpoint{}, err
	}
	o, err := e.endpointObject(out)
	o.Secret = in.Secret
	return o, err
}

func (in *RotateInput) check(p *profile.Profile) (overlap time.Duration, err error) {
	if in.Secret != "" {
		if err := checkSecret(in.Secret, p); err != nil {
			return 0, err
		}
	}
	switch {
	case in.Overlap == nil && p.Overlaps():
		return DefaultOverlap, nil
	case in.Overlap == nil:
		return 0, nil
	case *in.Overlap < 0 || *in.Overlap > MaxOverlap || *in.Overlap%time.Millisecond != 0:
		return 0, Invalid("overlap", "is %s, want 0s to 720h (30 days) in whole ms", schedule.Format(*in.Overlap))
	case *in.Overlap > 0 && !p.Overlaps():
		return 0, Invalid("overlap", "profile %s signs with one value, so a new secret takes the place of the old one at once: leave overlap out, or give 0s", p.Name)
	}
	return *in.Overlap, nil
}

func (e *Engine) sealRotation(tenant, secret string, by Actor) ([]eventlog.Section, error) {
	sealer, err := e.cfg.Keyring.Sealer(tenant)
	if err != nil {
		return nil, err
	}
	who, err := json.Marshal(record.WhoPrivate{By: by.Name})
	if err != nil {
		return nil, err
	}
	typ := record.TypeEndpointSecretRotated
	return []eventlog.Section{sealSection(sealer, tenant, typ, 0, []byte(secret)), sealSection(sealer, tenant, typ, 1, who)}, nil
}

// EndpointSecret returns the secret, and the public key of an asymmetric one.
func (e *Engine) EndpointSecret(ctx context.Context, tenant, id string) (EndpointSecret, error) {
	var ep state.Endpoint
	var profileSeq eventlog.Seq
	err := e.do(ctx, func(s *sequencer) error {
		found, err := s.endpoint(tenant, id)
		if err == nil {
			ep, profileSeq = *found, found.Tenant.Profile
		}
		return err
	})
	if err != nil {
		return EndpointSecret{}, err
	}
	b, err := e.cfg.Keyring.Unseal(nil, ep.Secret.Data, seal.Context{Tenant: tenant, Type: uint16(ep.SecretType), Section: ep.SecretSection})
	if err != nil {
		return EndpointSecret{}, err
	}
	p, err := e.profileAt(profileSeq)
	if err != nil {
		return EndpointSecret{}, err
	}
	return EndpointSecret{Secret: string(b), PublicKey: textOrNull(p.PublicKey(string(b)))}, nil
}
