package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/hookline/hookline/engine"
)

func systemOperations() []*operation {
	return []*operation{
		{method: http.MethodGet, path: "/v1/log/status", id: "get-log-status", tag: "System", status: 200,
			summary: "Head, chain and digest of the log, positions of the views", answer: engine.LogStatus{},
			handle: func(c *call) error {
				return one(c)(c.svc.LogStatus(c.r.Context()))
			}},
		{method: http.MethodGet, path: "/v1/log/diff", id: "diff-log", tag: "System", status: 200,
			summary: "What changed between two points of the log, in words and field by field", answer: engine.LogDiff{},
			doc: "Tenants, endpoints, subscriptions and profiles as they stood then and then, and how many records of each type lie between. " +
				"Both points are a seq or an RFC 3339 time. What one of them still had to be folded from the log for may take seconds.",
			query: []parameter{
				{name: "from", doc: "the earlier point"},
				{name: "to", doc: "the later point; default the head of the log"}},
			handle: diffLog},
		{method: http.MethodGet, path: "/v1/log/checkpoint", id: "get-checkpoint", tag: "System", status: 200, need: needKey,
			summary: "The end of the log, signed", answer: engine.SignedCheckpoint{},
			doc: "Who keeps it can have it proved later that an attempt was recorded by then. The public key is the same for the life of the log.",
			handle: func(c *call) error {
				return one(c)(c.svc.Checkpoint(c.r.Context()))
			}},
		{method: http.MethodGet, path: tenantPath + "/attempts/{attempt}/proof", id: "prove-attempt", tag: "Attempts", status: 200,
			summary: "Prove that an attempt is recorded", answer: engine.RecordProof{},
			query:  []parameter{{name: "to", doc: "seq of a checkpoint that was noted; default the end of the attempt's own batch", number: true}},
			doc:    "Hashes from the attempt's record to a signed checkpoint; `hookline log check-proof` checks it without log or server.",
			handle: proveAttempt},
		{method: http.MethodPost, path: "/v1/log:release", id: "release-log", tag: "System", status: 200,
			summary: "Let a node that was restored from a backup send", answer: engine.LogStatus{}, body: noFields{}, optional: true,
			doc: "A restored node is held: it reads, takes changes and stores what is published, and sends nothing. Release it once the " +
				"original is gone for good, else receivers get what both send. Overdue deliveries start at the restart rate.",
			handle: func(c *call) error {
				if err := c.decode(&noFields{}); err != nil {
					return err
				}
				return one(c)(c.svc.Release(c.r.Context(), c.by))
			}},
		{method: http.MethodPost, path: "/v1/keyring:rotate", id: "rotate-master-key", tag: "System", status: 200,
			summary: "Seal the keyring under another master key", answer: engine.Rotated{}, body: noFields{}, optional: true,
			doc: "While it serves. The key comes from FILE.next beside the master key's file, or is made where the file is the data directory's own, " +
				"and takes the file's place. What was sealed stays as it is.",
			handle: func(c *call) error {
				if err := c.decode(&noFields{}); err != nil {
					return err
				}
				return one(c)(c.svc.RotateMasterKey(c.r.Context(), c.by))
			}},
		{method: http.MethodPost, path: "/v1/backups", id: "create-backup", tag: "System", status: 202,
			summary: "Begin a backup of the log", answer: engine.Backup{}, body: noFields{}, optional: true,
			doc: "To the directory that the server was given by `--backup-dir`, one at a time (else 409), while it serves. It is there once " +
				"its status is `done`.",
			handle: func(c *call) error {
				if err := c.decode(&noFields{}); err != nil {
					return err
				}
				return one(c)(c.svc.StartBackup(c.r.Context()))
			}},
		{method: http.MethodGet, path: "/v1/backups", id: "list-backups", tag: "System", status: 200,
			summary: "List backups of the log, newest first", answer: engine.Page[engine.Backup]{}, query: paging(),
			handle: func(c *call) error {
				all, err := c.svc.ListBackups(c.r.Context())
				if err != nil {
					return err
				}
				return short(c, all)
			}},
		{method: http.MethodGet, path: "/v1/transports", id: "list-transports", tag: "System", status: 200,
			summary: "Transports and their health", answer: engine.Page[engine.TransportStatus]{}, query: paging(),
			handle: func(c *call) error {
				all, err := c.svc.Transports(c.r.Context())
				if err != nil {
					return err
				}
				return short(c, all)
			}},
		{method: http.MethodPost, path: "/v1/transports/{transport}:release", id: "release-transport", tag: "System", status: 200,
			summary: "Start a plugin again that is quarantined", answer: engine.TransportStatus{}, body: noFields{}, optional: true,
			doc: "A plugin that died five times without a healthy minute is not started again by itself; `last_error` says why.",
			handle: func(c *call) error {
				if err := c.decode(&noFields{}); err != nil {
					return err
				}
				return one(c)(c.svc.RestartTransport(c.r.Context(), c.by, c.path("transport")))
			}},
		{method: http.MethodPost, path: "/v1/dev/clock:advance", id: "advance-clock", tag: "System", status: 200,
			summary: "Move the manual clock", answer: clockAnswer{}, body: clockBody{}, required: []string{"by"},
			doc:    "Only with `--clock manual`, else 404. Everything due up to then has been attempted and is durable when it answers.",
			handle: advanceClock},
		{method: http.MethodGet, path: "/metrics", id: "get-metrics", tag: "System", status: 200, custom: true,
			summary: "Prometheus metrics, as text; see METRICS.md",
			handle: func(c *call) error {
				c.meter.handler.ServeHTTP(c.w, c.r)
				return nil
			}},
	}
}

