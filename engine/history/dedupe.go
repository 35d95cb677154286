package history

import (
	"github.com/hookline/hookline/eventlog"
)

// DedupeWindowMS is how long an idempotency key counts, by record time: 24 h. A key of exactly that age is free again.
const DedupeWindowMS = dayMS

// Dedupe is the answer about an idempotency key.
type Dedupe struct {
	Found       bool
	Seq         eventlog.Seq // of the event.published that used the key last
	TimeMS      int64        // its record time, Unix ms
	Fingerprint [16]byte
	// Checkpoint is what the answer covers: every event up to this seq.
	Checkpoint eventlog.Seq
}

// Dedupe looks for an event that used an idempotency key (its keyed hash) within the window before now, Unix ms.
// What is newer than Checkpoint the caller has to know.
func (h *History) Dedupe(tenant string, hash [16]byte, nowMS int64) (d Dedupe, err error) {
	d.Checkpoint = h.Checkpoint() // before the reads: they see at least this much
	var keyRoom, valueRoom [128]byte
	for day := max(nowMS, 0) / dayMS; day >= 0 && !d.Found; day-- {
		if day < max(nowMS-DedupeWindowMS, 0)/dayMS {
			break
		}
		value, found, err := h.store.Get(appendDedupe(keyRoom[:0], day, tenant, hash), valueRoom[:0])
		if err != nil {
			return d, err
		}
		if !found {
			continue
		}
		var v dedupeValue
		if err := v.decode(value); err != nil {
			return d, err
		}
		if v.time <= nowMS-DedupeWindowMS {
			break
		}
		d.Found, d.Seq, d.TimeMS, d.Fingerprint = true, v.seq, v.time, v.fingerprint
	}
	return d, nil
}
