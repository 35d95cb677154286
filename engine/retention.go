package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// BodyRule is a rule of retention: bodies of events and of attempts that it selects are removed for good once they are
// old, or once all bodies together take too much, the oldest first. The records stay, and prove whole.
type BodyRule struct {
	Tenant    string        // "" = of all
	EventType string        // a name, a beginning like domain.*, or "" = all
	Age       time.Duration // by record time; 0 = not by age
	Size      int64         // bytes on disk of all bodies together; only of a rule for all; 0 = not by size
}

func (r *BodyRule) facts() record.BodyRule {
	return record.BodyRule{Tenant: r.Tenant, EventType: r.EventType, AgeMS: uint64(r.Age.Milliseconds()), Size: uint64(r.Size)}
}

func (r *BodyRule) validate() error {
	switch {
	case r.Age < 0 || r.Size < 0 || r.Age == 0 && r.Size == 0:
		return errors.New("engine: a rule of retention needs an age or a size, above 0")
	case r.Age%time.Millisecond != 0:
		return fmt.Errorf("engine: a rule of retention has the age %s, want whole ms", r.Age)
	case r.Size > 0 && (r.Tenant != "" || r.EventType != ""):
		return errors.New("engine: a rule of retention by size is for all bodies: leave tenant and event type out")
	}
	return nil
}

// retention removes bodies by rule, in the background: first the record, then the bytes. When the process dies between the
// two, the next start goes on with the bytes.
type retention struct {
	e      *Engine
	log    eventlog.SectionRemover
	nextAt int64          // engine time before which nothing is looked at
	clean  []eventlog.Seq // by rule: up to there nothing is left that it selects
}

const (
	// retentionPause is how long the rules rest between two looks, of engine time; less under a short rule.
	retentionPause = time.Minute
	// retentionStep is how many records one body.removed covers at most: a pass of more goes in parts, so that a crash
	// repeats little.
	retentionStep = 500_000
)

// keepRetention runs until Close.
func (e *Engine) keepRetention() {
	defer e.done.Done()
	log, ok := e.cfg.Log.(eventlog.SectionRemover)
	if !ok {
		e.cfg.Logger.Warn("this log cannot remove bodies: the rules of retention do nothing")
		return
	}
	r := retention{e: e, log: log, clean: make([]eventlog.Seq, len(e.cfg.Retention))}
	r.resume()
	tick := time.NewTicker(retentionTick)
	defer tick.Stop()
	for {
		select {
		case <-e.closed:
			return
		case <-tick.C:
		}
		now := e.clock.Now()
		if now < r.nextAt || e.outage.lasting() || e.held.Load() { // a node that was restored is looked at first
			continue
		}
		r.nextAt = now + r.pause().Milliseconds()
		r.look()
	}
}

// resume removes again what the newest records say: a crash may have come between record and bytes.
func (r *retention) resume() {
	for _, x := range *r.e.removals.Load() {
		r.try(func() error { return r.remove(x) })
	}
}

// look enforces every rule.
func (r *retention) look() {
	for i := range r.e.cfg.Retention {
		r.try(func() error { return r.enforce(&r.e.cfg.Retention[i], &r.clean[i]) })
	}
}

const retentionTick = 250 * time.Millisecond

func (r *retention) pause() time.Duration {
	pause := retentionPause
	for _, rule := range r.e.cfg.Retention {
		if rule.Age > 0 {
			pause = min(pause, max(rule.Age/100, time.Second))
		}
		if rule.Size > 0 {
			pause = min(pause, 5*time.Second)
		}
	}
	return pause
}

func (r *retention) try(f func() error) {
	if r.e.life.Err() != nil {
		return
	}
	if err := f(); err != nil && r.e.life.Err() == nil && r.e.failure() == nil {
		r.e.cfg.Logger.Warn("retention: bodies could not be removed; it is tried again", "error", err)
	}
}

