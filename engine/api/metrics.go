package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// meter counts requests and shows the engine's metrics at each scrape. METRICS.md lists them all.
type meter struct {
	service  func() Service // nil before Use
	registry *prometheus.Registry
	handler  http.Handler
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	others   *opMeter // requests that reached no operation
}

// opMeter is one operation's part, looked up once: the hot path only adds.
type opMeter struct {
	route    string
	meter    *meter
	seconds  prometheus.Observer
	accepted prometheus.Counter // 202, the hot path's answer
}

func newMeter() *meter {
	m := &meter{
		registry: prometheus.NewRegistry(),
		service:  func() Service { return nil },
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hookline_http_requests_total",
			Help: "Requests answered, by operation and status."}, []string{"route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "hookline_http_request_seconds",
			Help: "Time to answer a request, by operation.", Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60}},
			[]string{"route"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, engineCollector{m}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	m.others = m.operation("none")
	return m
}

func (m *meter) operation(id string) *opMeter {
	return &opMeter{route: id, meter: m, seconds: m.seconds.WithLabelValues(id), accepted: m.requests.WithLabelValues(id, "202")}
}

func (m *meter) observe(a *answer, took time.Duration) {
	o := m.others
	if a.op != nil {
		o = a.op.meter
	}
	if a.op == nil || !a.op.endless {
		o.seconds.Observe(took.Seconds())
	}
	if a.status == http.StatusAccepted {
		o.accepted.Inc()
		return
	}
	m.requests.WithLabelValues(o.route, strconv.Itoa(a.status)).Inc()
}

// engineCollector turns the engine's counters into metrics when it is asked.
type engineCollector struct{ m *meter }

// Describe sends nothing: what there is depends on the engine (views, transports).
func (engineCollector) Describe(chan<- *prometheus.Desc) {}

func (c engineCollector) Collect(ch chan<- prometheus.Metric) {
	svc := c.m.service()
	if svc == nil {
		return
	}
	m := svc.Metrics()
	out := sender{ch}
	out.counter("hookline_events_published_total", "Events accepted, duplicates not included.", float64(m.Published))
	out.counter("hookline_events_duplicate_total", "Publishes answered as duplicates.", float64(m.Duplicates))
	out.counter("hookline_filter_failures_total", "Filters that could not be evaluated on an event.", float64(m.FilterFailures))
	out.counter("hookline_shadow_matches_total", "Events that subscriptions in shadow mode would have delivered.", float64(m.ShadowMatched))
	for outcome, n := range m.Attempts {
		out.counter("hookline_attempts_total", "Attempts finished and recorded, by outcome.", float64(n), "outcome", outcome)
	}
	out.counter("hookline_attempts_interrupted_total", "Attempts that a fault of ours interrupted; they count against nobody.", float64(m.Interrupted))
	out.gauge("hookline_attempts_in_flight", "Attempts under way.", float64(m.InFlight))
	for status, n := range m.Deliveries {
		out.counter("hookline_deliveries_total", "Deliveries ended, by final status.", float64(n), "status", status)
	}
	out.gauge("hookline_deliveries_pending", "Deliveries pending.", float64(m.Pending))
	out.gauge("hookline_deliveries_parked", "Overdue deliveries that wait for the restart rate.", float64(m.Parked))
	out.counter("hookline_bodies_removed_total", "Bodies of events and attempts that retention removed.", float64(m.BodiesRemoved))
	out.gauge("hookline_tenants", "Tenants.", float64(m.Tenants))
	out.gauge("hookline_endpoints", "Endpoints of all tenants.", float64(m.Endpoints))
	out.gauge("hookline_log_head_seq", "Seq of the newest durable record.", float64(m.HeadSeq))
	for view, seq := range m.Views {
		out.gauge("hookline_view_seq", "Seq up to which a view has applied the log.", float64(seq), "view", view)
	}
	out.counter("hookline_log_batches_total", "Batches appended.", float64(m.Batches))
	out.counter("hookline_log_append_seconds_total", "Time from handing a batch to the log until it is durable, all batches together.", m.AppendSeconds)
	out.counter("hookline_log_records_total", "Records appended.", float64(m.Records))
	out.counter("hookline_log_bytes_total", "Bytes of facts and sealed sections appended.", float64(m.Bytes))
	out.gauge("hookline_disk_low", "1 while the disk is below low water: publishes and changes are answered 507.", oneIf(m.DiskLow))
	out.gauge("hookline_log_unavailable", "1 while the log does not know what became of an append: nothing starts, nothing is answered.", oneIf(m.LogUnavailable))
	out.gauge("hookline_held", "1 while the node, restored from a backup, sends nothing until it is released.", oneIf(m.Held))
	out.gauge("hookline_clock_ahead_seconds", "How far record time runs ahead of the wall clock.", float64(m.ClockAheadMS)/1000)
	c.transports(svc, out)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (c engineCollector) transports(svc Service, out sender) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	all, err := svc.Transports(ctx)
	if err != nil {
		return
	}
	for _, t := range all {
		up := 0.0
		if t.State == "running" {
			up = 1
		}
		out.gauge("hookline_transport_up", "1 while a transport runs.", up, "transport", t.Name)
		out.counter("hookline_transport_restarts_total", "Restarts of a transport's process.", float64(t.Restarts), "transport", t.Name)
		out.counter("hookline_transport_results_total", "Attempts that a transport's plugin has ended.", float64(t.Results), "transport", t.Name)
		out.counter("hookline_transport_faults_total", "Attempts that ended as the plugin's own failure.", float64(t.Faults), "transport", t.Name)
		out.counter("hookline_transport_given_up_total", "Attempts whose result never came.", float64(t.GivenUp), "transport", t.Name)
		out.gauge("hookline_transport_quarantined", "1 while a plugin is not started again by itself.", oneIf(t.State == "quarantined"), "transport", t.Name)
		out.gauge("hookline_transport_in_flight", "Attempts inside a transport.", float64(t.InFlight), "transport", t.Name)
		out.gauge("hookline_transport_held", "Deliveries held by plugin_fault.", float64(t.HeldByIt), "transport", t.Name)
	}
}

type sender struct{ ch chan<- prometheus.Metric }

func (s sender) counter(name, help string, v float64, labels ...string) {
	s.send(prometheus.CounterValue, name, help, v, labels)
}

func (s sender) gauge(name, help string, v float64, labels ...string) {
	s.send(prometheus.GaugeValue, name, help, v, labels)
}

// send makes one metric; labels alternate names and values.
func (s sender) send(kind prometheus.ValueType, name, help string, v float64, labels []string) {
	var names, values []string
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	m, err := prometheus.NewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, v, values...)
	if err != nil {
		m = prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
	}
	s.ch <- m
}
