package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/api/jsonstrict"
)

func publishCommand(t *terminal) *cobra.Command {
	args := []string{"TENANT", "TYPE"}
	fields := []bodyFlag{
		{"id", textField, "what receivers see, in the profile's form; made when left out"},
		{"occurred_at", textField, "`TIME` of the event, RFC 3339; default now"},
		{"actor", jsonField, "`JSON`: who did it"},
		{"metadata", jsonField, "`JSON` object for filters; not delivered"},
		{"idempotency_key", textField, "`KEY` under which a repeat within 24 h is the same event"},
	}
	cmd := &cobra.Command{
		Use: "publish TENANT TYPE -d FILE|-", Short: "Publish an event", Args: exactly(args...),
		Long: `Publish one event. It returns once the event is stored durably and its deliveries are due.

The file holds the event's data, a JSON object, and reaches the receivers byte for byte
inside the profile's envelope; with --payload it holds the whole body instead.`,
		Example: `  hookline publish acme domain.registered -d data.json
  echo '{"domain":"example.com"}' | hookline publish acme domain.registered -d - --idempotency-key order-17
  hookline publish 1010 zone.create --payload -d envelope.json --explain`,
	}
	remoteFlags(cmd)
	addBodyFlags(cmd, fields, false)
	cmd.Flags().StringP("data", "d", "", "`FILE` with the event's data, - for standard input")
	cmd.Flags().Bool("payload", false, "the file is the whole body, any JSON value")
	cmd.Flags().Bool("explain", false, "also say why subscriptions did not match")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("data") {
			return usagef("-d is missing: give a FILE, or - for standard input")
		}
		r, err := connect(cmd, t)
		if err != nil {
			return err
		}
		content, err := publishBody(cmd, t, args[1], fields)
		if err != nil {
			return err
		}
		path := pathf("v1", "tenants", args[0], "events")
		if explain, _ := cmd.Flags().GetBool("explain"); explain {
			path += "?explain=true"
		}
		answer, err := r.call(cmd.Context(), http.MethodPost, path, content)
		if err != nil {
			return err
		}
		if r.output == "json" {
			return r.show(answer)
		}
		return t.published(answer)
	}
	return cmd
}

// publishBody puts the file's bytes into the request as they are.
func publishBody(cmd *cobra.Command, t *terminal, eventType string, fields []bodyFlag) ([]byte, error) {
	name, _ := cmd.Flags().GetString("data")
	data, err := readInput(t, name)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimSpace(data)
	if err := jsonstrict.Check(data, jsonstrict.MaxNesting); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	rest, err := body(cmd, fields)
	if err != nil {
		return nil, err
	}
	typ, err := json.Marshal(eventType)
	if err != nil {
		return nil, err
	}
	member := "data"
	if payload, _ := cmd.Flags().GetBool("payload"); payload {
		member = "payload"
	}
	out := append([]byte(`{"type":`), typ...)
	if len(rest) > len("{}") {
		out = append(append(out, ','), rest[1:len(rest)-1]...)
	}
	out = append(append(out, `,"`+member+`":`...), data...)
	return append(out, '}'), nil
}

// maxInput bounds what is read of a file, in bytes: far above what the API takes.
const maxInput = 64 << 20

func readInput(t *terminal, name string) ([]byte, error) {
	in := t.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, maxInput))
}

func (t *terminal) published(answer []byte) error {
	var p engine.Published
	if err := json.Unmarshal(answer, &p); err != nil {
		return err
	}
	what := "published"
	if p.Duplicate {
		what = "published before"
	}
	t.say("%s %s (%s) at seq %d, %d matched", what, printable(p.ID), p.UID, p.Seq, len(p.Matched))
	for _, m := range p.Matched {
		t.say("  %s -> %s", m.DeliveryID, m.EndpointID)
	}
	for _, u := range p.Unmatched {
		t.say("  not %s -> %s: %s", u.SubscriptionID, u.EndpointID, printable(u.Reason))
	}
	return nil
}
