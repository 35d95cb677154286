package pebblelog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

// The mark file has two slots, a page apart, so that a torn write damages one at most. ../FORMAT.md has the table.
const (
	markMagic   = "HLMK"
	markVersion = 1
	markClean   = 1 << 0
	markSlot    = 64
	markApart   = 4096
	markFile    = "mark"
)

// point is what a mark says: a batch that ends at seq with this chain was durable, and, when clean, was the last.
type point struct {
	seq   eventlog.Seq
	chain eventlog.Hash
	clean bool
}

// mark is the open mark file. It belongs to one goroutine at a time.
type mark struct {
	f     vfs.File
	count uint64 // of the newest slot
	at    point
}

func encodeSlot(p point, count uint64) [markSlot]byte {
	var b [markSlot]byte
	copy(b[:], markMagic)
	b[4] = markVersion
	if p.clean {
		b[5] = markClean
	}
	binary.BigEndian.PutUint64(b[8:], count)
	binary.BigEndian.PutUint64(b[16:], uint64(p.seq))
	copy(b[24:], p.chain[:])
	binary.BigEndian.PutUint32(b[60:], checksum(b[:60]))
	return b
}

func decodeSlot(b []byte) (p point, count uint64, ok bool) {
	if len(b) < markSlot || string(b[:4]) != markMagic || b[4] != markVersion || b[5]&^markClean != 0 ||
		b[6]|b[7]|b[56]|b[57]|b[58]|b[59] != 0 || binary.BigEndian.Uint32(b[60:]) != checksum(b[:60]) {
		return p, 0, false
	}
	p.clean = b[5]&markClean != 0
	p.seq = eventlog.Seq(binary.BigEndian.Uint64(b[16:]))
	copy(p.chain[:], b[24:])
	return p, binary.BigEndian.Uint64(b[8:]), true
}

// createMark makes a mark file in dir, atomically and durable on return.
func createMark(fs vfs.FS, dir string, p point) error {
	next := fs.PathJoin(dir, markFile+".new")
	f, err := fs.Create(next, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	raw := make([]byte, markApart+markSlot)
	for slot := range uint64(2) {
		b := encodeSlot(p, slot)
		copy(raw[slot*markApart:], b[:])
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = fs.Rename(next, fs.PathJoin(dir, markFile))
	}
	if err == nil {
		err = syncDir(fs, dir)
	}
	return err
}

// openMark opens the mark file in dir. Its error wraps ErrCorrupt when neither slot can be read.
func openMark(fs vfs.FS, dir string, readOnly bool) (*mark, error) {
	path := fs.PathJoin(dir, markFile)
	f, err := fs.Open(path)
	if err == nil && !readOnly {
		_ = f.Close()
		f, err = fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	}
	if err != nil {
		return nil, err
	}
	raw := make([]byte, markApart+markSlot)
	if n, err := f.ReadAt(raw, 0); err != nil && err != io.EOF {
		_ = f.Close()
		return nil, fmt.Errorf("pebblelog: mark: %w", err)
	} else {
		raw = raw[:n]
	}
	m, found := &mark{f: f}, false
	for slot := 0; slot < len(raw); slot += markApart {
		p, count, ok := decodeSlot(raw[slot:])
		if ok && (!found || count > m.count) {
			m.at, m.count, found = p, count, true
		}
	}
	if !found {
		_ = f.Close()
		return nil, &eventlog.CorruptError{What: "neither slot of the high-water mark can be read"}
	}
	return m, nil
}

// write puts p into the older slot, durable on return. The caller has seen that the log is durable up to p.
func (m *mark) write(p point) error {
	b := encodeSlot(p, m.count+1)
	if _, err := m.f.WriteAt(b[:], int64((m.count+1)%2)*markApart); err != nil {
		return fmt.Errorf("mark: %w", err)
	}
	if err := m.f.SyncData(); err != nil {
		return fmt.Errorf("mark: %w", err)
	}
	m.count++
	m.at = p
	return nil
}

// seal writes p as the exact and clean end, into both slots: so one that rots later is not missed.
func (m *mark) seal(p point) error {
	p.clean = true
	if err := m.write(p); err != nil {
		return err
	}
	return m.write(p)
}

func (m *mark) close() error { return m.f.Close() }

func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

func checksum(p []byte) uint32 { return crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli)) }
