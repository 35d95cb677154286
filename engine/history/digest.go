package history

import (
	"context"

	"github.com/hookline/hookline/eventlog"
)

// Digest is a SHA-256 over all keys and values, by a scan, and the checkpoint it stands for. It is the same for the same
// records, live or rebuilt, and may run beside the follower.
func (h *History) Digest(ctx context.Context) (digest eventlog.Hash, seq eventlog.Seq, err error) {
	return h.store.Digest(ctx, name, []byte{firstLetter}, []byte{lastLetter + 1})
}
