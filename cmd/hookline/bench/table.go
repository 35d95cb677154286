package bench

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// print writes the table: at most 100 columns, one line a row, then what does not fit a column, then goals that were
// missed and rows that failed.
func (res *Result) print(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d CPUs, %s, Linux %s, %s, body of %d bytes, %g s a row\n",
		res.Machine.CPUs, res.Machine.Model, res.Machine.Kernel, res.Machine.Go, res.Size, res.Duration)
	if res.Short {
		b.WriteString("a smoke test: these figures mean little\n")
	}
	b.WriteString("\nrow             events  events/s   bare/s  ratio  goal  CPU/1000   MiB  peak  KiB/event  result\n")
	for i := range res.Rows {
		res.Rows[i].line(&b)
	}
	b.WriteString("\nCPU (s), MiB (Pss; peak: RSS), disk: server and plugins. bare/s: mean of before and after.\n")
	for i := range res.Rows {
		res.Rows[i].notes(&b)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (r *RowResult) line(b *bytes.Buffer) {
	bare, ratio, goal := "", "", ""
	if r.Ratio > 0 {
		bare, ratio = fmt.Sprintf("%.0f", (r.BareBefore+r.BareAfter)/2), fmt.Sprintf("%.2f", r.Ratio)
	}
	for _, g := range r.Goals {
		if g.Metric == mRatio {
			goal = fmt.Sprintf("%.2f", *g.Min)
		}
	}
	fmt.Fprintf(b, "%-13s %8d %9.0f %8s %6s %5s %9.3f %5.0f %5.0f %10.2f  %s\n",
		r.Name, r.Events, r.Rate, bare, ratio, goal, r.CPU, r.PssMiB, r.PeakMiB, r.DiskPer/1024, r.verdict())
}

func (r *RowResult) verdict() string {
	switch {
	case r.Error != "":
		return "FAILED"
	case len(r.missed()) > 0:
		return "below goal"
	}
	return "ok"
}

func (r *RowResult) missed() (out []string) {
	for _, g := range r.Goals {
		if g.Met == nil || *g.Met {
			continue
		}
		if g.Min != nil {
			out = append(out, fmt.Sprintf("%s %s, goal >= %s", g.Metric, figure(*g.Value), figure(*g.Min)))
		} else {
			out = append(out, fmt.Sprintf("%s %s, goal <= %s", g.Metric, figure(*g.Value), figure(*g.Max)))
		}
	}
	return out
}

// figure shows three significant digits of what is small and whole numbers of what is not.
func figure(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func (r *RowResult) notes(b *bytes.Buffer) {
	say := func(format string, args ...any) {
		fmt.Fprintf(b, "%-13s "+format+"\n", append([]any{r.Name}, args...)...)
	}
	if l := r.Latency; l != nil {
		say("publish to receiver: p50 %.2f ms, p90 %.2f ms, p99 %.2f ms, most %.2f ms", l.P50, l.P90, l.P99, l.Max)
	}
	if p := r.Replay; p != nil {
		say("%d records: folded at %.0f/s; check %.1f s; start %.2f s, log alone %.2f s",
			p.Records, p.Rate, p.CheckSeconds, p.StartSeconds, p.RefoldSeconds)
	}
	if a := r.Aged; a != nil {
		say("%.0f events/s on a new log, %.0f with %d records in it: ratio %.2f", a.New, a.Old, a.Records, a.Ratio)
	}
	if p := r.Pending; p != nil {
		say("%d deliveries wait in %.1f MiB (%.1f before, %.1f after)", p.Deliveries, p.MiB, p.BeforeMiB, p.AfterMiB)
	}
	if l := r.Listing; l != nil {
		say("a page of %d deliveries: p50 %.2f ms, p99 %.2f ms, most %.2f ms", l.Deliveries, l.P50, l.P99, l.Max)
		for _, form := range slices.Sorted(maps.Keys(l.ByForm)) {
			say("  %s: p99 %.2f ms", form, l.ByForm[form])
		}
	}
	if n := r.Neighbour; n != nil && n.Alone != nil && n.Beside != nil {
		say("p50 %.2f, p99 %.2f ms alone; p50 %.2f, p99 %.2f ms beside %d that hang: ratio %.2f",
			n.Alone.P50, n.Alone.P99, n.Beside.P50, n.Beside.P99, n.Hanging, n.Ratio)
	}
	if r.IdleSeconds > 0 {
		say("disk after %.0f s idle: %.1f MiB", r.IdleSeconds, mib(r.Disk))
	}
	for _, m := range r.missed() {
		say("below goal: %s", m)
	}
	if r.Error != "" {
		say("FAILED: %s", strings.ReplaceAll(r.Error, "\n", "\n"+strings.Repeat(" ", 14)))
	}
}
