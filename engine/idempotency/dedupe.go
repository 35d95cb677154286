package idempotency

import "github.com/hookline/hookline/eventlog"

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
func (k *Keys) Dedupe(tenant string, hash [16]byte, nowMS int64) (d Dedupe, err error) {
	d.Checkpoint = k.Checkpoint() // before the reads: they see at least this much
	today := max(nowMS, 0) / dayMS
	var keyRoom [128]byte
	var valueRoom [64]byte
	// Within the window a key is used once at most: in today's keys or in yesterday's.
	for day := today; day >= 0 && (day+1)*dayMS > nowMS-DedupeWindowMS; day-- {
		if !k.filter.mayHold(day, hash) {
			continue
		}
		value, found, err := k.store.Get(appendDedupe(keyRoom[:0], day, tenant, hash), valueRoom[:0])
		if err != nil {
			return d, err
		}
		if !found {
			continue
		}
		var v use
		if err := v.decode(value); err != nil {
			return d, err
		}
		if v.time > nowMS-DedupeWindowMS {
			d.Found, d.Seq, d.TimeMS, d.Fingerprint = true, v.seq, v.time, v.fingerprint
		}
		break
	}
	return d, nil
}
