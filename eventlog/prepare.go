package eventlog

import (
	"crypto/sha256"
	"fmt"
)

// Prepare is for backends: it checks a batch that is about to be appended after a record of time `last`, then sets
// Seq in its records and, where NewSection has not, Sum and Len in their sections. What it refuses (ErrInvalid) it leaves as it was.
// A section may be appended as Removed: then it has no Data, and its Sum and Len are kept as given.
func Prepare(records []Record, first Seq, last int64) error {
	if len(records) > MaxBatchRecords {
		return fmt.Errorf("%w: %d records in a batch, at most %d: split it", ErrInvalid, len(records), MaxBatchRecords)
	}
	size := 0
	for i := range records {
		r := &records[i]
		if err := check(r, last); err != nil {
			return fmt.Errorf("%w: record %d of the batch: %w", ErrInvalid, i, err)
		}
		last = r.Time
		size += len(r.Facts)
		for j := range r.Sections {
			size += len(r.Sections[j].Data)
		}
	}
	if size > MaxBatchBytes {
		return fmt.Errorf("%w: %d bytes in a batch, at most %d: split it", ErrInvalid, size, MaxBatchBytes)
	}
	stamp(records, first)
	return nil
}

// PrepareEpoch is for backends: it returns the epoch record that Acquire appends as the record `seq`.
func PrepareEpoch(e Epoch, seq Seq, now int64) []Record {
	records := []Record{{Type: TypeEpochStarted, Time: now, Facts: AppendEpochFacts(nil, e)}}
	stamp(records, seq)
	return records
}

// CheckOwner refuses an owner that does not fit the batch header.
func CheckOwner(owner string) error {
	if len(owner) > MaxOwner {
		return fmt.Errorf("%w: owner has %d bytes, at most %d", ErrInvalid, len(owner), MaxOwner)
	}
	return nil
}

func check(r *Record, last int64) error {
	switch {
	case r.Type == 0:
		return fmt.Errorf("type is 0, must be set")
	case r.Type == TypeEpochStarted:
		return fmt.Errorf("type %d belongs to the log, only Acquire appends it", TypeEpochStarted)
	case r.Time < last:
		return fmt.Errorf("time %d is before %d, the time of the record before it", r.Time, last)
	case len(r.Tenant) > MaxTenant:
		return fmt.Errorf("tenant has %d bytes, at most %d", len(r.Tenant), MaxTenant)
	case r.Flags != 0:
		return fmt.Errorf("flags are %#x, none is defined: must be 0", r.Flags)
	case len(r.Facts) > MaxFacts:
		return fmt.Errorf("facts have %d bytes, at most %d", len(r.Facts), MaxFacts)
	case len(r.Sections) > MaxSections:
		return fmt.Errorf("%d sections, at most %d", len(r.Sections), MaxSections)
	}
	for i := range r.Sections {
		s := &r.Sections[i]
		if len(s.Data) > MaxSection || s.Removed && s.Len > MaxSection {
			return fmt.Errorf("section %d has %d bytes, at most %d", i, max(len(s.Data), int(s.Len)), MaxSection)
		}
		if s.Removed && s.Data != nil {
			return fmt.Errorf("section %d is removed and has data: one or the other", i)
		}
	}
	return nil
}

func stamp(records []Record, first Seq) {
	for i := range records {
		r := &records[i]
		r.Seq = first + Seq(i)
		for j := range r.Sections {
			if s := &r.Sections[j]; !s.Removed && (s.Sum == Hash{} || s.Len != uint32(len(s.Data))) {
				s.Sum, s.Len = sha256.Sum256(s.Data), uint32(len(s.Data))
			}
		}
	}
}

// NewSection is a section with its sum: made where the sealed bytes are made, so that Append need not hash them in the
// writer's goroutine.
func NewSection(sealed []byte) Section {
	return Section{Sum: sha256.Sum256(sealed), Len: uint32(len(sealed)), Data: sealed}
}
