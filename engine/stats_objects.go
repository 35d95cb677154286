package engine

// Stats sums up attempts, tests aside, and tells what waits.
type Stats struct {
	From        Time          `json:"from"`
	To          Time          `json:"to" doc:"exclusive"`
	Attempts    AttemptCounts `json:"attempts" doc:"finished between from and to"`
	SuccessRate *float64      `json:"success_rate" doc:"acknowledged of all, 0 to 1; null when there was none"`
	Latency     *Latency      `json:"latency_ms" doc:"of the attempts that were answered; null when none was"`
	LastAttempt *LastAttempt  `json:"last_attempt" doc:"the newest, whenever it was"`
	Backlog     int64         `json:"backlog" doc:"deliveries that are pending now"`
	// OldestPendingAt is when the oldest of them was created.
	OldestPendingAt *Time       `json:"oldest_pending_at" doc:"when the oldest pending delivery was created; null when there is none"`
	Complete        bool        `json:"complete" doc:"false: only the newest 200000 attempts were counted, or the first 2000 tenants"`
	Steps           []StatsStep `json:"steps" doc:"the same by spans of step, oldest first; null without step"`
}

// AttemptCounts are numbers of attempts by outcome.
type AttemptCounts struct {
	Acknowledged int64 `json:"acknowledged"`
	Rejected     int64 `json:"rejected"`
	Unreachable  int64 `json:"unreachable"`
	TimedOut     int64 `json:"timed_out"`
	Gone         int64 `json:"gone"`
}

func (c *AttemptCounts) total() int64 {
	return c.Acknowledged + c.Rejected + c.Unreachable + c.TimedOut + c.Gone
}

// Latency is in ms, from the start of an attempt to its end.
type Latency struct {
	P50 int `json:"p50"`
	P95 int `json:"p95"`
	P99 int `json:"p99"`
}

// LastAttempt is the newest attempt.
type LastAttempt struct {
	FinishedAt Time   `json:"finished_at"`
	Outcome    string `json:"outcome" enum:"acknowledged,rejected,unreachable,timed_out,gone"`
}

// StatsStep is one span.
type StatsStep struct {
	From     Time          `json:"from"`
	Attempts AttemptCounts `json:"attempts"`
	Latency  *Latency      `json:"latency_ms"`
}

// SystemStats are those of all tenants.
type SystemStats struct {
	Stats
	Endpoints EndpointCounts     `json:"endpoints" doc:"that there are now"`
	Worst     []EndpointFailures `json:"worst" doc:"the endpoints with the most failed attempts, at most 5"`
}

// EndpointCounts are numbers of endpoints by status.
type EndpointCounts struct {
	Enabled    int `json:"enabled"`
	Disabled   int `json:"disabled"`
	Suppressed int `json:"suppressed"`
}

// EndpointFailures is an endpoint and its failed attempts.
type EndpointFailures struct {
	Tenant     string `json:"tenant"`
	EndpointID string `json:"endpoint_id"`
	Failed     int64  `json:"failed"`
}
