package eventlog

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// sectionsVersion is the first byte of a record's stored sections.
const sectionsVersion = 1

const (
	sectionsFixed  = 2 // version, count
	sectionsHeader = 5 // state, length
)

// States of a stored section. A removed one keeps its place, so that a missing value is always damage.
const (
	statePresent = 0
	stateRemoved = 1
)

// EncodedSectionsLen is the number of bytes AppendSections adds.
func EncodedSectionsLen(sections []Section) int {
	n := sectionsFixed
	for i := range sections {
		n += sectionsHeader
		if !sections[i].Removed {
			n += len(sections[i].Data)
		}
	}
	return n
}

// AppendSections appends the stored form of one record's sections to dst: their data, or that it was removed.
func AppendSections(dst []byte, sections []Section) []byte {
	dst = append(dst, sectionsVersion, byte(len(sections)))
	for i := range sections {
		state := byte(statePresent)
		if sections[i].Removed {
			state = stateRemoved
		}
		dst = append(dst, state)
		dst = binary.BigEndian.AppendUint32(dst, sections[i].Len)
	}
	for i := range sections {
		if !sections[i].Removed {
			dst = append(dst, sections[i].Data...)
		}
	}
	return dst
}

// RemoveStored appends to dst the stored form of sections without the data of some, bit 0 the first one. removed is how
// many of them had it still; 0 = dst is as it was. stored is not checked against sums: a damaged section that stays is as
// damaged as before.
func RemoveStored(dst, stored []byte, which uint16) (out []byte, removed int, err error) {
	if len(stored) < sectionsFixed || stored[0] != sectionsVersion || len(stored) < sectionsFixed+sectionsHeader*int(stored[1]) {
		return dst, 0, fmt.Errorf("%w: stored sections are cut short or of an unknown version", ErrCorrupt)
	}
	n := int(stored[1])
	headers, data := stored[sectionsFixed:sectionsFixed+sectionsHeader*n], stored[sectionsFixed+sectionsHeader*n:]
	out = append(dst, stored[:sectionsFixed+sectionsHeader*n]...)
	states := out[len(dst)+sectionsFixed:]
	for i := range n {
		if headers[sectionsHeader*i] == stateRemoved {
			continue
		}
		size := binary.BigEndian.Uint32(headers[sectionsHeader*i+1:])
		if uint64(size) > uint64(len(data)) {
			return dst, 0, fmt.Errorf("%w: stored sections are cut short", ErrCorrupt)
		}
		if which&(1<<i) != 0 {
			states[sectionsHeader*i] = stateRemoved
			removed++
		} else {
			at := len(out)
			out = append(out, data[:size]...)
			states = out[len(dst)+sectionsFixed : at] // append may have moved it
		}
		data = data[size:]
	}
	if removed == 0 {
		return dst, 0, nil
	}
	return out, removed, nil
}

// LoadSections fills Data (aliasing stored) or Removed of the sections of r, whose Sum and Len come from its batch,
// and checks every sum. On error, which wraps ErrCorrupt, no section holds data.
func LoadSections(r *Record, stored []byte) error {
	if err := loadSections(r.Sections, stored); err != "" {
		for i := range r.Sections {
			r.Sections[i].Data, r.Sections[i].Removed = nil, false
		}
		return &CorruptError{First: r.Seq, Last: r.Seq, What: "sections: " + err}
	}
	return nil
}

func loadSections(sections []Section, stored []byte) (damage string) {
	if len(stored) < sectionsFixed || len(stored) < sectionsFixed+sectionsHeader*int(stored[1]) {
		return "cut short"
	}
	if stored[0] != sectionsVersion {
		return "unknown version"
	}
	if int(stored[1]) != len(sections) {
		return "another number of them than the record says"
	}
	headers, data := stored[sectionsFixed:], stored[sectionsFixed+sectionsHeader*len(sections):]
	for i := range sections {
		s, state := &sections[i], headers[sectionsHeader*i]
		if binary.BigEndian.Uint32(headers[sectionsHeader*i+1:]) != s.Len {
			return "another length than the record says"
		}
		switch {
		case state == stateRemoved:
			s.Data, s.Removed = nil, true
			continue
		case state != statePresent:
			return "unknown state"
		case uint64(len(data)) < uint64(s.Len):
			return "cut short"
		}
		s.Data, data = data[:s.Len:s.Len], data[s.Len:]
		s.Removed = false
		if sha256.Sum256(s.Data) != s.Sum {
			return "data does not have the sum that the record says"
		}
	}
	if len(data) != 0 {
		return "bytes after the last one"
	}
	return ""
}
