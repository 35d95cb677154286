package eventlog

import (
	"encoding/binary"
	"math"
)

// batchVersion is the first byte of every stored batch. FORMAT.md has the byte tables; the golden files under
// testdata hold one batch of every version ever written.
const batchVersion = 1

const (
	batchFixed    = 23 // version, flags, epoch, first seq, count, owner length
	entryFixed    = 17 // type, time, flags, tenant length, section count, facts length
	sectionHeader = 36 // SHA-256, length
	hashLen       = 32
)

// EncodedLen is the number of bytes AppendBatch adds for b.
func EncodedLen(b *Batch) int {
	n := batchFixed + len(b.Owner) + 2*hashLen
	for i := range b.Records {
		r := &b.Records[i]
		n += entryFixed + len(r.Tenant) + len(r.Facts) + sectionHeader*len(r.Sections)
	}
	return n
}

// AppendBatch appends the stored form of b to dst: header, chain, and each record with its facts and the sums and
// lengths of its sections, not their data (see AppendSections). It writes what b says, Chain included: see
// Hasher.Chain. b must be within the limits that Prepare checks.
func AppendBatch(dst []byte, b *Batch) []byte {
	dst = appendHeader(dst, b)
	dst = append(dst, b.Prev[:]...)
	dst = append(dst, b.Chain[:]...)
	for i := range b.Records {
		dst = appendEntry(dst, &b.Records[i])
	}
	return dst
}

// appendHeader appends the part of the batch header that the chain covers beside the previous chain.
func appendHeader(dst []byte, b *Batch) []byte {
	dst = append(dst, batchVersion, 0)
	dst = binary.BigEndian.AppendUint64(dst, b.Epoch)
	dst = binary.BigEndian.AppendUint64(dst, uint64(b.First))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(b.Records)))
	dst = append(dst, byte(len(b.Owner)))
	return append(dst, b.Owner...)
}

// appendEntry appends one record without its seq: the batch's first seq and the place in it say that.
func appendEntry(dst []byte, r *Record) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(r.Type))
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.Time))
	dst = append(dst, r.Flags, byte(len(r.Tenant)), byte(len(r.Sections)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.Facts)))
	dst = append(dst, r.Tenant...)
	dst = append(dst, r.Facts...)
	for i := range r.Sections {
		s := &r.Sections[i]
		dst = append(dst, s.Sum[:]...)
		dst = binary.BigEndian.AppendUint32(dst, s.Len)
	}
	return dst
}

// maxTenants bounds the ids a Decoder remembers.
const maxTenants = 1 << 16

// Decoder decodes stored batches and reuses memory between them: no allocation a record once warm. The zero value
// is ready. It belongs to one goroutine.
type Decoder struct {
	tenants  map[string]string // one string a tenant id, so that decoding does not allocate it again
	sections []Section
}

// Decode sets b to what stored says. b.Records and their Sections are overwritten by the next Decode; Facts alias
// stored. Section data is not in a stored batch: Data is nil. Every error wraps ErrCorrupt.
func (d *Decoder) Decode(b *Batch, stored []byte) error {
	count, at, err := decodeHeader(b, stored)
	if err != nil {
		return err
	}
	if cap(b.Records) < count {
		b.Records = make([]Record, count)
	}
	b.Records = b.Records[:count]
	d.sections = d.sections[:0]
	var tenant string
	var clock int64
	for i := range b.Records {
		e, next, err := parseEntry(b, i, stored, at)
		if err != nil {
			return err
		}
		if e.time < clock {
			return damaged(b, i, "its time runs back")
		}
		clock = e.time
		if string(e.tenant) != tenant {
			tenant = d.intern(e.tenant)
		}
		from := len(d.sections)
		d.sections = appendSectionHeaders(d.sections, e.sections)
		b.Records[i] = Record{
			Seq: b.First + Seq(i), Type: e.typ, Time: e.time, Tenant: tenant,
			Facts: e.facts, Sections: d.sections[from:len(d.sections):len(d.sections)],
		}
		at = next
	}
	if at != len(stored) {
		return damaged(b, count-1, "bytes after the last record")
	}
	return nil
}

// DecodeOne returns the record with this seq out of a stored batch, skipping the others. Facts alias stored, the
// sections are the caller's own. ErrNotFound when the batch does not hold it; everything else wraps ErrCorrupt.
func (d *Decoder) DecodeOne(stored []byte, seq Seq) (Record, error) {
	var b Batch
	count, at, err := decodeHeader(&b, stored)
	if err != nil {
		return Record{}, err
	}
	if seq < b.First || seq-b.First >= Seq(count) {
		return Record{}, ErrNotFound
	}
	for i := 0; ; i++ {
		e, next, err := parseEntry(&b, i, stored, at)
		if err != nil {
			return Record{}, err
		}
		if b.First+Seq(i) == seq {
			return Record{
				Seq: seq, Type: e.typ, Time: e.time, Tenant: d.intern(e.tenant),
				Facts: e.facts, Sections: appendSectionHeaders(nil, e.sections),
			}, nil
		}
		at = next
	}
}

