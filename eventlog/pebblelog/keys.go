package pebblelog

import (
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookline/hookline/eventlog"
)

// The first byte of a key says what it holds, a big-endian seq follows.
const (
	keyBatch    = 'F' // facts: a batch, under its first seq
	keySections = 'S' // one record's sections
	keyLen      = 9
)

func makeKey(kind byte, seq eventlog.Seq) [keyLen]byte {
	var k [keyLen]byte
	putKey(k[:], kind, seq)
	return k
}

func putKey(dst []byte, kind byte, seq eventlog.Seq) {
	dst[0] = kind
	binary.BigEndian.PutUint64(dst[1:], uint64(seq))
}

func keySeq(k []byte) eventlog.Seq {
	if len(k) != keyLen {
		return 0
	}
	return eventlog.Seq(binary.BigEndian.Uint64(k[1:]))
}

// spans tells Pebble to write the two kinds of keys to tables of their own. In one table, every flush would reach from
// the newest batch to the newest sections and so overlap all older sections: each compaction would write them anew.
// Apart, tables never overlap and are moved down the levels, not rewritten.
func spans(start []byte) (pebble.SpanPolicy, []byte, error) {
	if len(start) > 0 && start[0] >= keySections {
		return pebble.SpanPolicy{}, nil, nil
	}
	return pebble.SpanPolicy{}, []byte{keySections}, nil
}
