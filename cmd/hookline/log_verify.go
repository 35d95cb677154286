package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/pebblelog"
)

func logVerifyCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "verify", Short: "Prove the whole log: every checksum, every link of the chain", Args: exactly(),
		Long: `Read every record and section, recompute the chain from the first batch to the head and
compare with the high-water mark. Bodies that retention has removed are counted: their sums
still prove whole, and the rule must stand in the log. Exit code 3 when anything is damaged; all of it is listed.
Where the log ends and the chain there are printed: noted elsewhere, they also show a log
that somebody rewrote.`,
		Example: "  hookline log verify --data ./data -o json",
	}
	addOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		asJSON, err := outputJSON(cmd)
		if err != nil {
			return err
		}
		o, err := openOffline(cmd, t)
		if err != nil {
			return err
		}
		defer o.Close()
		var b *bar
		began := time.Now()
		allowed, err := engine.AllowedRemovals(cmd.Context(), o.log)
		if err == nil {
			allowed, err = o.withSalvaged(allowed)
		}
		if err != nil && !errors.Is(err, eventlog.ErrCorrupt) { // damage is what the rest names
			return err
		}
		report, err := o.log.VerifyWith(cmd.Context(), pebblelog.VerifyOptions{Allowed: allowed, Progress: func(done, total eventlog.Seq, bytes int64) {
			if b == nil {
				b = newBar(t.err, "verifying", total)
			}
			b.withBytes(done, bytes)
		}})
		took := time.Since(began)
		if b != nil {
			b.end()
		}
		if len(report.Damaged) > 0 {
			if err := t.verified(report, took, asJSON); err != nil {
				return err
			}
			return fmt.Errorf("the log is damaged in %d places: %w", len(report.Damaged), eventlog.ErrCorrupt)
		}
		if err != nil {
			return err
		}
		return t.verified(report, took, asJSON)
	}
	return cmd
}

// verification is what `log verify -o json` tells.
type verification struct {
	OK       bool     `json:"ok"`
	Records  uint64   `json:"records"`
	Batches  uint64   `json:"batches"`
	Sections uint64   `json:"sections"`
	Removed  uint64   `json:"sections_removed"` // by rule
	Bytes    uint64   `json:"bytes"`
	Seconds  float64  `json:"seconds"`
	HeadSeq  uint64   `json:"head_seq"`
	Chain    string   `json:"chain"`
	Damaged  []damage `json:"damaged"`
}

type damage struct {
	First uint64 `json:"first_seq"`
	Last  uint64 `json:"last_seq"` // 0 = unknown
	What  string `json:"what"`
}

// verified tells what a look at the whole log found.
func (t *terminal) verified(r pebblelog.Report, took time.Duration, asJSON bool) error {
	v := verification{OK: len(r.Damaged) == 0, Records: uint64(r.Records), Batches: uint64(r.Batches), Sections: uint64(r.Sections),
		Removed: uint64(r.Removed), Bytes: uint64(r.Bytes), Seconds: took.Seconds(), HeadSeq: uint64(r.Head.Seq), Chain: fmt.Sprintf("%x", r.Head.Chain), Damaged: []damage{}}
	for _, d := range r.Damaged {
		v.Damaged = append(v.Damaged, damage{uint64(d.First), uint64(d.Last), d.What})
		if !asJSON {
			t.say("damaged: %v", d)
		}
	}
	switch {
	case asJSON:
		return json.NewEncoder(t.out).Encode(v)
	case v.OK:
		t.say("ok: %d records in %d batches, %d sections (%d removed by rule), %d bytes in %.2f s (%.0f MiB/s)", v.Records, v.Batches, v.Sections, v.Removed, v.Bytes,
			v.Seconds, float64(v.Bytes)/(1<<20)/max(v.Seconds, 1e-6))
		t.say("head seq %d, chain %s", v.HeadSeq, v.Chain)
	}
	return nil
}

// errDiffers: what was rebuilt is not what was there.
var errDiffers = errors.New("the rebuilt differs from what was there")
