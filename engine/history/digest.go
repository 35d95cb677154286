package history

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"github.com/hookline/hookline/eventlog"
)

// Digest is a SHA-256 over all keys and values, by a scan, and the checkpoint it stands for. It is the same for the same
// records, live or rebuilt, and may run beside the follower.
func (h *History) Digest(ctx context.Context) (digest eventlog.Hash, seq eventlog.Seq, err error) {
	it, seq, err := h.store.IterAt(name, nil, nil)
	if err != nil {
		return digest, seq, err
	}
	sum := sha256.New()
	var buf []byte
	for more, n := it.First(), 1; more; more, n = it.Next(), n+1 {
		if n%checkEvery == 0 && ctx.Err() != nil {
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
