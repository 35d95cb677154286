package seal

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"sync"
)

// A sealed section: version, key id, nonce, ciphertext, tag.
const (
	sectionVersion = 1
	sectionFixed   = 1 + 8 + nonceLen
)

// Overhead is how much longer a sealed section is than its plaintext, in bytes.
const Overhead = sectionFixed + tagLen

// Sealer seals one tenant's sections under its current key. See Keyring.Sealer.
type Sealer struct{ key *key }

// Seal appends the sealed form of plaintext to dst, which must not overlap it. The section is bound to the Sealer's
// tenant, whatever c.Tenant says, and to c.Type and c.Section.
func (s *Sealer) Seal(dst, plaintext []byte, c Context) []byte {
	s.key.uses.Add(1)
	dst = slices.Grow(dst, len(plaintext)+Overhead)
	dst = append(dst, sectionVersion)
	dst = binary.BigEndian.AppendUint64(dst, s.key.id)
	at := len(dst)
	dst = dst[:at+nonceLen]
	nonce := dst[at:]
	_, _ = rand.Read(nonce) // never fails
	c.Tenant = s.key.tenant
	extra := additional.Get().(*[]byte)
	*extra = c.appendTo((*extra)[:0])
	dst = s.key.aead().Seal(dst, nonce, plaintext, *extra)
	additional.Put(extra)
	return dst
}

// Unseal appends the plaintext of a sealed section to dst, which must not overlap it. Errors: ErrDestroyed when the
// tenant was erased, ErrTampered when the section is not what was sealed for this context, ErrUnknownKey.
func (k *Keyring) Unseal(dst, sealed []byte, c Context) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != sectionVersion {
		return dst, ErrTampered
	}
	if (*k.gone.Load())[c.Tenant] {
		return dst, ErrDestroyed
	}
	x, ok := k.keys.get(binary.BigEndian.Uint64(sealed[1:]))
	if !ok {
		return dst, ErrUnknownKey
	}
	if x.tenant != c.Tenant {
		return dst, ErrTampered
	}
	extra := additional.Get().(*[]byte)
	*extra = c.appendTo((*extra)[:0])
	plain, err := x.aead().Open(dst, sealed[9:sectionFixed], sealed[sectionFixed:], *extra)
	additional.Put(extra)
	if err != nil {
		return dst, ErrTampered
	}
	return plain, nil
}

// appendTo appends the additional data: what stands before the tenant has a fixed length, so it reads one way only.
func (c Context) appendTo(dst []byte) []byte {
	dst = append(dst, sectionVersion)
	dst = binary.BigEndian.AppendUint16(dst, c.Type)
	dst = append(dst, c.Section)
	return append(dst, c.Tenant...)
}

// additional holds buffers for additional data, which would be allocated each time otherwise: the cipher is behind
// an interface. It is a cache, not state.
var additional = sync.Pool{New: func() any { b := make([]byte, 0, 4+maxTenant); return &b }}
