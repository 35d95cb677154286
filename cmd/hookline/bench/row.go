package bench

// row is one line of the table: what is measured and what is hoped for.
type row struct {
	name, title string
	kind        kind
	addresses   int  // of the endpoints; the bare loop takes the same
	concurrency int  // of an endpoint; 0 = the default, 8
	batch       int  // events a publish call
	keyed       bool // an idempotency key with each event
	idle        bool // disk is measured after an idle wait
	long        bool
	goals       []Goal
}

type kind int

const (
	kindDeliver   kind = iota // publish, deliver, record
	kindIngest                // publish what nobody takes
	kindLatency               // few events, one at a time
	kindReplay                // fold a log again, start on it
	kindAged                  // the rate on an old log beside that on a new one
	kindPending               // memory of deliveries that wait
	kindList                  // pages of a long list
	kindNeighbour             // latency beside endpoints that hang
)

// Goal is a bound that a row's figure is held against. It is told, not enforced: what fails a row is lost correctness.
type Goal struct {
	Metric string   `json:"metric"`
	Min    *float64 `json:"min,omitempty"`
	Max    *float64 `json:"max,omitempty"`
	Value  *float64 `json:"value"` // null: not measured in this run
	Met    *bool    `json:"met"`   // null: not measured in this run
}

func least(metric string, v float64) Goal { return Goal{Metric: metric, Min: &v} }
func most(metric string, v float64) Goal  { return Goal{Metric: metric, Max: &v} }

func (g *Goal) hold(v float64) {
	met := (g.Min == nil || v >= *g.Min) && (g.Max == nil || v <= *g.Max)
	g.Value, g.Met = &v, &met
}

// Names of figures, as goals and the JSON call them.
const (
	mRatio      = "ratio"
	mRate       = "events_per_second"
	mCPU        = "cpu_seconds_per_1000"
	mMemory     = "pss_mib"
	mDisk       = "disk_bytes_per_event"
	mP50        = "latency_p50_ms"
	mP99        = "latency_p99_ms"
	mReplay     = "replay_records_per_second"
	mStart      = "start_seconds"
	mAged       = "aged_ratio"
	mPendingMiB = "pending_mib"
	mList       = "list_p99_ms"
	mNeighbour  = "neighbour_ratio"
)

// paired says that a row is told as a ratio to the bare loop.
func (k kind) paired() bool {
	return k == kindDeliver || k == kindIngest || k == kindReplay || k == kindAged
}

func rows() []row {
	return []row{
		{name: "single", title: "one endpoint, published singly", addresses: 1, concurrency: 64, batch: 1,
			goals: []Goal{least(mRatio, 0.40)}},
		{name: "batch", title: "one endpoint, batches of 100", addresses: 1, concurrency: 64, batch: 100, idle: true,
			goals: []Goal{least(mRatio, 0.70), most(mCPU, 0.10), most(mMemory, 200), most(mDisk, 2560)}},
		{name: "batch-default", title: "one endpoint of default concurrency, batches", addresses: 1, batch: 100},
		{name: "batch-keyed", title: "one endpoint, batches with idempotency keys", addresses: 1, concurrency: 64, batch: 100, keyed: true},
		{name: "ten", title: "ten endpoints, batches", addresses: 10, batch: 100,
			goals: []Goal{least(mRatio, 0.70)}},
		{name: "thousand", title: "1 000 endpoints on distinct addresses, batches", addresses: 1000, batch: 100,
			goals: []Goal{least(mRatio, 0.60)}},
		{name: "ingest-single", title: "ingest only, singly", kind: kindIngest, addresses: 1, batch: 1,
			goals: []Goal{least(mRatio, 0.60)}},
		{name: "ingest-batch", title: "ingest only, batches of 100", kind: kindIngest, addresses: 1, batch: 100,
			goals: []Goal{least(mRate, 100_000)}},
		{name: "latency", title: "publish to first byte at 50 events/s", kind: kindLatency, addresses: 1, concurrency: 64, batch: 1,
			goals: []Goal{most(mP50, 1.5), most(mP99, 5)}},
		{name: "replay", title: "fold the log again, start on it", kind: kindReplay, addresses: 1, concurrency: 64, batch: 100, long: true,
			goals: []Goal{least(mReplay, 500_000), most(mStart, 5)}},
		{name: "aged", title: "the rate with millions of records in the log", kind: kindAged, addresses: 1, concurrency: 64, batch: 100, long: true,
			goals: []Goal{least(mAged, 0.95)}},
		{name: "pending", title: "memory of deliveries that wait for a retry", kind: kindPending, addresses: 1, concurrency: 64, batch: 100, long: true,
			goals: []Goal{most(mPendingMiB, 100)}},
		{name: "list", title: "pages of 50 out of a million deliveries", kind: kindList, addresses: 10, batch: 100, long: true,
			goals: []Goal{most(mList, 10)}},
		{name: "neighbour", title: "latency of 500 endpoints beside 500 that hang", kind: kindNeighbour, addresses: 500, batch: 1, long: true,
			goals: []Goal{most(mNeighbour, 1.2)}},
	}
}

// RowNames lists the rows that Options.Rows may name.
func RowNames() []string {
	var names []string
	for _, r := range rows() {
		names = append(names, r.name)
	}
	return names
}

func rowNamed(name string) (row, bool) {
	for _, r := range rows() {
		if r.name == name {
			return r, true
		}
	}
	return row{}, false
}
