package engine

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/transports"
)

const minute, hour = int64(60_000), int64(3_600_000) // ms

// osirMoment is an OSIR attempt's: 5 min, 30 min, 2 h, 24 h; a delivery used up disables its endpoint (O-14, O-15).
func osirMoment() moment {
	return moment{disableOnFail: true, number: 1, outcome: transports.Rejected, schedule: schedule.Schedule{
		Waits: []time.Duration{5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 24 * time.Hour}}}
}

// dnsimpleMoment is a DNSimple attempt's: 12 s doubling, jitter to 10 %, 2 h after the first, 15 in a row suppress
// (D-11, D-13).
func dnsimpleMoment() moment {
	m := moment{suppressAfter: 15, number: 1, outcome: transports.Rejected, schedule: schedule.Schedule{Jitter: 0.1, Limit: 2 * time.Hour}}
	for w := 12 * time.Second; len(m.schedule.Waits) < 9; w *= 2 {
		m.schedule.Waits = append(m.schedule.Waits, w)
	}
	return m
}

func reasonFor(d decision) string { return d.status.String() + " " + d.reason.String() }

// O-12, D-10: an acknowledgement ends the delivery and touches nothing else; all else, and no response, is tried again.
func TestDecideOutcomes(t *testing.T) {
	for _, m := range []moment{osirMoment(), dnsimpleMoment()} {
		m.finished = 1000
		for _, outcome := range []transports.Outcome{transports.Rejected, transports.Unreachable, transports.TimedOut} {
			m.outcome = outcome
			want := decision{status: record.Pending, due: 1000 + m.schedule.Waits[0].Milliseconds()}
			if got := decide(m); got != want {
				t.Errorf("%s: %+v, want %+v", outcome, got, want)
			}
		}
		m.outcome = transports.Acknowledged
		for _, number := range []int{1, len(m.schedule.Waits) + 1, 200} {
			m.number, m.failures = number, 14
			if got := decide(m); got != (decision{status: record.Succeeded}) {
				t.Errorf("acknowledged at attempt %d: %+v", number, got)
			}
		}
	}
}

// O-14, O-15, P7: an endpoint that always fails gets five attempts, at 0, 5 m, 35 m, 2 h 35 m and 26 h 35 m when they
// take no time, each wait from the end of the attempt before; the fifth failure, and no other, disables it.
func TestOSIRWalk(t *testing.T) {
	for _, c := range []struct {
		took int64
		want []int64
	}{
		{0, []int64{0, 5 * minute, 35 * minute, 2*hour + 35*minute, 26*hour + 35*minute}},
		{30_000, []int64{0, 5*minute + 30_000, 36 * minute, 2*hour + 36*minute + 30_000, 26*hour + 37*minute}},
	} {
		m := osirMoment()
		var starts []int64
		for now := int64(0); ; m.number++ {
			starts = append(starts, now)
			m.finished, m.rnd = now+c.took, uint64(now)*0x9e3779b97f4a7c15
			d := decide(m)
			if d.status != record.Pending {
				if want := (decision{status: record.Exhausted, reason: record.ReasonScheduleUsedUp, disable: true, why: record.ReasonExhausted}); d != want {
					t.Errorf("the end is %+v, want %+v", d, want)
				}
				break
			}
			if d.disable || d.suppress {
				t.Fatalf("attempt %d: %+v", m.number, d)
			}
			now = d.due
			m.failures++
		}
		if !slices.Equal(starts, c.want) {
			t.Errorf("attempts of %d ms start at %v, want %v", c.took, starts, c.want)
		}
	}
}

// O-15: a delivery that is used up disables its endpoint where the profile says so, once, whatever used it up.
func TestDisableOnExhausted(t *testing.T) {
	limited := osirMoment()
	limited.schedule.Limit = time.Minute
	last := osirMoment()
	last.number = 5
	for _, c := range []struct {
		what               string
		m                  moment
		disabled, disables bool
		want               string
		policy             bool
	}{
		{"the fifth", last, false, true, "exhausted schedule_used_up", true},
		{"the fifth, disabled meanwhile", last, true, false, "exhausted schedule_used_up", true},
		{"over the limit", limited, false, true, "exhausted time_limit", true},
		{"a profile that does not disable", last, false, false, "exhausted schedule_used_up", false},
	} {
		c.m.disabled, c.m.disableOnFail = c.disabled, c.policy
		if d := decide(c.m); d.disable != c.disables || reasonFor(d) != c.want || d.suppress {
			t.Errorf("%s: %s, disables %v, want %s, %v", c.what, reasonFor(d), d.disable, c.want, c.disables)
		}
	}
}

