package profile

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
	"time"

	"github.com/hookline/hookline/transports"
)

// signature is how a body is signed.
type signature struct {
	scheme string // "none" or "hmac_sha256_hex"
	header string
}

func (s *signature) read(at place) error {
	err := at.mapping(
		need("scheme", choice(&s.scheme, "none", "hmac_sha256_hex")),
		may("header", pattern(&s.header, headerPattern, "a lower-case header name")),
	)
	if err == nil && (s.header == "") != (s.scheme == "none") {
		return at.errorf("scheme %s and header %q do not go together; a scheme other than none needs a header", s.scheme, s.header)
	}
	return err
}

// Sign appends the headers of one request: those that every request of the profile has (O-8, D-17), then the signature,
// if the profile has any. Whoever signs often keeps a Signer.
func (p *Profile) Sign(dst []transports.Header, secret, id string, at time.Time, body []byte) []transports.Header {
	return p.Signer(secret).Append(dst, id, at, body)
}

// Signer makes the headers of requests signed with one secret. It is safe for concurrent use and keeps the hash state of
// the secret, so that a signature costs the hashing of the body and one small allocation.
type Signer struct {
	signature
	headers []transports.Header
	macs    sync.Pool // of *mac
}

type mac struct {
	hash.Hash
	sum  [sha256.Size]byte
	text [2 * sha256.Size]byte
}

// Signer makes the Signer of a secret. The key is the UTF-8 bytes of the secret as shown, prefix included (O-10).
func (p *Profile) Signer(secret string) *Signer {
	s := &Signer{signature: p.signature, headers: p.headers}
	if s.scheme == "none" {
		return s
	}
	key := []byte(secret)
	s.macs.New = func() any { return &mac{Hash: hmac.New(sha256.New, key)} }
	return s
}

// Append appends the headers of a request with a body. The event id and the time of signing are for schemes that sign
// them: hmac_sha256_hex signs the raw body alone (O-9, O-11), so every attempt carries the same value, and none adds no
// header (D-15).
func (s *Signer) Append(dst []transports.Header, _ string, _ time.Time, body []byte) []transports.Header {
	dst = append(dst, s.headers...)
	if s.scheme == "none" {
		return dst
	}
	m := s.macs.Get().(*mac)
	m.Reset()
	m.Write(body)
	hex.Encode(m.text[:], m.Sum(m.sum[:0]))
	value := string(m.text[:])
	s.macs.Put(m)
	return append(dst, transports.Header{Name: s.header, Value: value})
}
