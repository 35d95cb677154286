package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
)

// hashKey keeps HMAC states of one tenant's hash key: keying them anew costs two blocks of SHA-256 each.
type hashKey struct{ states sync.Pool }

// hashState is one HMAC and the memory to feed it.
type hashState struct {
	mac hash.Hash
	buf []byte
}

func newHashKey(secret []byte) *hashKey {
	h := &hashKey{}
	h.states.New = func() any { return &hashState{mac: hmac.New(sha256.New, secret)} }
	return h
}

// Hash returns a keyed hash of parts: HMAC-SHA-256 under the tenant's hash key, its first 16 bytes, over the domain
// and the parts, each after its length. The same input has the same hash for the life of the keyring, whatever keys
// the tenant gets; it shows nothing to who lacks the key, and nothing across tenants. The domain tells uses apart.
// Errors as Sealer: the first hash of a tenant creates its key.
func (k *Keyring) Hash(tenant, domain string, parts ...[]byte) ([16]byte, error) {
	h, ok := k.hashes.get(tenant)
	if !ok {
		if _, err := k.Sealer(tenant); err != nil {
			return [16]byte{}, err
		}
		if h, ok = k.hashes.get(tenant); !ok { // erased just now
			return [16]byte{}, ErrDestroyed
		}
	}
	s := h.states.Get().(*hashState)
	s.mac.Reset()
	s.buf = binary.BigEndian.AppendUint64(s.buf[:0], uint64(len(domain)))
	s.buf = append(s.buf, domain...)
	for _, p := range parts {
		s.buf = binary.BigEndian.AppendUint64(s.buf, uint64(len(p)))
		if len(p) <= copyBelow {
			s.buf = append(s.buf, p...)
			continue
		}
		_, _ = s.mac.Write(s.buf)
		_, _ = s.mac.Write(p)
		s.buf = s.buf[:0]
	}
	_, _ = s.mac.Write(s.buf)
	s.buf = s.mac.Sum(s.buf[:0])
	out := [16]byte(s.buf)
	h.states.Put(s)
	return out, nil
}

// copyBelow is the length up to which a part is gathered with its neighbours rather than hashed on its own.
const copyBelow = 256