// enforce removes what one rule selects by now.
func (r *retention) enforce(rule *BodyRule, clean *eventlog.Seq) error {
	facts := rule.facts()
	for {
		upto, err := r.upto(rule)
		if err != nil {
			return err
		}
		found, err := r.selects(&facts, *clean, upto)
		if err != nil {
			return err
		}
		if !found {
			*clean = max(*clean, upto)
			upto = 0 // what was kept may still be free by now
		}
		x, more, err := r.decide(facts, upto)
		if err != nil || x == nil {
			return err
		}
		if err := r.remove(x); err != nil {
			return err
		}
		if *clean = max(*clean, x.Upto); !more {
			return nil
		}
	}
}

// selects says whether there is a body after a seq, up to another, that a rule selects: a rule that finds nothing leaves no
// records behind.
func (r *retention) selects(rule *record.BodyRule, after, upto eventlog.Seq) (bool, error) {
	if x := state.RemovalOf(*r.e.removals.Load(), *rule); x != nil {
		after = max(after, x.Upto)
	}
	if upto <= after {
		return false, nil
	}
	all := record.BodyRemoved{Rule: *rule, After: after, Upto: upto}
	for b, err := range r.e.cfg.Log.ReadBatches(r.e.life, after) {
		if err != nil {
			return false, err
		}
		for i := range b.Records {
			sections, err := all.Removes(&b.Records[i])
			if sections != 0 || err != nil {
				return true, err
			}
		}
		if b.Last() >= upto {
			break
		}
	}
	return false, nil
}

// upto is the newest record whose body has to go.
func (r *retention) upto(rule *BodyRule) (upto eventlog.Seq, err error) {
	ctx := r.e.life
	if rule.Age > 0 {
		if upto, err = SeqAt(ctx, r.e.cfg.Log, r.e.clock.Now()-rule.Age.Milliseconds()-1); err != nil {
			return 0, err
		}
	}
	if rule.Size == 0 {
		return upto, nil
	}
	head := r.e.durable.Load().seq
	lo, hi := upto, head // what is after hi fits
	if fits, err := r.fits(lo, head, rule.Size); fits || err != nil {
		return upto, err
	}
	for hi-lo > 1 {
		middle := lo + (hi-lo)/2
		fits, err := r.fits(middle, head, rule.Size)
		if err != nil {
			return 0, err
		}
		if fits {
			hi = middle
		} else {
			lo = middle
		}
	}
	return hi, nil
}

func (r *retention) fits(after, head eventlog.Seq, size int64) (bool, error) {
	n, err := r.log.SectionBytes(after+1, head)
	return n <= size, err
}

// decide appends the record of what goes: from where the rule stands, up to upto, but what pending deliveries need.
// nil = nothing does. more says that upto was not reached.
func (r *retention) decide(rule record.BodyRule, upto eventlog.Seq) (x *state.Removal, more bool, err error) {
	err = r.e.do(r.e.life, func(s *sequencer) error {
		f := record.BodyRemoved{Rule: rule}
		var waiting []eventlog.Seq
		if was := state.RemovalOf(s.st.Removals(), rule); was != nil {
			f.After, waiting = was.Upto, was.Waiting
			needed := s.st.NeededBy(rule.Tenant, 0, was.Upto)
			for _, event := range waiting {
				if _, needs := slices.BinarySearch(needed, event); !needs {
					f.Also = append(f.Also, event)
				}
			}
		}
		f.Upto = max(f.After, min(upto, f.After+retentionStep))
		f.Kept = s.st.NeededBy(rule.Tenant, f.After, f.Upto)
		// A record names no more than it may: what is older than the first event too many goes, the rest waits for the backlog.
		if room := record.MaxKept - (len(waiting) - len(f.Also)); len(f.Kept) > room {
			f.Upto, f.Kept = f.Kept[room]-1, f.Kept[:room]
		}
		if f.Upto == f.After && len(f.Also) == 0 {
			return nil
		}
		s.appendFacts(record.TypeBodyRemoved, "", &f)
		x, more = state.RemovalOf(s.st.Removals(), rule), f.Upto < upto && f.Upto > f.After
		s.e.noteRemovals(s.st)
		return nil
	})
	return x, more, err
}

