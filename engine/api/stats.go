package api

import (
	"net/http"
	"time"

	"github.com/hookline/hookline/engine"
)

func statsOperations() []*operation {
	query := func() []parameter {
		return []parameter{
			{name: "from", doc: "the oldest time, RFC 3339, inclusive; default 24 h before to"},
			{name: "to", doc: "the newest time, RFC 3339, exclusive; default now"},
			{name: "step", doc: "also by spans of this length, a Go duration from 1s, at most 500 of them"},
		}
	}
	return []*operation{
		{method: http.MethodGet, path: tenantPath + "/endpoints/{endpoint}/stats", id: "get-endpoint-stats", tag: "Endpoints", status: 200,
			summary: "Attempts by outcome, latency and backlog of an endpoint", answer: engine.Stats{}, query: query(),
			handle: func(c *call) error {
				in, err := c.stats()
				if err != nil {
					return err
				}
				return one(c)(c.svc.EndpointStats(c.r.Context(), c.tenant(), c.path("endpoint"), in))
			}},
		{method: http.MethodGet, path: "/v1/stats", id: "get-stats", tag: "System", status: 200,
			summary: "Attempts by outcome, latency and backlog of all tenants", answer: engine.SystemStats{}, query: query(),
			handle: func(c *call) error {
				in, err := c.stats()
				if err != nil {
					return err
				}
				return one(c)(c.svc.Stats(c.r.Context(), in))
			}},
	}
}

func (c *call) stats() (in engine.StatsInput, err error) {
	if in.From, err = c.values.time("from"); err != nil {
		return in, err
	}
	if in.To, err = c.values.time("to"); err != nil {
		return in, err
	}
	if text, ok := c.values["step"]; ok {
		if in.Step, err = time.ParseDuration(text); err != nil || in.Step <= 0 {
			return in, engine.Invalid("step", "%q is no duration of 1s and more, e.g. 5m or 1h", clip(text))
		}
	}
	return in, nil
}
