package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/filters"
)

func filtersBenchCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "bench [FILTER]", Short: "Measure what a filter costs on an event", Args: atMost(1),
		Long: `Measure what a filter costs on an event, on this machine, beside the worst case that it is
bounded by. Decoding the event's JSON happens once for all filters and is told apart.`,
		Example: `  hookline filters bench 'data.zone.name endsWith ".example"' --event event.json`,
	}
	outputFlag(cmd)
	fileFlag(cmd)
	cmd.Flags().StringP("event", "e", "", "`FILE` with an event as it would be published; - for standard input")
	cmd.Flags().Duration("duration", time.Second, "how long to measure, 10ms to 1m")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		inJSON, err := wantsJSON(cmd)
		if err != nil {
			return err
		}
		name, _ := cmd.Flags().GetString("event")
		lasts, _ := cmd.Flags().GetDuration("duration")
		switch {
		case name == "":
			return usagef("--event is missing: give a FILE, or - for standard input")
		case lasts < 10*time.Millisecond || lasts > time.Minute:
			return usagef("--duration %s is not within 10ms and 1m", lasts)
		}
		src, err := filterText(cmd, t, args)
		if err != nil {
			return err
		}
		given, err := eventOf(t, name)
		if err != nil {
			return err
		}
		f, err := filters.Compile(src)
		if err != nil {
			return err
		}
		ev, err := given.Seen()
		if err != nil {
			return err
		}
		m := measureFilter(f, ev, lasts)
		if inJSON {
			return t.showJSON(m)
		}
		t.say("%s: %d ns an event (decoded before), %d ns with decoding; worst case %d us", m.Verdict, m.EvaluateNS, m.DecodedNS, m.CostUS)
		return nil
	}
	return cmd
}

// measured is what a filter costs on one event.
type measured struct {
	Verdict    string `json:"verdict"`
	EvaluateNS int64  `json:"evaluate_ns"`
	DecodedNS  int64  `json:"evaluate_and_decode_ns"`
	CostUS     int    `json:"cost_us"`
}

func measureFilter(f *filters.Filter, ev *filters.Event, lasts time.Duration) measured {
	out := measured{Verdict: "no", CostUS: (f.Cost() + 999) / 1000}
	switch ok, err := f.Match(ev); {
	case err != nil:
		out.Verdict = "error"
	case ok:
		out.Verdict = "match"
	}
	out.EvaluateNS = each(lasts/2, func() { f.Match(ev) })
	fresh := *ev
	out.DecodedNS = each(lasts/2, func() {
		again := filters.Event{Type: fresh.Type, ID: fresh.ID, Tenant: fresh.Tenant, OccurredAt: fresh.OccurredAt, Data: fresh.Data, Actor: fresh.Actor, Metadata: fresh.Metadata}
		f.Match(&again)
	})
	return out
}

// each is how many ns one call takes, over many.
func each(lasts time.Duration, call func()) int64 {
	n, start := int64(0), time.Now()
	for {
		for range 100 {
			call()
		}
		n += 100
		if took := time.Since(start); took >= lasts {
			return took.Nanoseconds() / n
		}
	}
}