// noteRemovals makes known outside the sequencer what was removed.
func (e *Engine) noteRemovals(st *state.State) {
	list := st.Removals()
	e.removals.Store(&list)
}

// remove removes the bytes that a record says are gone.
func (r *retention) remove(x *state.Removal) error {
	var failed error
	which := func(rec *eventlog.Record) uint16 {
		sections, err := x.Removes(rec)
		failed = errors.Join(failed, err)
		return sections
	}
	ctx := r.e.life
	n, err := r.log.RemoveSections(ctx, x.After+1, x.Upto, which)
	for i := 0; i < len(x.Also) && err == nil; {
		run := 1 // of neighbours: one walk
		for i+run < len(x.Also) && x.Also[i+run]-x.Also[i] < 4096 {
			run++
		}
		var more int64
		more, err = r.log.RemoveSections(ctx, x.Also[i], x.Also[i+run-1], which)
		n, i = n+more, i+run
	}
	if n > 0 {
		r.e.count.bodiesRemoved.Add(n)
		r.e.cfg.Logger.Info("bodies were removed", "rule", ruleText(&x.Rule), "up_to_seq", x.Upto, "sections", n, "kept_for_pending", len(x.Waiting))
	}
	return errors.Join(err, failed)
}

// ruleText names a rule as answers do.
func ruleText(r *record.BodyRule) string {
	text := "bodies"
	if r.EventType != "" {
		text += " of " + r.EventType
	}
	if r.Tenant != "" {
		text += " of tenant " + r.Tenant
	}
	switch age := time.Duration(r.AgeMS) * time.Millisecond; {
	case r.AgeMS > 0 && r.Size > 0:
		text += fmt.Sprintf(" older than %s, or beyond %d MiB", age, r.Size>>20)
	case r.AgeMS > 0:
		text += fmt.Sprintf(" older than %s", age)
	default:
		text += fmt.Sprintf(" beyond %d MiB", r.Size>>20)
	}
	return text
}

// BodyRemoved says that retention has removed a body.
type BodyRemoved struct {
	Rule string `json:"rule" doc:"in words"`
	At   Time   `json:"at" doc:"when the rule took effect"`
}

// removed says under which rule an event's body is gone; nil = under none.
func (e *Engine) removed(event eventlog.Seq, tenant, eventType string) *BodyRemoved {
	x := state.RemovedBy(*e.removals.Load(), event, tenant, eventType)
	if x == nil {
		return nil
	}
	return &BodyRemoved{Rule: ruleText(&x.Rule), At: Time(x.At)}
}

func (e *Engine) removedRule(event eventlog.Seq, tenant, eventType string) string {
	if b := e.removed(event, tenant, eventType); b != nil {
		return b.Rule
	}
	return "a rule of before"
}

// errBodyRemoved: retention has removed the body.
var errBodyRemoved = errors.New("engine: the body was removed by retention")

// bodyGone refuses what would send a body that is gone, or going.
func (s *sequencer) bodyGone(event eventlog.Seq, tenant, eventType string) error {
	x := state.RemovedBy(s.st.Removals(), event, tenant, eventType)
	if x == nil {
		return nil
	}
	return gone("the event's body is gone: retention (%s) removed it at %s; publish it anew", ruleText(&x.Rule),
		time.UnixMilli(x.At).UTC().Format(time.RFC3339))
}

// CheckRetention says whether rules can be enforced.
func CheckRetention(rules []BodyRule) error {
	for i := range rules {
		if err := rules[i].validate(); err != nil {
			return err
		}
		for k := range i {
			if rules[k].Tenant == rules[i].Tenant && rules[k].EventType == rules[i].EventType {
				return fmt.Errorf("engine: two rules of retention for tenant %q and event type %q: keep one", rules[i].Tenant, rules[i].EventType)
			}
		}
	}
	return nil
}
