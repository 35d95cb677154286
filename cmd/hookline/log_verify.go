package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/eventlog"
)

func logVerifyCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "verify", Short: "Prove the whole log: every checksum, every link of the chain", Args: exactly(),
		Long: `Read every record and section, recompute the chain from the first batch to the head and
compare with the high-water mark. Exit code 3 when anything is damaged; all of it is listed.
Where the log ends and the chain there are printed: noted elsewhere, they also show a log
that somebody rewrote.`,
		Example: "  hookline log verify --data ./data",
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o, err := openOffline(cmd, t)
		if err != nil {
			return err
		}
		defer o.Close()
		var b *bar
		report, err := o.log.Verify(cmd.Context(), func(done, total eventlog.Seq) {
			if b == nil {
				b = newBar(t.err, "verifying", total)
			}
			b.at(done)
		})
		if b != nil {
			b.end()
		}
		if len(report.Damaged) > 0 {
			for _, d := range report.Damaged {
				t.say("damaged: %v", d)
			}
			return fmt.Errorf("the log is damaged in %d places: %w", len(report.Damaged), eventlog.ErrCorrupt)
		}
		if err != nil {
			return err
		}
		t.say("ok: %d records in %d batches, %d sections (%d removed by rule), %d bytes", report.Records, report.Batches, report.Sections, report.Removed, report.Bytes)
		t.say("head seq %d, chain %x", report.Head.Seq, report.Head.Chain)
		return nil
	}
	return cmd
}

// errDiffers: what was rebuilt is not what was there.
var errDiffers = errors.New("the rebuilt differs from what was there")
