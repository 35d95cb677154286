// Package seal keeps what must be erasable unreadable at rest: AES-256-GCM sections under per-tenant data keys that
// live in a keyring outside the log, themselves sealed under a master key.
//
// A section is sealed with a random 96-bit nonce and the additional data (format version, tenant, record type,
// section number), so that it cannot be moved to another record kind, tenant or place. A key seals at most 2^30
// sections; a tenant then gets a new one. A key is fsynced in the keyring before the first section sealed with it is
// handed out. Erase destroys a tenant's keys for ever (a tombstone stays).
//
// A Keyring is safe for concurrent use; whoever opened it closes it.
package seal

import "errors"

// ErrDestroyed: the key of this section was destroyed by erasure. The record stands, its content is gone.
var ErrDestroyed = errors.New("seal: key destroyed")

// ErrTampered: the section does not authenticate under its key.
var ErrTampered = errors.New("seal: section does not authenticate")

// Context is what a section is bound to.
type Context struct {
	Tenant  string // "" = the system's own key
	Type    uint16 // record type
	Section uint8  // section number within the record, from 0
}
