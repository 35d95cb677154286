package api

import (
	"net/http"

	"github.com/hookline/hookline/engine"
)

// recoverBody selects what a recovery makes anew.
type recoverBody struct {
	Status     engine.Optional[[]string] `json:"status" doc:"of the deliveries to make anew: exhausted, skipped; default both"`
	Since      engine.Optional[string]   `json:"since" doc:"the oldest creation time of a delivery, RFC 3339, inclusive"`
	Until      engine.Optional[string]   `json:"until" doc:"the newest creation time of a delivery, RFC 3339, exclusive"`
	EventTypes engine.Optional[[]string] `json:"event_types" doc:"names, prefixes like domain.* or *; default all"`
	Rate       engine.Optional[int]      `json:"rate" doc:"deliveries a second, 1 to 10000; 0 or null = as fast as they are attempted"`
	DryRun     engine.Optional[bool]     `json:"dry_run" doc:"true = count only"`
}

func (b *recoverBody) input() (in engine.RecoverInput, err error) {
	in.Rate, in.DryRun = b.Rate.Value, b.DryRun.Value
	if b.Status.Set && !b.Status.Null {
		in.Status = append([]string{}, b.Status.Value...)
	}
	if b.EventTypes.Set && !b.EventTypes.Null {
		in.EventTypes = append([]string{}, b.EventTypes.Value...)
	}
	times := values{}
	if b.Since.Set && !b.Since.Null {
		times["since"] = b.Since.Value
	}
	if b.Until.Set && !b.Until.Null {
		times["until"] = b.Until.Value
	}
	if in.Since, err = times.time("since"); err != nil {
		return in, err
	}
	in.Until, err = times.time("until")
	return in, err
}

func recoveryOperations() []*operation {
	const path = tenantPath + "/recoveries"
	return []*operation{
		{method: http.MethodPost, path: tenantPath + "/endpoints/{endpoint}:recover", id: "recover-endpoint", tag: "Recoveries", status: 202,
			summary: "Deliver again, in bulk, what did not reach an endpoint", answer: engine.RecoverAccepted{}, body: recoverBody{}, optional: true,
			doc: "Selects the endpoint's exhausted and skipped deliveries after which the same event neither reached the endpoint nor is " +
				"still being tried; of several of one event the newest. Each is made anew, as by :resend. What is selected is fixed when " +
				"the recovery is accepted. 409 while the endpoint is blocked or another recovery of it runs; a dry run of a blocked one counts.",
			handle: func(c *call) error {
				var body recoverBody
				if err := c.decode(&body); err != nil {
					return err
				}
				in, err := body.input()
				if err != nil {
					return err
				}
				return one(c)(c.svc.Recover(c.r.Context(), c.by, c.tenant(), c.path("endpoint"), in))
			}},
		{method: http.MethodGet, path: path, id: "list-recoveries", tag: "Recoveries", status: 200,
			summary: "List recoveries, newest first", answer: engine.Page[engine.Recovery]{}, query: paging(),
			doc: "Those that run and the newest 100 of the tenant that have ended.",
			handle: func(c *call) error {
				return list(c, c.svc.Recoveries)
			}},
		{method: http.MethodGet, path: path + "/{recovery}", id: "get-recovery", tag: "Recoveries", status: 200,
			summary: "Get one recovery with its progress", answer: engine.Recovery{},
			handle: func(c *call) error {
				return one(c)(c.svc.Recovery(c.r.Context(), c.tenant(), c.path("recovery")))
			}},
		{method: http.MethodPost, path: path + "/{recovery}:cancel", id: "cancel-recovery", tag: "Recoveries", status: 200,
			summary: "Cancel a running recovery; what it created stays", answer: engine.Recovery{}, body: noFields{}, optional: true,
			handle: func(c *call) error {
				if err := c.decode(&noFields{}); err != nil {
					return err
				}
				return one(c)(c.svc.CancelRecovery(c.r.Context(), c.by, c.tenant(), c.path("recovery")))
			}},
	}
}