// DecodeRange returns the seqs a stored batch says it holds, from its header alone.
func DecodeRange(stored []byte) (first, last Seq, err error) {
	var b Batch
	count, _, err := decodeHeader(&b, stored)
	if err != nil {
		return 0, 0, err
	}
	return b.First, b.First + Seq(count) - 1, nil
}

func (d *Decoder) intern(tenant []byte) string {
	if s, ok := d.tenants[string(tenant)]; ok {
		return s
	}
	if d.tenants == nil || len(d.tenants) >= maxTenants {
		d.tenants = make(map[string]string)
	}
	s := string(tenant)
	d.tenants[s] = s
	return s
}

func decodeHeader(b *Batch, stored []byte) (count, at int, err error) {
	b.First = 0
	if len(stored) < batchFixed {
		return 0, 0, damaged(b, 0, "shorter than a batch header")
	}
	if stored[0] != batchVersion {
		return 0, 0, damaged(b, 0, "unknown batch version")
	}
	if stored[1] != 0 {
		return 0, 0, damaged(b, 0, "reserved batch flags are set")
	}
	b.Epoch = binary.BigEndian.Uint64(stored[2:])
	first := binary.BigEndian.Uint64(stored[10:])
	n := binary.BigEndian.Uint32(stored[18:])
	owner := int(stored[22])
	if first == 0 || first > math.MaxUint64-MaxBatchRecords {
		return 0, 0, damaged(b, 0, "first seq out of range")
	}
	if n == 0 || n > MaxBatchRecords {
		return 0, 0, damaged(b, 0, "number of records out of range")
	}
	b.First = Seq(first)
	count, at = int(n), batchFixed+owner+2*hashLen
	// The second bound keeps a forged count from asking for memory that the bytes cannot fill.
	if owner > MaxOwner || at > len(stored) || count > (len(stored)-at)/entryFixed {
		return 0, 0, damaged(b, count-1, "cut short")
	}
	if string(stored[batchFixed:batchFixed+owner]) != b.Owner {
		b.Owner = string(stored[batchFixed : batchFixed+owner])
	}
	copy(b.Prev[:], stored[batchFixed+owner:])
	copy(b.Chain[:], stored[batchFixed+owner+hashLen:])
	return count, at, nil
}

// entry is one stored record, its parts aliasing the stored bytes.
type entry struct {
	typ                     Type
	time                    int64
	tenant, facts, sections []byte
}

func parseEntry(b *Batch, i int, stored []byte, at int) (e entry, next int, err error) {
	p := stored[at:]
	if len(p) < entryFixed {
		return e, 0, damaged(b, i, "cut short")
	}
	e.typ = Type(binary.BigEndian.Uint16(p))
	e.time = int64(binary.BigEndian.Uint64(p[2:]))
	tenant, sections := int(p[11]), int(p[12])
	facts := binary.BigEndian.Uint32(p[13:])
	if p[10] != 0 || e.typ == 0 || e.time < 0 || tenant > MaxTenant || sections > MaxSections || facts > MaxFacts {
		return e, 0, damaged(b, i, "a field of its header is out of range")
	}
	factsAt := entryFixed + tenant
	sectionsAt := factsAt + int(facts)
	end := sectionsAt + sectionHeader*sections
	if end > len(p) {
		return e, 0, damaged(b, i, "cut short")
	}
	e.tenant, e.facts, e.sections = p[entryFixed:factsAt], p[factsAt:sectionsAt:sectionsAt], p[sectionsAt:end]
	for s := hashLen; s < len(e.sections); s += sectionHeader {
		if binary.BigEndian.Uint32(e.sections[s:]) > MaxSection {
			return e, 0, damaged(b, i, "length of a section out of range")
		}
	}
	return e, at + end, nil
}

func appendSectionHeaders(dst []Section, stored []byte) []Section {
	for ; len(stored) > 0; stored = stored[sectionHeader:] {
		s := Section{Len: binary.BigEndian.Uint32(stored[hashLen:])}
		copy(s.Sum[:], stored)
		dst = append(dst, s)
	}
	return dst
}

// damaged names the record at place i of a batch whose header gave b.First (0 = not even that is known).
func damaged(b *Batch, i int, what string) error {
	if b.First == 0 {
		return &CorruptError{What: "batch: " + what}
	}
	return &CorruptError{First: b.First, Last: b.First + Seq(i), What: "batch: " + what}
}
