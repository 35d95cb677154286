package seal

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
)

// A key may seal maxUses sections. Uses are not counted on disk one by one: a key's entry stands for its first stepUses
// of them, and further entries say that as many more may follow: one for all keys at the first use of an older key
// after an opening, then one for a key each stepUses.
const (
	maxUses  = 1 << 30
	stepUses = 1 << 22
)

// Keyring holds every tenant's keys.
type Keyring struct {
	sealers index[string, *Sealer] // the current key of each tenant
	keys    index[uint64, *key]
	hashes  index[string, *hashKey]

	mu      sync.Mutex // creation, erasure, closing
	file    *file      // nil: in memory only
	order   []*key     // in order of creation
	erased  map[string]bool
	gone    atomic.Pointer[map[string]bool] // erased, as readers see it
	started bool                            // this opening is noted in the file
	closed  bool
}

// key is one data key. Its cipher is built at first use: a keyring may hold many more keys than are in use.
type key struct {
	id     uint64
	tenant string
	secret [2 * keyLen]byte // data key, hash key
	uses   atomic.Uint64    // upper bound
	noted  atomic.Uint64    // uses up to here are noted in the file
	// retired: it seals nothing any more. Guarded by Keyring.mu; uses says it to those without.
	retired bool
	once    sync.Once
	gcm     cipher.AEAD
}

func (k *key) aead() cipher.AEAD {
	k.once.Do(func() { k.gcm = aead(k.secret[:keyLen]) })
	return k.gcm
}

// NewMemory returns a keyring that is never written, for tests and examples.
func NewMemory() *Keyring {
	k := &Keyring{erased: make(map[string]bool)}
	k.publish()
	return k
}

// Open opens the keyring file at path, creating it when it is missing. Errors: ErrMaster, ErrDamaged, the file's.
func Open(path string, master Master) (*Keyring, error) {
	f, entries, err := openFile(path, master)
	if err != nil {
		return nil, err
	}
	k := NewMemory()
	k.file = f
	for _, e := range entries {
		if err := k.restore(e); err != nil {
			_ = f.close()
			return nil, err
		}
	}
	k.publish()
	for _, x := range k.order {
		if k.erased[x.tenant] { // an erasure that was cut between tombstone and rewriting
			if err := k.destroy(); err != nil {
				_ = f.close()
				return nil, err
			}
			break
		}
	}
	newest := make(map[string]*key)
	for _, x := range k.order {
		if newest[x.tenant] == nil {
			k.hashes.put(x.tenant, newHashKey(x.secret[keyLen:]))
		}
		newest[x.tenant] = x
	}
	for tenant, x := range newest {
		k.sealers.put(tenant, &Sealer{key: x})
	}
	return k, nil
}

func (k *Keyring) restore(e fileEntry) error {
	switch e.kind {
	case kindKey:
		if _, twice := k.keys.get(e.id); twice {
			return fmt.Errorf("%w: key %016x stands in it twice", ErrDamaged, e.id)
		}
		x := &key{id: e.id, tenant: e.tenant}
		copy(x.secret[:], e.secret)
		x.uses.Store(stepUses)
		x.noted.Store(stepUses)
		k.order = append(k.order, x)
		k.keys.put(x.id, x)
	case kindErased:
		k.erased[e.tenant] = true
	case kindUsed:
		for _, x := range k.order {
			if e.id == 0 || e.id == x.id {
				x.uses.Add(stepUses)
				x.noted.Store(x.uses.Load())
			}
		}
	case kindRetired:
		for _, x := range k.order {
			if e.id == 0 || e.id == x.id {
				x.retire()
			}
		}
	}
	return nil
}

// use makes x the key that its tenant's next sections are sealed with.
func (k *Keyring) use(x *key) {
	k.keys.put(x.id, x)
	k.sealers.put(x.tenant, &Sealer{key: x})
	if _, ok := k.hashes.get(x.tenant); !ok {
		k.hashes.put(x.tenant, newHashKey(x.secret[keyLen:]))
	}
}

