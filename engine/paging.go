package engine

import (
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/hookline/hookline/eventlog"
)

// List limits.
const (
	DefaultLimit = 50
	MaxLimit     = 250
)

// limit validates a list's limit.
func (in *ListInput) limit() (int, error) {
	switch {
	case in.Limit == 0:
		return DefaultLimit, nil
	case in.Limit < 0 || in.Limit > MaxLimit:
		return 0, Invalid("limit", "is %d, want 1 to %d", in.Limit, MaxLimit)
	}
	return in.Limit, nil
}

// Cursors are opaque: a letter for what they continue, then a position.
func encodeCursor(kind byte, pos []byte) *string {
	s := base64.RawURLEncoding.EncodeToString(append([]byte{kind}, pos...))
	return &s
}

func decodeCursor(kind byte, cursor string) ([]byte, error) {
	if cursor == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) < 1 || b[0] != kind {
		return nil, Invalid("cursor", "is none that this list gave out: pass next_cursor as it came")
	}
	return b[1:], nil
}

// pageOf pages a list that fits in memory, ordered by descending seq (ascending if asked): the cursor is the seq of the
// last item given out, so that changes between pages neither repeat nor hide an item.
func pageOf[S, T any](all []S, in ListInput, seq func(S) eventlog.Seq, object func(S) (T, error)) (Page[T], error) {
	page := Page[T]{Data: []T{}}
	limit, err := in.limit()
	if err != nil {
		return page, err
	}
	pos, err := decodeCursor('s', in.Cursor)
	if err != nil || len(pos) != 0 && len(pos) != 8 {
		return page, Invalid("cursor", "is none that this list gave out: pass next_cursor as it came")
	}
	if in.Ascending {
		slices.Reverse(all)
	}
	for i, item := range all {
		if len(pos) == 8 {
			last := eventlog.Seq(binary.BigEndian.Uint64(pos))
			if !in.Ascending && seq(item) >= last || in.Ascending && seq(item) <= last {
				continue
			}
		}
		o, err := object(item)
		if err != nil {
			return page, err
		}
		page.Data = append(page.Data, o)
		if len(page.Data) == limit {
			if i+1 < len(all) {
				page.NextCursor = encodeCursor('s', binary.BigEndian.AppendUint64(nil, uint64(seq(item))))
			}
			break
		}
	}
	return page, nil
}
