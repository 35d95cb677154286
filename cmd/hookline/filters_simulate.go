package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/api"
	"github.com/hookline/hookline/eventlog"
)

func filtersSimulateCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "simulate [FILTER]", Short: "Try a filter on the events that a tenant has published, before it is saved", Args: atMost(1),
		Long: `Try a filter on events that a tenant has published: how many match, which do not, on which it
fails, what it would deliver a day, and with --subscription what changes against the filter that
is saved. Without a FILTER the subscription is tried as it is, or every event of the types.
Exit 1 if the text is no filter.`,
		Example: `  hookline filters simulate 'data.zone.name == "example.com"' --tenant acme --event-types zone.*
  hookline filters simulate 'data.record.ttl < 60' --tenant acme --subscription sub_01 --last 5000
  hookline filters simulate -f zones.filter --tenant acme --from 2026-01-31T00:00:00Z`,
	}
	remoteFlags(cmd)
	fileFlag(cmd)
	fs := cmd.Flags()
	fs.String("tenant", "", "whose events: a `TENANT` of the server")
	fs.StringSlice("event-types", nil, "`TYPES` of the subscription, comma separated; default --subscription's, or all")
	fs.String("subscription", "", "compare with what this `SUBSCRIPTION` has now")
	fs.Int("last", 0, "look at the newest `N` events, 1 to 100000; default 1000")
	fs.String("from", "", "instead of --last: events recorded at or after this `TIME`, RFC 3339")
	fs.String("to", "", "instead of --last: events recorded before this `TIME`, RFC 3339")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in, err := simulateRequest(cmd, t, args)
		if err != nil {
			return err
		}
		r, err := connect(cmd, t)
		if err != nil {
			return err
		}
		raw, err := r.simulate(cmd.Context(), in)
		if err != nil {
			return err
		}
		var out engine.FilterSimulated
		if err := json.Unmarshal(raw, &out); err != nil {
			return err
		}
		if r.output == "json" {
			err = r.show(append(raw, '\n'))
		} else {
			t.simulated(&out)
		}
		if err == nil && !out.Valid {
			return errSilent{exitError}
		}
		return err
	}
	return cmd
}

// simulateAsked is the body of /v1/filters:simulate.
type simulateAsked struct {
	Tenant         string   `json:"tenant"`
	Filter         *string  `json:"filter,omitempty"`
	EventTypes     []string `json:"event_types,omitempty"`
	SubscriptionID string   `json:"subscription_id,omitempty"`
	Last           int      `json:"last,omitempty"`
	From           string   `json:"from,omitempty"`
	To             string   `json:"to,omitempty"`
}

func simulateRequest(cmd *cobra.Command, t *terminal, args []string) (in simulateAsked, err error) {
	fs := cmd.Flags()
	in.Tenant, _ = fs.GetString("tenant")
	in.SubscriptionID, _ = fs.GetString("subscription")
	if fs.Changed("event-types") {
		in.EventTypes, _ = fs.GetStringSlice("event-types")
	}
	in.Last, _ = fs.GetInt("last")
	in.From, _ = fs.GetString("from")
	in.To, _ = fs.GetString("to")
	file, _ := fs.GetString("file")
	if in.Tenant == "" {
		return in, usagef("--tenant is missing: whose events to look at")
	}
	if fs.Changed("last") && in.Last < 1 {
		return in, usagef("--last %d: want 1 or more", in.Last)
	}
	if len(args) > 0 || file != "" {
		src, err := filterText(cmd, t, args)
		if err != nil {
			return in, err
		}
		in.Filter = &src
	} else if in.SubscriptionID == "" && in.EventTypes == nil {
		return in, usagef("%s needs a FILTER, -f FILE, --event-types, or --subscription", cmd.CommandPath())
	}
	return in, nil
}

// simulate asks for progress, shows it, and returns the answer.
func (r *remote) simulate(ctx context.Context, in simulateAsked) (json.RawMessage, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	r.http.Timeout = 0 // it goes on while it tells of progress
	resp, err := r.send(ctx, http.MethodPost, "/v1/filters:simulate", body, "application/x-ndjson")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		if err != nil {
			return nil, err
		}
		return nil, refusal(resp.StatusCode, answer)
	}
	lines := bufio.NewReader(resp.Body)
	shown := newBar(r.t.err, "simulate", 0)
	defer func() { shown.end() }()
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, fmt.Errorf("%s broke off its answer: %w", r.base, err)
		}
		var told struct {
			Progress *engine.SimulateProgress
			Problem  *api.Problem
			Result   json.RawMessage
		}
		if err := json.Unmarshal(line, &told); err != nil {
			return nil, fmt.Errorf("%s: a line of progress: %w", r.base, err)
		}
		switch {
		case told.Result != nil:
			return told.Result, nil
		case told.Problem != nil:
			return nil, errors.New(printable(told.Problem.Detail))
		case told.Progress != nil:
			shown.total = eventlog.Seq(told.Progress.Total)
			shown.events(told.Progress.Done)
		}
	}
}

// simulated shows a back-test for people.
func (t *terminal) simulated(s *engine.FilterSimulated) {
	for i := range s.Errors {
		t.say("error: %s", remarkText(&s.Errors[i]))
	}
	if !s.Valid {
		return
	}
	t.say("%d events: %d matched, %d missed (%d of other types), %d failed", s.Events, s.Matched, s.Missed, s.OtherTypes, s.Failed)
	if s.Erased > 0 {
		t.say("%d more cannot be evaluated: their content is gone", s.Erased)
	}
	if s.Truncated {
		t.say("the range has more events: these are the newest")
	}
	if s.DeliveriesPerDay != nil {
		t.say("about %.0f deliveries a day, retries not counted", *s.DeliveriesPerDay)
	}
	if d := s.Diff; d != nil {
		t.say("against what %s has now: %s", d.SubscriptionID, d.Text)
		t.sampled("  new", d.AddedSamples)
		t.sampled("  gone", d.RemovedSamples)
	}
	t.sampled("matched", s.Samples.Matched)
	t.sampled("missed", s.Samples.Missed)
	t.sampled("failed", s.Samples.Failed)
}

func (t *terminal) sampled(what string, list []engine.SimulatedEvent) {
	const shown = 3
	for i, ev := range list {
		if i == shown {
			t.say("%s: ... -o json has more", what)
			return
		}
		line := fmt.Sprintf("%s: %s %s", what, ev.UID, printable(ev.Type))
		if ev.Error != "" {
			line += ": " + printable(ev.Error)
		}
		t.say("%s", line)
	}
}
