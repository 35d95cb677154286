package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// shownRecord is one line of `log cat`. Sections stay sealed: their lengths and sums are shown.
type shownRecord struct {
	Seq      eventlog.Seq   `json:"seq"`
	Time     string         `json:"time"`
	Type     string         `json:"type"`
	Tenant   string         `json:"tenant,omitempty"`
	Facts    any            `json:"facts"`
	Sections []shownSection `json:"sections,omitempty"`
}

type shownSection struct {
	Bytes   uint32 `json:"bytes"`
	SHA256  string `json:"sha256"`
	Removed bool   `json:"removed,omitempty"`
}

func logCatCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "cat", Short: "Print records, one JSON object a line", Args: exactly(),
		Long: `Print the records with their plain facts, oldest first, one JSON object a line. What a
publisher, customer, receiver or operator wrote is sealed and stays so: of each sealed
section its length and SHA-256 are shown.`,
		Example: "  hookline log cat --data ./data --type attempt.finished --limit 10",
	}
	fs := cmd.Flags()
	fs.Uint64("after", 0, "begin after this `SEQ`")
	fs.Uint64("limit", 0, "at most this many, 0 = all")
	fs.String("tenant", "", "only this `TENANT`'s")
	fs.String("type", "", "only this `TYPE`, e.g. event.published")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		after, _ := fs.GetUint64("after")
		limit, _ := fs.GetUint64("limit")
		tenant, _ := fs.GetString("tenant")
		kind, _ := fs.GetString("type")
		o, err := openOffline(cmd, t)
		if err != nil {
			return err
		}
		defer o.Close()
		out := bufio.NewWriterSize(t.out, 1<<16)
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		n := uint64(0)
		for r, err := range o.log.Read(cmd.Context(), eventlog.Seq(after)) {
			if err != nil {
				return flushed(out, err)
			}
			if tenant != "" && r.Tenant != tenant || kind != "" && typeName(r.Type) != kind {
				continue
			}
			line, err := shown(&r)
			if err == nil {
				err = enc.Encode(line)
			}
			if err != nil {
				return flushed(out, err)
			}
			if n++; n == limit {
				break
			}
		}
		return out.Flush()
	}
	return cmd
}

// flushed shows what came before an error.
func flushed(out *bufio.Writer, err error) error {
	if ferr := out.Flush(); ferr != nil {
		return ferr
	}
	return err
}

func typeName(t eventlog.Type) string {
	if name := record.Name(t); name != "" {
		return name
	}
	return fmt.Sprintf("type %d", t)
}

func shown(r *eventlog.Record) (shownRecord, error) {
	out := shownRecord{Seq: r.Seq, Time: stamp(r.Time), Type: typeName(r.Type), Tenant: r.Tenant}
	facts, err := record.Show(r, nil)
	if err != nil {
		return out, fmt.Errorf("seq %d: %w", r.Seq, err)
	}
	out.Facts = facts
	for _, s := range r.Sections {
		out.Sections = append(out.Sections, shownSection{Bytes: s.Len, SHA256: hex.EncodeToString(s.Sum[:]), Removed: s.Removed})
	}
	return out, nil
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
