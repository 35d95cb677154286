package projection

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"github.com/hookline/hookline/eventlog"
)

// Digest is a SHA-256 over the keys of a view, from lower on, before upper, and their values, and the checkpoint of the
// view that it stands for, exactly. It scans them all, and may run beside the follower.
func (s *Store) Digest(ctx context.Context, view string, lower, upper []byte) (digest eventlog.Hash, seq eventlog.Seq, err error) {
	it, seq, err := s.IterAt(view, lower, upper)
	if err != nil {
		return digest, seq, err
	}
	sum := sha256.New()
	var buf []byte
	for more, n := it.First(), 1; more; more, n = it.Next(), n+1 {
		if n%1024 == 0 && ctx.Err() != nil {
			_ = it.Close()
			return digest, seq, context.Cause(ctx)
		}
		key, value := it.Key(), it.Value()
		buf = binary.AppendUvarint(binary.AppendUvarint(buf[:0], uint64(len(key))), uint64(len(value)))
		sum.Write(buf)
		sum.Write(key)
		sum.Write(value)
	}
	sum.Sum(digest[:0])
	return digest, seq, it.Close()
}
