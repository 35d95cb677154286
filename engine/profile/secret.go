package profile

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
)

// How secrets begin, by the Standard Webhooks specification.
const (
	secretPrefix  = "whsec_" // symmetric: HMAC
	signingPrefix = "whsk_"  // asymmetric: ed25519, signs
	publicPrefix  = "whpk_"  // asymmetric: ed25519, verifies
)

// NewSecret makes a signing secret: whsec_ and 192 random bits in base64 (receivers of hmac use the whole text as the
// key, O-10), or, where the profile signs v1a, whsk_ and an ed25519 key.
func (p *Profile) NewSecret() string {
	if p.asymmetric() {
		_, private, err := ed25519.GenerateKey(nil)
		if err == nil { // it never fails
			return signingPrefix + base64.StdEncoding.EncodeToString(private)
		}
	}
	var key [24]byte
	rand.Read(key[:]) // never fails; not pooled, so that no copy of a secret lies about
	return secretPrefix + base64.StdEncoding.EncodeToString(key[:])
}

func (p *Profile) standard() *standardWebhooks {
	for _, s := range p.schemes {
		if s, ok := s.(*standardWebhooks); ok {
			return s
		}
	}
	return nil
}

func (p *Profile) asymmetric() bool {
	return slices.ContainsFunc(p.schemes, func(s scheme) bool { return s.describe().Version == "v1a" })
}

// CheckSecret says whether a given secret can sign by the profile's schemes: for Standard Webhooks, what follows whsec_
// must be base64, and what follows whsk_ an ed25519 key in base64. The error is a *FieldError that does not repeat it.
func (p *Profile) CheckSecret(secret string) error {
	if p.standard() == nil {
		return nil
	}
	if text, ok := strings.CutPrefix(secret, secretPrefix); ok {
		if key, err := base64.StdEncoding.DecodeString(text); err != nil || len(key) < 16 {
			return &FieldError{Field: "secret", Message: "profile " + p.Name + " signs Standard Webhooks: after whsec_ stands the base64 of at least 16 bytes; leave the secret out to have one made"}
		}
	}
	if strings.HasPrefix(secret, signingPrefix) && signingKey(secret) == nil {
		return &FieldError{Field: "secret", Message: "profile " + p.Name + " signs Standard Webhooks: after whsk_ stands the base64 of an ed25519 key, its 32 bytes of seed or 64 with the public half; leave the secret out to have one made"}
	}
	return nil
}

// PublicKey is what receivers verify the signatures of an asymmetric secret with: whpk_ and base64 of 32 bytes. "" for
// any other secret.
func (p *Profile) PublicKey(secret string) string {
	if p.standard() == nil {
		return ""
	}
	key := signingKey(secret)
	if key == nil {
		return ""
	}
	return publicPrefix + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
}
