package ndjson

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/hookline/hookline/eventlog"
)

func readHeader(line []byte) (h Header, err error) {
	if err := strict(line, &h); err != nil {
		return h, err
	}
	if h.Format != format {
		return h, fmt.Errorf("%w: version %d, this build reads %d", ErrForm, h.Format, format)
	}
	return h, nil
}

// readLine reads a batch, or the last line.
func readLine(line []byte) (*eventlog.Batch, *Trailer, error) {
	if bytes.HasPrefix(line, []byte(`{"head_seq":`)) {
		t := &Trailer{}
		return nil, t, strict(line, t)
	}
	var in Batch
	if err := strict(line, &in); err != nil {
		return nil, nil, err
	}
	b := &eventlog.Batch{First: in.First, Epoch: in.Epoch, Owner: in.Owner}
	if !hash(&b.Prev, in.Prev) || !hash(&b.Chain, in.Chain) {
		return nil, nil, fmt.Errorf("%w: a chain is no SHA-256", ErrForm)
	}
	if n := len(in.Records); n == 0 || n > eventlog.MaxBatchRecords || in.First == 0 || len(in.Owner) > eventlog.MaxOwner {
		return nil, nil, fmt.Errorf("%w: a batch of %d records from seq %d, owner of %d bytes: out of range", ErrForm, n, in.First, len(in.Owner))
	}
	b.Records = make([]eventlog.Record, len(in.Records))
	for i := range in.Records {
		if err := in.Records[i].into(&b.Records[i]); err != nil {
			return nil, nil, fmt.Errorf("record %d: %w", i, err)
		}
		b.Records[i].Seq = b.First + eventlog.Seq(i)
	}
	return b, nil, nil
}

func (in *Record) into(r *eventlog.Record) error {
	if in.Type == 0 || in.Time < 0 || len(in.Tenant) > eventlog.MaxTenant || len(in.Facts) > eventlog.MaxFacts || len(in.Sections) > eventlog.MaxSections {
		return fmt.Errorf("%w: a field is out of range", ErrForm)
	}
	*r = eventlog.Record{Type: in.Type, Time: in.Time, Tenant: in.Tenant, Facts: in.Facts}
	for _, s := range in.Sections {
		switch {
		case s.Removed:
			sec := eventlog.Section{Removed: true, Len: s.Len}
			if !hash(&sec.Sum, s.Sum) || s.Len > eventlog.MaxSection || s.Data != nil {
				return fmt.Errorf("%w: a removed section is out of range", ErrForm)
			}
			r.Sections = append(r.Sections, sec)
		case len(s.Data) > eventlog.MaxSection || s.Sum != "" || s.Len != 0:
			return fmt.Errorf("%w: a section is out of range", ErrForm)
		default:
			r.Sections = append(r.Sections, eventlog.NewSection(s.Data))
		}
	}
	return nil
}

func hash(into *eventlog.Hash, text string) bool {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(into) {
		return false
	}
	copy(into[:], b)
	return true
}

// strict refuses unknown fields and what follows the object: a newer form must not be half read.
func strict(line []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: more than one object", ErrForm)
	}
	return nil
}