// D-11, P12: ten attempts within 2 h of the first, whatever the jitter and however long they take, gaps growing; then
// exhausted, and neither disabled nor suppressed.
func TestDNSimpleTenAttempts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const first = int64(1_700_000_000_000)
		m := dnsimpleMoment()
		m.first = first
		took := rapid.Int64Range(0, 30_000).Draw(t, "took")
		starts := []int64{first}
		for ; ; m.number++ {
			m.finished, m.rnd = starts[len(starts)-1]+took, rapid.Uint64().Draw(t, "rnd")
			d := decide(m)
			if d.disable || d.suppress {
				t.Fatalf("attempt %d: %+v", m.number, d)
			}
			if d.status != record.Pending {
				if got := reasonFor(d); got != "exhausted schedule_used_up" {
					t.Fatalf("the end is %s", got)
				}
				break
			}
			starts = append(starts, d.due)
			m.failures++
		}
		if len(starts) != 10 || starts[9]-first > 7_200_000 {
			t.Fatalf("%d attempts, the last %d ms after the first", len(starts), starts[len(starts)-1]-first)
		}
		for i := 1; i < len(starts); i++ {
			wait, base := starts[i]-starts[i-1]-took, int64(12_000)<<(i-1)
			if wait < base || wait > base+base/10 {
				t.Fatalf("wait %d is %d ms, want %d to a tenth more", i, wait, base)
			}
		}
	})
}

// the limit is on the scheduled time. What was due within it and is made late, because the engine was down, is
// made; after it there is no other.
func TestTimeLimit(t *testing.T) {
	m := dnsimpleMoment()
	m.schedule.Jitter = 0
	limit := m.schedule.Limit.Milliseconds()
	for _, c := range []struct {
		what     string
		number   int
		finished int64
		want     string
	}{
		{"due just at the limit", 3, limit - 48_000, "pending "},
		{"due 1 ms past it", 3, limit - 48_000 + 1, "exhausted time_limit"},
		{"made hours late", 3, 10 * hour, "exhausted time_limit"},
		{"the tenth, within", 10, limit - 1, "exhausted schedule_used_up"},
		{"the tenth, past it", 10, 10 * hour, "exhausted schedule_used_up"},
	} {
		m.number, m.finished = c.number, c.finished
		if got := reasonFor(decide(m)); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	m.first, m.number, m.finished = 5*hour, 3, 5*hour+limit-48_000
	if got := decide(m); got.due != m.first+limit {
		t.Errorf("the limit counts from the first attempt's start: due %d, want %d", got.due, m.first+limit)
	}
}

// D-13, P13, P14: 15 in a row over all deliveries suppress; a 200 between begins the count anew.
func TestSuppression(t *testing.T) {
	const ok, bad = transports.Acknowledged, transports.Rejected
	fails := func(n int) []transports.Outcome { return slices.Repeat([]transports.Outcome{bad}, n) }
	for _, c := range []struct {
		what    string
		results []transports.Outcome
		at      int // the result that suppresses; 0 = none
	}{
		{"14 failures", fails(14), 0},
		{"15 failures", fails(15), 15},
		{"P14: 14 failures, one 200, 14 failures", slices.Concat(fails(14), []transports.Outcome{ok}, fails(14)), 0},
		{"P14: one more", slices.Concat(fails(14), []transports.Outcome{ok}, fails(15)), 30},
		{"time-outs and refusals count alike", slices.Concat(fails(5), slices.Repeat([]transports.Outcome{transports.TimedOut}, 5),
			slices.Repeat([]transports.Outcome{transports.Unreachable}, 5)), 15},
		{"R-3: those in flight are no second suppression", fails(22), 15},
	} {
		m, at := dnsimpleMoment(), 0
		for i, outcome := range c.results {
			m.outcome = outcome
			d := decide(m)
			if d.suppress && at != 0 {
				t.Errorf("%s: suppressed again at %d", c.what, i+1)
			}
			if d.suppress {
				at, m.suppressed = i+1, true
			}
			if m.failures++; outcome == ok {
				m.failures = 0
			}
		}
		if at != c.at {
			t.Errorf("%s: suppressed at %d, want %d", c.what, at, c.at)
		}
	}
}

// P13: event A, event B 5 s after it, an endpoint that always fails: the fifteenth request suppresses it, and there is
// no sixteenth. Neither delivery is used up before.
func TestTwoEventsSuppressAtTheFifteenth(t *testing.T) {
	type pending struct {
		first, due int64
		number     int
	}
	queue, requests := []pending{{0, 0, 1}, {5000, 5000, 1}}, 0
	m := dnsimpleMoment()
	for !m.suppressed {
		slices.SortFunc(queue, func(a, b pending) int { return int(a.due - b.due) })
		p := queue[0]
		requests++
		m.number, m.first, m.finished = p.number, p.first, p.due
		d := decide(m)
		if d.status != record.Pending {
			t.Fatalf("request %d: %s", requests, reasonFor(d))
		}
		m.suppressed = d.suppress
		m.failures++
		queue[0] = pending{p.first, d.due, p.number + 1}
	}
	if requests != 15 {
		t.Errorf("suppressed at request %d, want 15", requests)
	}
}

// R-3, D-12: what was in flight when a gate closed is judged like any other: a 200 completes its delivery and lifts
// nothing, a failure keeps its place in the schedule, number and time unchanged.
func TestGatesDoNotChangeWhatIsInFlight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom([]moment{osirMoment(), dnsimpleMoment()}).Draw(t, "profile")
		m.number, m.failures = rapid.IntRange(1, 11).Draw(t, "number"), rapid.Uint32Range(0, 40).Draw(t, "failures")
		m.finished, m.rnd = rapid.Int64Range(0, 3*hour).Draw(t, "finished"), rapid.Uint64().Draw(t, "rnd")
		m.outcome = rapid.SampledFrom([]transports.Outcome{transports.Acknowledged, transports.Rejected, transports.TimedOut}).Draw(t, "outcome")
		open := decide(m)
		m.disabled, m.suppressed = true, true
		closed := decide(m)
		if closed.disable || closed.suppress {
			t.Fatalf("closed gates close again: %+v", closed)
		}
		open.disable, open.suppress, open.why = false, false, 0
		if closed != open {
			t.Fatalf("with closed gates %+v, with open ones %+v", closed, open)
		}
	})
}

