package bench

import "time"

// Result is the complete outcome of a run, as the JSON file has it.
type Result struct {
	Started  time.Time   `json:"started"`
	Machine  Machine     `json:"machine"`
	Duration float64     `json:"duration_seconds"` // of measured publishing, a row
	Size     int         `json:"body_bytes"`
	Window   int         `json:"window_events"`
	Short    bool        `json:"short"` // a smoke test: its figures mean little
	Rows     []RowResult `json:"rows"`
}

// Machine is what the figures depend on most.
type Machine struct {
	CPUs   int    `json:"cpus"`
	Model  string `json:"model"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
}

// RowResult is one row's figures. Figures that the row does not measure are zero. Rates are events a second, times
// seconds unless named otherwise.
type RowResult struct {
	Name  string `json:"name"`
	Title string `json:"title"`

	Events  uint64  `json:"events"` // in the measured time; Seconds = first publish to last receipt (ingest: last answer)
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"events_per_second"`
	PubRate float64 `json:"published_per_second"` // first publish to last answer

	BareBefore float64 `json:"bare_before"` // requests a second over the same addresses
	BareAfter  float64 `json:"bare_after"`
	Ratio      float64 `json:"ratio"` // Rate to the mean of both

	CPU          float64 `json:"cpu_seconds_per_1000"` // server and plugins
	ReceiverCPU  float64 `json:"receiver_cpu_seconds_per_1000"`
	PublisherCPU float64 `json:"publisher_cpu_seconds_per_1000"`
	PssMiB       float64 `json:"pss_mib"`      // server and plugins, right after the row
	PeakMiB      float64 `json:"peak_rss_mib"` // sum of each process's highest
	Disk         int64   `json:"disk_bytes"`   // of the data directory, after the idle wait
	DiskPer      float64 `json:"disk_bytes_per_event"`
	IdleSeconds  float64 `json:"idle_seconds"` // waited before disk was measured

	Latency *Latency `json:"latency_ms,omitempty"`
	Replay  *Replay  `json:"replay,omitempty"`
	Aged    *Aged    `json:"aged,omitempty"`
	Pending *Pending `json:"pending,omitempty"`

	Listing   *Listing   `json:"listing,omitempty"`
	Neighbour *Neighbour `json:"neighbour,omitempty"`

	Check Check  `json:"check"`
	Goals []Goal `json:"goals,omitempty"`
	Error string `json:"error,omitempty"` // why the row failed
}

// Latency of a publish call's start to the receiver's handler, in ms.
type Latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Replay is what a log costs at start.
type Replay struct {
	Records       uint64  `json:"records"`
	CheckSeconds  float64 `json:"rebuild_check_seconds"` // the whole command, comparing included
	Rate          float64 `json:"replay_records_per_second"`
	StartSeconds  float64 `json:"start_seconds"`          // exec to /readyz after a clean stop
	RefoldSeconds float64 `json:"start_from_log_seconds"` // the same with everything derived deleted
}

// Aged compares the rate on an empty log with that on a long one.
type Aged struct {
	Records uint64  `json:"records"`
	New     float64 `json:"events_per_second_new"`
	Old     float64 `json:"events_per_second_aged"`
	Ratio   float64 `json:"aged_ratio"`
}

// Pending is the memory of deliveries that wait.
type Pending struct {
	Deliveries uint64  `json:"deliveries"`
	BeforeMiB  float64 `json:"before_mib"`
	AfterMiB   float64 `json:"after_mib"`
	MiB        float64 `json:"pending_mib"`
}

// Listing is how long a page of deliveries takes, in ms, over HTTP.
type Listing struct {
	Deliveries uint64             `json:"deliveries"`
	P50        float64            `json:"p50"`
	P99        float64            `json:"list_p99_ms"`
	Max        float64            `json:"max"`
	ByForm     map[string]float64 `json:"p99_by_form"`
}

// Neighbour is the latency of healthy endpoints, alone and beside hanging ones.
type Neighbour struct {
	Hanging int      `json:"hanging"`
	Alone   *Latency `json:"alone_ms"`
	Beside  *Latency `json:"beside_ms"`
	Ratio   float64  `json:"neighbour_ratio"` // of the p99
}

// Check is a row's correctness. Unrecorded are events that the server does not list as exactly one delivery of the
// expected state after one attempt (ingest: that it does not list at all).
type Check struct {
	Accepted   uint64 `json:"accepted"` // warm-up included
	Missing    uint64 `json:"missing"`
	Duplicated uint64 `json:"duplicated"`
	Strays     uint64 `json:"strays"` // receipts that belong to no accepted event
	Unrecorded uint64 `json:"unrecorded"`
}

func (c Check) clean() bool {
	return c.Missing == 0 && c.Duplicated == 0 && c.Strays == 0 && c.Unrecorded == 0
}

func (r *RowResult) hold(goals []Goal) {
	values := map[string]float64{mRatio: r.Ratio, mRate: r.Rate, mCPU: r.CPU, mMemory: r.PssMiB, mDisk: r.DiskPer}
	if r.Latency != nil {
		values[mP50], values[mP99] = r.Latency.P50, r.Latency.P99
	}
	if r.Replay != nil {
		values[mReplay], values[mStart] = r.Replay.Rate, r.Replay.StartSeconds
	}
	if r.Aged != nil {
		values[mAged] = r.Aged.Ratio
	}
	if r.Listing != nil {
		values[mList] = r.Listing.P99
	}
	if r.Neighbour != nil {
		values[mNeighbour] = r.Neighbour.Ratio
	}
	if r.Pending != nil {
		values[mPendingMiB] = r.Pending.MiB
	}
	for _, g := range goals {
		if v := values[g.Metric]; v != 0 {
			g.hold(v)
		}
		r.Goals = append(r.Goals, g)
	}
}