func diffLog(c *call) error {
	text, ok := c.values["from"]
	if !ok {
		return engine.Invalid("from", "is needed: a seq or an RFC 3339 time")
	}
	from, err := parseAsOf("from", text)
	if err != nil {
		return err
	}
	to := engine.AsOf{Seq: c.svc.HeadSeq()}
	if text, ok := c.values["to"]; ok {
		if to, err = parseAsOf("to", text); err != nil {
			return err
		}
	}
	return one(c)(c.svc.DiffLog(c.r.Context(), from, to))
}

func proveAttempt(c *call) error {
	to := uint64(0)
	if text := c.r.URL.Query().Get("to"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || n == 0 {
			return engine.Invalid("to", "%q is no seq: want a whole number of 1 or more", clip(text))
		}
		to = n
	}
	return one(c)(c.svc.ProveAttempt(c.r.Context(), c.tenant(), c.path("attempt"), to))
}

type clockBody struct {
	By string `json:"by" doc:"a Go duration, e.g. 5m or 26h35m"`
}

type clockAnswer struct {
	Now engine.Time `json:"now"`
}

func advanceClock(c *call) error {
	if !c.svc.ManualClock() {
		return &engine.Error{Code: engine.CodeNotFound, Detail: "the clock is real: only a server started with --clock manual can be advanced"}
	}
	var in clockBody
	if err := c.decode(&in); err != nil {
		return err
	}
	by, err := time.ParseDuration(in.By)
	if err != nil || by < 0 {
		return engine.Invalid("by", "%q is no duration of zero or more, e.g. 5m or 26h35m", clip(in.By))
	}
	now, err := c.svc.AdvanceClock(c.r.Context(), by)
	return one(c)(clockAnswer{Now: now}, err)
}

// openOperations need no key.
func openOperations() []*operation {
	state := func(path, id, summary string, ok func(c *call) bool) *operation {
		return &operation{method: http.MethodGet, path: path, id: id, tag: "System", status: 200, summary: summary,
			open: true, answer: stateAnswer{}, any: true,
			handle: func(c *call) error {
				c.w.Header().Set("Cache-Control", "no-store")
				if !ok(c) {
					return errStarting()
				}
				return c.json(http.StatusOK, stateAnswer{Status: "ok"})
			}}
	}
	return []*operation{
		state("/healthz", "get-health", "200 while the process lives", func(*call) bool { return true }),
		state("/readyz", "get-readiness", "200 once recovery is done, else 503", func(c *call) bool {
			return c.svc != nil && c.svc.Ready()
		}),
		{method: http.MethodGet, path: "/openapi.json", id: "get-openapi", tag: "System", status: 200, open: true, custom: true, any: true,
			summary: "This document",
			handle: func(c *call) error {
				c.send(http.StatusOK, "application/json", c.document)
				return nil
			}},
	}
}

type stateAnswer struct {
	Status string `json:"status" enum:"ok"`
}