// No limbo (promise 5): every decision is an end with its reason, or a due time that is not before its wait is over.
// And decide is pure: the same moment, the same decision.
func TestDecideLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := moment{
			disableOnFail: rapid.Bool().Draw(t, "disables"), suppressAfter: rapid.Uint32Range(0, 20).Draw(t, "suppress after"),
			number: rapid.IntRange(1, 60).Draw(t, "number"), first: rapid.Int64Range(0, 1e12).Draw(t, "first"),
			failures: rapid.Uint32().Draw(t, "failures"), disabled: rapid.Bool().Draw(t, "disabled"), suppressed: rapid.Bool().Draw(t, "suppressed"),
			outcome: rapid.SampledFrom([]transports.Outcome{transports.Acknowledged, transports.Rejected, transports.TimedOut,
				transports.Unreachable}).Draw(t, "outcome"), rnd: rapid.Uint64().Draw(t, "rnd")}
		for range rapid.IntRange(0, 50).Draw(t, "waits") {
			m.schedule.Waits = append(m.schedule.Waits, time.Duration(rapid.Int64Range(0, 720*hour).Draw(t, "wait"))*time.Millisecond)
		}
		m.schedule.Jitter = rapid.Float64Range(0, 1).Draw(t, "jitter")
		m.schedule.Limit = time.Duration(rapid.Int64Range(0, 1000*hour).Draw(t, "limit")) * time.Millisecond
		m.finished = m.first + rapid.Int64Range(0, 2000*hour).Draw(t, "after")
		d := decide(m)
		if again := decide(m); again != d {
			t.Fatalf("%+v, then %+v", d, again)
		}
		switch d.status {
		case record.Pending:
			wait := m.schedule.Waits[m.number-1].Milliseconds()
			if d.due < m.finished+wait || d.due > m.finished+2*wait || d.reason != record.ReasonNone || d.disable {
				t.Fatalf("pending: %+v after a wait of %d from %d", d, wait, m.finished)
			}
			if limit := m.schedule.Limit.Milliseconds(); limit > 0 && d.due > m.first+limit {
				t.Fatalf("due %d, past the limit %d after %d", d.due, limit, m.first)
			}
		case record.Exhausted:
			if d.due != 0 || d.reason != record.ReasonScheduleUsedUp && d.reason != record.ReasonTimeLimit {
				t.Fatalf("exhausted: %+v", d)
			}
		case record.Succeeded:
			if d != (decision{status: record.Succeeded}) || m.outcome != transports.Acknowledged {
				t.Fatalf("succeeded: %+v by %s", d, m.outcome)
			}
		default:
			t.Fatalf("limbo: %+v", d)
		}
	})
}

// Promise 9: what we broke off is tried again after 1 s, 5 s, 30 s, then every 5 min; the tenth holds the delivery, due
// every 6 h.
func TestInterruptedWaits(t *testing.T) {
	const now = int64(1_700_000_000_000)
	for n := 1; n <= maxInterrupted; n++ {
		want, held := 5*minute, false
		switch {
		case n == 1:
			want = 1000
		case n == 2:
			want = 5000
		case n == 3:
			want = 30_000
		case n >= 10:
			want, held = 6*hour, true
		}
		if due, h := interrupted(n, now); due != now+want || h != held {
			t.Errorf("interruption %d: due after %d ms, held %v, want %d, %v", n, due-now, h, want, held)
		}
	}
	if aloneAfter != 3 {
		t.Errorf("alone after %d interruptions, want 3", aloneAfter)
	}
}

// A 410, where the profile gives it that meaning, disables the endpoint with its own reason; the delivery's schedule
// goes on, and the closed gate ends it when it falls due.
func TestGoneDisables(t *testing.T) {
	m := osirMoment()
	m.number, m.outcome = 1, transports.Gone
	d := decide(m)
	if d.status != record.Pending || !d.disable || d.why != record.ReasonGone {
		t.Errorf("%+v", d)
	}
	if m.disabled = true; decide(m).disable {
		t.Error("a closed gate closes again")
	}
}
