package engine

import (
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// someRate is a rate limit, or none.
func (w *walk) someRate() Optional[int] {
	if w.rnd.IntN(2) == 0 {
		return Optional[int]{Set: true, Null: true}
	}
	return Some(1 + w.rnd.IntN(3))
}

// someRecovery begins a recovery of an endpoint, or cancels one of its tenant.
func (w *walk) someRecovery(ep *Endpoint) error {
	ctx, by := w.t.Context(), Actor{"walk"}
	all, err := w.Recoveries(ctx, ep.Description, ListInput{})
	if err != nil {
		return err
	}
	if len(all.Data) > 0 && all.Data[0].State == "running" && w.rnd.IntN(2) == 0 {
		_, err = w.CancelRecovery(ctx, by, ep.Description, all.Data[0].ID)
		return err
	}
	in := RecoverInput{Rate: w.rnd.IntN(4)}
	if in.Rate == 3 {
		in.Rate = 1
		in.Status = []string{"skipped"}
	}
	_, err = w.Recover(ctx, by, ep.Description, ep.ID, in)
	return err
}

// checkRecoveries reads the log: a recovery makes no delivery anew twice, says how many it made, and is done when that is
// what it matched; none is left running.
func (w *walk) checkRecoveries() {
	type told struct {
		matched uint64
		of      map[record.Ref]bool
		ended   record.RecoveryState
	}
	all := map[eventlog.Seq]*told{}
	for r, err := range w.log.Read(w.t.Context(), 0) {
		if err != nil {
			w.t.Fatal(err)
		}
		switch r.Type {
		case record.TypeRecoveryStarted:
			var f record.RecoveryStarted
			w.decode(&f, r.Facts)
			all[r.Seq] = &told{matched: f.Matched, of: map[record.Ref]bool{}}
		case record.TypeDeliveryCreated:
			var f record.DeliveryCreated
			w.decode(&f, r.Facts)
			if x := all[f.Recovery]; x != nil {
				if x.of[f.ResendOf] || x.ended != 0 {
					w.t.Errorf("seq %d: recovery %d makes %v anew twice, or after its end", r.Seq, f.Recovery, f.ResendOf)
				}
				x.of[f.ResendOf] = true
			}
		case record.TypeRecoveryAdvanced:
			var f record.RecoveryAdvanced
			w.decode(&f, r.Facts)
			if x := all[f.Recovery]; uint64(len(x.of)) != f.Created {
				w.t.Errorf("seq %d: recovery %d says %d, made %d", r.Seq, f.Recovery, f.Created, len(x.of))
			}
		case record.TypeRecoveryEnded:
			var f record.RecoveryEnded
			w.decode(&f, r.Facts)
			if x := all[f.Recovery]; f.State == record.RecoveryDone && uint64(len(x.of)) != x.matched {
				w.t.Errorf("recovery %d matched %d and made %d", f.Recovery, x.matched, len(x.of))
			}
			all[f.Recovery].ended = f.State
		}
	}
	for seq, x := range all {
		if x.ended == 0 {
			w.t.Errorf("recovery %d of %d never ended", seq, x.matched)
		}
	}
	w.t.Logf("%d recoveries", len(all))
}

func (w *walk) decode(f interface{ Decode([]byte) error }, facts []byte) {
	w.t.Helper()
	if err := f.Decode(facts); err != nil {
		w.t.Fatal(err)
	}
}
