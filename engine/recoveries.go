package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// A recovery never holds more than a page in memory, and creates no further deliveries while many of those before wait
// for their first attempt: so its memory is the same for a hundred deliveries and for a million. What has been attempted
// and waits for a retry is an ordinary backlog and does not hold it up.
const (
	recoverPage   = 500
	recoverWindow = 2000 // deliveries of a recovery that wait for their first attempt
	recoverTurn   = 2000 // deliveries that all recoveries create in one turn of the sequencer
	recoverReads  = 4    // pages that are read at the same time
	recoverTick   = 10   // a recovery with a rate creates a second's deliveries in at most so many parts
)

// recoveries are those that run, each with the page that it goes on with. They belong to the sequencer.
type recoveries struct {
	runs  []*recoveryRun
	first int // whose turn it is to begin
	left  bool
}

type recoveryRun struct {
	x       *state.Recovery
	page    history.RecoverPage
	ready   bool // page is read and not used up
	reading bool
}

func (r *recoveries) add(x *state.Recovery) { r.runs = append(r.runs, &recoveryRun{x: x}) }

// resumeRecoveries takes up those that a stop or a crash interrupted, where their last page ended.
func (s *sequencer) resumeRecoveries() {
	running := s.st.RunningRecoveries()
	slices.SortFunc(running, func(a, b *state.Recovery) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, x := range running {
		s.recoveries.add(x)
	}
}

// stepRecoveries creates what may be created now. Recoveries take turns.
func (s *sequencer) stepRecoveries() {
	r := &s.recoveries
	r.left = false
	if len(r.runs) == 0 {
		return
	}
	r.first++
	budget := recoverTurn
	for i := range len(r.runs) {
		if budget <= 0 {
			r.left = true
			break
		}
		budget -= s.stepRecovery(r.runs[(r.first+i)%len(r.runs)])
	}
	r.runs = slices.DeleteFunc(r.runs, func(run *recoveryRun) bool { return run.x.EndedAt != 0 })
}

// stepRecovery creates the next deliveries of one recovery and returns how many: they and the recovery's new cursor
// stand in one batch, so that after a crash none is missing and none stands twice.
func (s *sequencer) stepRecovery(run *recoveryRun) int {
	x := run.x
	if x.EndedAt != 0 || run.reading {
		return 0
	}
	if !run.ready {
		s.readRecoverable(run)
		return 0
	}
	n := s.mayRecover(run)
	if n > 0 {
		s.createRecovered(run, n)
	}
	if len(run.page.Rows) > 0 {
		return n
	}
	if run.ready = false; run.page.End {
		s.endRecovery(x, record.RecoveryDone, record.ReasonNone)
		return n
	}
	s.readRecoverable(run)
	return n
}

// mayRecover is how many of a page's deliveries may be created now: by the window, a whole page or none, so that pages
// stay large; by the recovery's rate, engine time.
func (s *sequencer) mayRecover(run *recoveryRun) int {
	x, n := run.x, len(run.page.Rows)
	ep, _ := s.st.Endpoint(x.Tenant.ID, x.Endpoint)
	if x.Rate > 0 {
		if s.now < x.NextAt {
			return 0
		}
		n = min(n, max(1, int(x.Rate)/recoverTick))
	}
	if ep.Unattempted+n > recoverWindow {
		return 0
	}
	return n
}

func (s *sequencer) createRecovered(run *recoveryRun, n int) {
	x, rows := run.x, run.page.Rows
	ep, _ := s.st.Endpoint(x.Tenant.ID, x.Endpoint)
	most := uint8(s.st.PolicyOfEndpoint(ep).Schedule.MaxAttempts())
	made := uint64(0)
	for i := range rows[:n] {
		r := &rows[i]
		if s.bodyGone(r.Event, x.Tenant.ID, r.EventType) != nil {
			continue // since it was selected, or before
		}
		made++
		s.appendFacts(record.TypeDeliveryCreated, x.Tenant.ID, &record.DeliveryCreated{Event: r.Event, EventID: r.EventID, EventType: r.EventType,
			Endpoint: x.Endpoint, ResendOf: r.Ref, MaxAttempts: most, Recovery: x.Seq})
	}
	a := record.RecoveryAdvanced{Recovery: x.Seq, Cursor: rows[n-1].Ref, CursorMS: rows[n-1].CreatedMS, Created: x.Created + made}
	if x.Rate > 0 {
		a.NextAt = s.nextByRate(x, n)
	}
	if run.page.Rows = rows[n:]; len(run.page.Rows) == 0 {
		a.Cursor, a.CursorMS = run.page.Cursor, run.page.CursorMS
	}
	s.appendFacts(record.TypeRecoveryAdvanced, x.Tenant.ID, &a)
}

// nextByRate is when a recovery may go on after n more deliveries. A turn that came a little late is made up for, a
// pause is not.
func (s *sequencer) nextByRate(x *state.Recovery, n int) int64 {
	from := s.now
	if late := s.now - x.NextAt; late < 1000/recoverTick {
		from = x.NextAt
	}
	return from + (int64(n)*1000+int64(x.Rate)-1)/int64(x.Rate)
}

// endRecovery records the end of a recovery; its run is dropped at its next turn.
func (s *sequencer) endRecovery(x *state.Recovery, as record.RecoveryState, reason record.Reason, who ...eventlog.Section) {
	s.appendFacts(record.TypeRecoveryEnded, x.Tenant.ID, &record.RecoveryEnded{Recovery: x.Seq, State: as, Reason: reason}, who...)
}

// stopRecovery ends an endpoint's recovery in the batch of what blocks or deletes the endpoint.
func (s *sequencer) stopRecovery(ep *state.Endpoint, reason record.Reason) {
	if ep.Recovery != nil {
		s.endRecovery(ep.Recovery, record.RecoveryStopped, reason)
	}
}

// nextRecovery is the earliest engine time at which a recovery's rate lets it go on.
func (s *sequencer) nextRecovery() (at int64, ok bool) {
	for _, run := range s.recoveries.runs {
		if next := run.x.NextAt; run.ready && run.x.EndedAt == 0 && next > s.now && (!ok || next < at) {
			at, ok = next, true
		}
	}
	return at, ok
}

// reading says that a page is being read: a manual clock waits for it.
func (r *recoveries) reading() bool {
	return slices.ContainsFunc(r.runs, func(run *recoveryRun) bool { return run.reading })
}

// recoveredPage is a page that was read.
type recoveredPage struct {
	of   *recoveryRun
	page history.RecoverPage
}

func (c recoveredPage) run(*sequencer) {
	c.of.page, c.of.ready, c.of.reading = c.page, true, false
}

// readRecoverable reads the next page in a goroutine of its own, which Close waits for.
func (s *sequencer) readRecoverable(run *recoveryRun) {
	q, err := recoverQuery(run.x.Tenant.ID, &run.x.RecoveryStarted)
	if err != nil {
		panic(err) // types that were parsed before they went into the log
	}
	q.After = run.x.Cursor
	if run.page.Cursor.Seq != 0 {
		q.After = run.page.Cursor // behind what was looked at and not selected
	}
	run.reading = true
	s.e.done.Add(1)
	go s.e.readRecoverable(run, q)
}

// readRecoverable tries until it has the page or the engine stops.
func (e *Engine) readRecoverable(run *recoveryRun, q history.RecoverQuery) {
	defer e.done.Done()
	for {
		page, err := e.recoverableNow(e.life, q)
		if err == nil {
			e.sequencer.enqueue(recoveredPage{run, page})
			return
		}
		if e.life.Err() != nil {
			return
		}
		e.cfg.Logger.Warn("a recovery cannot read its deliveries; it tries again", "tenant", q.Tenant,
			"endpoint", e.id(record.PrefixEndpoint, q.Endpoint, 0), "error", err)
		select {
		case <-e.life.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

func (e *Engine) recoverableNow(ctx context.Context, q history.RecoverQuery) (page history.RecoverPage, err error) {
	select {
	case e.recoverReads <- struct{}{}:
		defer func() { <-e.recoverReads }()
	case <-ctx.Done():
		return page, context.Cause(ctx)
	}
	if err := e.cfg.Follower.WaitFor(ctx, q.Upto); err != nil {
		return page, err
	}
	return e.cfg.History.Recoverable(ctx, q, recoverPage)
}
