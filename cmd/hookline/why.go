package main

import (
	"encoding/json"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine"
)

func whyCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "why TENANT EVENT ENDPOINT", Short: "Say why an event went to an endpoint, or did not", Args: exactly("TENANT", "EVENT", "ENDPOINT"),
		Long: `Say why an event went to an endpoint, or did not: from the log, however old the event is, by
the endpoint's subscriptions as they were when it was published; and what became of its
deliveries.`,
		Example: `  hookline why acme evt_01 ep_01`,
	}
	remoteFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := connect(cmd, t)
		if err != nil {
			return err
		}
		body, err := json.Marshal(map[string]string{"endpoint_id": args[2]})
		if err != nil {
			return err
		}
		answer, err := r.call(cmd.Context(), http.MethodPost, pathf("v1", "tenants", args[0], "events", args[1])+":why", body)
		if err != nil {
			return err
		}
		if r.output == "json" {
			return r.show(answer)
		}
		var w engine.Why
		if err := json.Unmarshal(answer, &w); err != nil {
			return err
		}
		t.say("%s", printable(w.Text))
		for i := range w.Subscriptions {
			s := &w.Subscriptions[i]
			t.say("%s, as of seq %d", s.SubscriptionID, s.Version)
			t.explained(&s.Explanation, "  ")
		}
		return nil
	}
	return cmd
}
