// Package seal keeps what must be erasable unreadable at rest: AES-256-GCM sections under per-tenant data keys that
// live in a keyring outside the log, themselves sealed under a master key.
//
// # Promises
//
//   - A section is sealed with a random 96-bit nonce and the additional data (format version, tenant, record type,
//     section number), so that it cannot be moved to another record kind, tenant or place.
//   - A key seals at most about 2^30 sections, restarts counted generously; a tenant then gets a new one.
//   - A key is fsynced in the keyring before the first section sealed with it is handed out.
//   - Erase destroys a tenant's keys for ever: a tombstone stays, the key material is gone from the file.
//   - A tenant's keyed hashes are the same over all its keys, and over restarts.
//
// The forms of a sealed section and of the keyring file are specified in ../FORMAT.md.
//
// # Concurrency
//
// A Keyring and its Sealers are safe for concurrent use; whoever opened the Keyring closes it. A keyring file belongs
// to one process at a time: the lock of the data directory sees to that. There are no goroutines.
package seal

import "errors"

// Opening a keyring.
var (
	// ErrMaster: the master key has the wrong form, or is not the one this keyring was made with.
	ErrMaster = errors.New("seal: master key")
	// ErrDamaged: the keyring file is not what was written. Only a torn last entry, never used, is tolerated.
	ErrDamaged = errors.New("seal: keyring damaged")
)

// Using it.
var (
	// ErrDestroyed: the key of this section was destroyed by erasure. The record stands, its content is gone.
	ErrDestroyed = errors.New("seal: key destroyed")
	// ErrTampered: the section does not authenticate under its key.
	ErrTampered = errors.New("seal: section does not authenticate")
	// ErrUnknownKey: the section's key is not in this keyring and was not erased: the keyring is older than the
	// section (restored from a backup), or another log's.
	ErrUnknownKey = errors.New("seal: key is not in this keyring")
	// ErrClosed: the keyring was closed, or failed to write earlier and takes no new keys.
	ErrClosed = errors.New("seal: keyring closed")
)

// Context is what a section is bound to.
type Context struct {
	Tenant  string // "" = the system's own key
	Type    uint16 // record type
	Section uint8  // section number within the record, from 0
}
