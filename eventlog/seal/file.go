package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// The keyring file: a header, then checksummed entries, only ever appended to; erasure writes it anew without the
// destroyed keys. ../FORMAT.md has the byte tables.
const (
	fileMagic   = "HLKR"
	fileVersion = 1
	headerFixed = 24 // magic, version, 3 reserved, keyring id
	headerLen   = headerFixed + nonceLen + tagLen + 4
	entryPrefix = 8 // length of the body, checksum of that length
	entrySuffix = 4 // checksum of the body
	bodyFixed   = 10
	maxBody     = bodyFixed + maxTenant + nonceLen + 2*keyLen + tagLen
	maxTenant   = 64
	nonceLen    = 12
	tagLen      = 16
	keyLen      = 32
)

// Kinds of entries.
const (
	kindKey    = 1 // a tenant's new key; sealed: data key, hash key
	kindErased = 2 // a tenant's tombstone; sealed: nothing
	kindUsed   = 3 // key id has, or tenant "" and id 0: every key may have, sealed another step of sections
	// kindRetired: key id, or with id 0 every key before it, seals nothing any more.
	kindRetired = 4
)

// fileEntry is one decoded entry; secret is what was sealed in it.
type fileEntry struct {
	kind   byte
	id     uint64
	tenant string
	secret []byte
}

// file is an open keyring file, or nothing (f nil) for a keyring in memory.
type file struct {
	path   string
	f      *os.File
	size   int64
	id     [16]byte
	master cipher.AEAD
	err    error // a failed write or sync: nothing is written after it
}

// openFile opens the keyring at path, creating it when missing, and returns its entries.
func openFile(path string, master Master) (*file, []fileEntry, error) {
	k := &file{path: path, master: aead(master[:])}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if os.IsNotExist(err) {
		_, _ = rand.Read(k.id[:]) // never fails
		return k, nil, k.rewrite(nil)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("seal: keyring: %w", err)
	}
	k.f = f
	entries, err := k.load()
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return k, entries, nil
}

func (k *file) load() ([]fileEntry, error) {
	raw, err := io.ReadAll(k.f)
	if err != nil {
		return nil, fmt.Errorf("seal: keyring: %w", err)
	}
	if err := k.parseHeader(raw); err != nil {
		return nil, err
	}
	entries, end, err := k.parseEntries(raw)
	if err != nil {
		return nil, err
	}
	if k.size = int64(end); end < len(raw) { // a torn last entry: its key was never used
		if err := k.f.Truncate(k.size); err != nil {
			return nil, fmt.Errorf("seal: keyring: %w", err)
		}
		if err := k.f.Sync(); err != nil {
			return nil, fmt.Errorf("seal: keyring: %w", err)
		}
	}
	return entries, nil
}

func (k *file) header() []byte {
	b := append([]byte(fileMagic), fileVersion, 0, 0, 0)
	b = append(b, k.id[:]...)
	b = k.sealSecret(b, nil)
	return binary.BigEndian.AppendUint32(b, checksum(b))
}

// checkHeader says what needs no master key.
func checkHeader(raw []byte) error {
	if len(raw) < headerLen || string(raw[:4]) != fileMagic {
		return fmt.Errorf("%w: not a keyring file", ErrDamaged)
	}
	if raw[4] != fileVersion || raw[5]|raw[6]|raw[7] != 0 {
		return fmt.Errorf("%w: version %d is not known here", ErrDamaged, raw[4])
	}
	if binary.BigEndian.Uint32(raw[headerLen-4:]) != checksum(raw[:headerLen-4]) {
		return fmt.Errorf("%w: checksum of its header", ErrDamaged)
	}
	return nil
}

func (k *file) parseHeader(raw []byte) error {
	if err := checkHeader(raw); err != nil {
		return err
	}
	copy(k.id[:], raw[8:])
	if _, err := k.openSecret(raw[:headerFixed], raw[headerFixed:headerLen-4]); err != nil {
		return fmt.Errorf("%w: is not the one this keyring was made with", ErrMaster)
	}
	return nil
}