// Sealer returns what seals a tenant's sections ("": the system's). The tenant's first call creates its key, durable
// on return; later calls take no lock. Ask for it with each batch of sections rather than keeping it: that is where
// a used-up key is replaced. Errors: ErrDestroyed after Erase, ErrClosed, the file's.
func (k *Keyring) Sealer(tenant string) (*Sealer, error) {
	if s, ok := k.sealers.get(tenant); ok && s.key.uses.Load() < s.key.noted.Load() {
		return s, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sealer(tenant)
}

// sealer is Sealer's slow way. k.mu is held.
func (k *Keyring) sealer(tenant string) (*Sealer, error) {
	switch {
	case k.closed:
		return nil, ErrClosed
	case k.erased[tenant]:
		return nil, ErrDestroyed
	case len(tenant) > maxTenant:
		return nil, fmt.Errorf("seal: tenant has %d bytes, at most %d", len(tenant), maxTenant)
	}
	s, ok := k.sealers.get(tenant)
	if ok && s.key.uses.Load()+stepUses <= maxUses {
		return s, k.note(s.key)
	}
	x := &key{id: k.newID(), tenant: tenant}
	_, _ = rand.Read(x.secret[:]) // never fails
	if ok {                       // the hash key is the tenant's, for all its keys
		copy(x.secret[keyLen:], s.key.secret[keyLen:])
	}
	x.noted.Store(stepUses)
	if err := k.file.append(fileEntry{kind: kindKey, id: x.id, tenant: tenant, secret: x.secret[:]}); err != nil {
		return nil, err
	}
	k.order = append(k.order, x)
	k.use(x)
	s, _ = k.sealers.get(tenant)
	return s, nil
}

// note writes down that a key may be used for another step. k.mu is held.
func (k *Keyring) note(x *key) error {
	if x.uses.Load() < x.noted.Load() {
		return nil // somebody else has just done it
	}
	if !k.started {
		if err := k.file.append(fileEntry{kind: kindUsed}); err != nil {
			return err
		}
		k.started = true
		for _, o := range k.order {
			if !o.retired {
				o.noted.Store(o.noted.Load() + stepUses)
			}
		}
		return nil
	}
	if err := k.file.append(fileEntry{kind: kindUsed, id: x.id}); err != nil {
		return err
	}
	x.noted.Store(x.uses.Load() + stepUses)
	return nil
}

// newID draws a key id. Random rather than counted: after a restore of an old keyring a counted id would name
// another key than the sections that carry it mean.
func (k *Keyring) newID() uint64 {
	for {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails
		id := binary.BigEndian.Uint64(b[:])
		if _, taken := k.keys.get(id); id != 0 && !taken {
			return id
		}
	}
}

// Erase destroys a tenant's keys for ever, durable on return: its sections are ErrDestroyed from then on, and it gets
// no new key. Erasing again, or a tenant without keys, is no error. When writing fails the erasure may or may not be
// durable: repeat it after opening the keyring again.
func (k *Keyring) Erase(tenant string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return ErrClosed
	}
	if k.erased[tenant] {
		return nil
	}
	if len(tenant) > maxTenant {
		return fmt.Errorf("seal: tenant has %d bytes, at most %d", len(tenant), maxTenant)
	}
	if err := k.file.append(fileEntry{kind: kindErased, tenant: tenant}); err != nil {
		return err
	}
	k.erased[tenant] = true
	k.publish()
	return k.destroy()
}

func (k *Keyring) publish() {
	m := make(map[string]bool, len(k.erased))
	for t := range k.erased {
		m[t] = true
	}
	k.gone.Store(&m)
}

// destroy drops the keys of erased tenants from memory and writes the file without them. k.mu is held.
func (k *Keyring) destroy() error {
	var kept []*key
	for _, x := range k.order {
		if k.erased[x.tenant] {
			k.keys.drop(x.id)
			k.sealers.drop(x.tenant)
			k.hashes.drop(x.tenant)
			continue
		}
		kept = append(kept, x)
	}
	k.order = kept
	return k.file.rewrite(k.entries())
}

// entries are what the file holds when it is written anew. k.mu is held.
func (k *Keyring) entries() (entries []fileEntry) {
	for t := range k.erased {
		entries = append(entries, fileEntry{kind: kindErased, tenant: t})
	}
	for _, x := range k.order {
		entries = append(entries, fileEntry{kind: kindKey, id: x.id, tenant: x.tenant, secret: x.secret[:]})
		if x.retired {
			entries = append(entries, fileEntry{kind: kindRetired, id: x.id})
			continue
		}
		for n := uint64(stepUses); n < x.noted.Load(); n += stepUses {
			entries = append(entries, fileEntry{kind: kindUsed, id: x.id})
		}
	}
	return entries
}

// Close closes the file. Sealers that were handed out go on working; new ones are refused.
func (k *Keyring) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil
	}
	k.closed = true
	return k.file.close()
}
