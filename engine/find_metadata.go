package engine

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/seal"
)

// searchMetadata looks at the metadata of some events.
func (e *Engine) searchMetadata(ctx context.Context, s *eventSearch, rows []history.EventRow) (err error) {
	if len(s.metadata) == 0 {
		return nil
	}
	seqs := make([]eventlog.Seq, len(rows))
	for i := range rows {
		seqs[i] = rows[i].Seq
	}
	s.has, err = e.haveMetadata(ctx, seqs, s.metadata)
	return err
}

// findGap is how many records a read passes over rather than begin anew.
const findGap = 32

// haveMetadata says which events' metadata holds a text. What lies close together in the log is read in one go: a point
// read costs a block, which holds the neighbours.
func (e *Engine) haveMetadata(ctx context.Context, seqs []eventlog.Seq, text []byte) (map[eventlog.Seq]bool, error) {
	slices.Sort(seqs)
	has := make(map[eventlog.Seq]bool, len(seqs))
	for len(seqs) > 0 {
		n := 1
		for n < len(seqs) && seqs[n]-seqs[n-1] <= findGap {
			n++
		}
		if err := e.haveMetadataIn(ctx, seqs[:n], text, has); err != nil {
			return nil, err
		}
		seqs = seqs[n:]
	}
	return has, nil
}

// haveMetadataIn reads from the first to the last of some seqs, which rise.
func (e *Engine) haveMetadataIn(ctx context.Context, seqs []eventlog.Seq, text []byte, has map[eventlog.Seq]bool) error {
	if len(seqs) == 1 {
		r, _, err := e.eventAt(ctx, seqs[0])
		if err == nil {
			has[seqs[0]], err = e.metadataHas(&r, text)
		}
		return err
	}
	for r, err := range e.cfg.Log.Read(ctx, seqs[0]-1) {
		if err != nil {
			return storeError(err)
		}
		for len(seqs) > 0 && seqs[0] < r.Seq {
			seqs = seqs[1:] // the same again
		}
		if len(seqs) == 0 {
			return nil
		}
		if seqs[0] != r.Seq || r.Type != record.TypeEventPublished {
			continue
		}
		if has[r.Seq], err = e.metadataHas(&r, text); err != nil {
			return err
		}
	}
	return nil
}

// metadataHas says whether an event's metadata, as it was sent, holds a text. What was erased holds none.
func (e *Engine) metadataHas(r *eventlog.Record, text []byte) (bool, error) {
	if len(r.Sections) < 2 {
		return false, nil
	}
	plain, err := e.openSection(r.Sections[1], r.Tenant, r.Type, 1)
	if errors.Is(err, seal.ErrDestroyed) {
		return false, nil
	}
	var p record.EventPrivate
	if err == nil {
		err = p.Decode(plain)
	}
	if err != nil {
		return false, storeError(err)
	}
	return bytes.Contains(p.Metadata, text), nil
}