// parseEntries returns the entries and where the last whole one ends.
func (k *file) parseEntries(raw []byte) (entries []fileEntry, end int, err error) {
	at := headerLen
	for at < len(raw) {
		p := raw[at:]
		if len(p) < entryPrefix || allZero(p) {
			return entries, at, nil
		}
		n := binary.BigEndian.Uint32(p)
		if binary.BigEndian.Uint32(p[4:]) != checksum(p[:4]) || n > maxBody || n < bodyFixed+nonceLen+tagLen {
			return nil, 0, fmt.Errorf("%w: at byte %d: length of an entry", ErrDamaged, at)
		}
		whole := entryPrefix + int(n) + entrySuffix
		if len(p) < whole {
			return entries, at, nil
		}
		body := p[entryPrefix : entryPrefix+n]
		if binary.BigEndian.Uint32(p[entryPrefix+n:]) != checksum(body) {
			// After a loss of power the end of the last write may read as zeros. A tag and a checksum never do.
			if at+whole == len(raw) && allZero(p[whole-entrySuffix-tagLen:]) {
				return entries, at, nil
			}
			return nil, 0, fmt.Errorf("%w: at byte %d: checksum of an entry", ErrDamaged, at)
		}
		e, err := k.parseBody(body)
		if err != nil {
			return nil, 0, fmt.Errorf("%w: at byte %d: %w", ErrDamaged, at, err)
		}
		entries = append(entries, e)
		at += whole
	}
	return entries, at, nil
}

func (k *file) parseBody(body []byte) (fileEntry, error) {
	e := fileEntry{kind: body[0], id: binary.BigEndian.Uint64(body[1:])}
	clear := bodyFixed + int(body[9])
	if body[9] > maxTenant || clear+nonceLen+tagLen > len(body) {
		return e, fmt.Errorf("length of a tenant id")
	}
	e.tenant = string(body[bodyFixed:clear])
	secret, err := k.openSecret(body[:clear], body[clear:])
	if err != nil {
		return e, fmt.Errorf("entry does not authenticate")
	}
	e.secret = secret
	want := 0
	if e.kind == kindKey {
		want = 2 * keyLen
	}
	if e.kind < kindKey || e.kind > kindRetired || len(secret) != want {
		return e, fmt.Errorf("entry of kind %d is not known here", e.kind)
	}
	return e, nil
}

func (k *file) encode(dst []byte, e fileEntry) []byte {
	body := append([]byte{e.kind}, binary.BigEndian.AppendUint64(nil, e.id)...)
	body = append(body, byte(len(e.tenant)))
	body = append(body, e.tenant...)
	body = k.sealSecret(body, e.secret)
	at := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(body)))
	dst = binary.BigEndian.AppendUint32(dst, checksum(dst[at:]))
	dst = append(dst, body...)
	return binary.BigEndian.AppendUint32(dst, checksum(body))
}

// sealSecret appends nonce and ciphertext of secret to clear, which it authenticates together with the keyring's id.
func (k *file) sealSecret(clear, secret []byte) []byte {
	var nonce [nonceLen]byte
	_, _ = rand.Read(nonce[:]) // never fails
	sealed := k.master.Seal(nil, nonce[:], secret, k.bound(clear))
	return append(append(clear, nonce[:]...), sealed...)
}

func (k *file) openSecret(clear, sealed []byte) ([]byte, error) {
	return k.master.Open(nil, sealed[:nonceLen], sealed[nonceLen:], k.bound(clear))
}

func (k *file) bound(clear []byte) []byte { return append(k.id[:len(k.id):len(k.id)], clear...) }

// append writes one entry, durable on return.
func (k *file) append(e fileEntry) error {
	if k == nil {
		return nil
	}
	if k.err != nil {
		return k.err
	}
	raw := k.encode(nil, e)
	_, err := k.f.WriteAt(raw, k.size)
	if err == nil {
		err = k.f.Sync()
	}
	if err != nil {
		k.err = fmt.Errorf("%w: an earlier write failed: %w", ErrClosed, err)
		return fmt.Errorf("seal: keyring: %w", err)
	}
	k.size += int64(len(raw))
	return nil
}

// rewrite replaces the file by one that holds these entries, atomically and durable on return.
func (k *file) rewrite(entries []fileEntry) error {
	if k == nil {
		return nil
	}
	if k.err != nil {
		return k.err
	}
	raw := k.header()
	for _, e := range entries {
		raw = k.encode(raw, e)
	}
	f, err := replace(k.path, raw)
	if err != nil {
		k.err = fmt.Errorf("%w: an earlier write failed: %w", ErrClosed, err)
		return fmt.Errorf("seal: keyring: %w", err)
	}
	if k.f != nil {
		_ = k.f.Close()
	}
	k.f, k.size = f, int64(len(raw))
	return nil
}

// replace puts a file with these bytes in the place of path, mode 0600, and returns it open.
func replace(path string, raw []byte) (*os.File, error) {
	next := path + ".new"
	f, err := os.OpenFile(next, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(next, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func (k *file) close() error {
	if k == nil || k.f == nil {
		return nil
	}
	if k.err == nil {
		k.err = ErrClosed
	}
	return k.f.Close()
}

func allZero(p []byte) bool { return len(bytes.TrimLeft(p, "\x00")) == 0 }

func checksum(p []byte) uint32 { return crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli)) }
