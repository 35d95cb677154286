package profile

import (
	"crypto/ed25519"
	"encoding/base64"
	"strconv"
	"strings"
	"sync"

	"github.com/hookline/hookline/transports"
)

// standardWebhooks signs as the Standard Webhooks specification says: `{id}.{timestamp}.{body}`, three headers, one
// signature for each secret, separated by spaces. A secret's own form says how it signs: whsec_ and base64 is v1,
// HMAC-SHA256; whsk_ and base64 is v1a, ed25519. So one scheme can take the place of the other during an overlap.
type standardWebhooks struct {
	prefix  string // of its header names
	version string // what a secret is made for
}

const standardSigns = "{id}.{timestamp}.{body}"

func (p *Profile) readStandardWebhooks(at place, rest ...field) error {
	s := &standardWebhooks{prefix: "webhook-", version: "v1"}
	err := at.mapping(append(rest,
		may("header_prefix", matching(&s.prefix, headerPattern, "the lower-case beginning of a header name, e.g. webhook-")),
		may("version", choice(&s.version, "v1", "v1a")))...)
	if err == nil {
		p.schemes = append(p.schemes, s)
	}
	return err
}

func (s *standardWebhooks) describe() Signature {
	return Signature{Scheme: "standard_webhooks", Headers: []string{s.prefix + "id", s.prefix + "timestamp", s.prefix + "signature"},
		Signs: standardSigns, Version: s.version, Overlaps: true}
}

func (s *standardWebhooks) bind(secrets []string) binding {
	b := &standardBinding{names: s.describe().Headers}
	for _, secret := range secrets {
		if key := signingKey(secret); key != nil {
			b.keys = append(b.keys, standardKey{private: key})
			continue
		}
		b.keys = append(b.keys, standardKey{macs: newMAC("sha256", symmetricKey(secret))})
	}
	return b
}

type standardBinding struct {
	names []string
	keys  []standardKey
}

// standardKey is one secret: a key of v1a, else the hash states of v1.
type standardKey struct {
	private ed25519.PrivateKey
	macs    *sync.Pool
}

func standardPattern() pattern {
	return pattern{{place: "id"}, {text: "."}, {place: "timestamp"}, {text: "."}, {place: "body"}}
}

func (b *standardBinding) append(dst []transports.Header, a *Attempt) []transports.Header {
	out := make([]byte, 0, 64*len(b.keys))
	for i, key := range b.keys {
		if i > 0 {
			out = append(out, ' ')
		}
		out = key.append(out, a)
	}
	return append(dst,
		transports.Header{Name: b.names[0], Value: a.EventID},
		transports.Header{Name: b.names[1], Value: strconv.FormatInt(a.At.Unix(), 10)},
		transports.Header{Name: b.names[2], Value: string(out)})
}

func (k *standardKey) append(dst []byte, a *Attempt) []byte {
	if k.private != nil {
		signed := make([]byte, 0, len(a.EventID)+len(a.Body)+32)
		standardPattern().append(nil, a, func(b []byte) { signed = append(signed, b...) })
		dst = append(dst, "v1a,"...)
		return base64.StdEncoding.AppendEncode(dst, ed25519.Sign(k.private, signed))
	}
	m := k.macs.Get().(*mac)
	defer k.macs.Put(m)
	dst = append(dst, "v1,"...)
	return base64.StdEncoding.AppendEncode(dst, m.over(standardPattern(), a))
}

// symmetricKey is the key of v1: what stands in base64 after whsec_. A secret that is no base64 (an endpoint had it
// before its profile signed so) is taken as its UTF-8 bytes.
func symmetricKey(secret string) []byte {
	if key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix)); err == nil && len(key) > 0 {
		return key
	}
	return []byte(secret)
}

// signingKey is the ed25519 key of a secret whsk_ and base64, of the 32 bytes of its seed or the 64 of seed and public
// key (RFC 8032, section 5.1.5); nil when it is none.
func signingKey(secret string) ed25519.PrivateKey {
	text, ok := strings.CutPrefix(secret, signingPrefix)
	if !ok {
		return nil
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != ed25519.SeedSize && len(key) != ed25519.PrivateKeySize {
		return nil
	}
	private := ed25519.NewKeyFromSeed(key[:ed25519.SeedSize])
	if len(key) == ed25519.PrivateKeySize && !private.Equal(ed25519.PrivateKey(key)) {
		return nil // its public half belongs to another key
	}
	return private
}
