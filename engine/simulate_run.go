package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/seal"
	"github.com/hookline/hookline/filters"
)

// sampleKind is what a sample shows.
type sampleKind uint8

const (
	sampleMatched sampleKind = iota
	sampleMissed
	sampleFailed
	sampleAdded
	sampleRemoved
)

type sample struct {
	seq  eventlog.Seq
	text string
}

// verdict is what a selection makes of an event.
type verdict uint8

const (
	verdictMissed verdict = iota
	verdictMatched
	verdictFailed
	verdictErased
)

// simulateGap is how many records a read passes over rather than begin anew.
const simulateGap = 64

// read evaluates the events, oldest first, as they stand in the log.
func (s *simulation) read(ctx context.Context) error {
	slices.Reverse(s.events)
	for s.done < len(s.events) {
		ev := &s.events[s.done]
		if !s.needsContent(ev) {
			s.judge(ev, nil)
			if err := s.step(ctx); err != nil {
				return err
			}
			continue
		}
		err := s.readOn(ctx)
		if errors.Is(err, eventlog.ErrTrimmed) {
			s.count(&s.events[s.done], verdictErased, verdictErased, "")
			err = s.step(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readOn reads from the present event on, for as long as those to come are near.
func (s *simulation) readOn(ctx context.Context) error {
	for r, err := range s.e.cfg.Log.Read(ctx, s.events[s.done].seq-1) {
		if errors.Is(err, eventlog.ErrTrimmed) {
			return err
		}
		if err != nil {
			return storeError(err)
		}
		if r.Seq < s.events[s.done].seq {
			continue
		}
		s.judge(&s.events[s.done], &r)
		for {
			if err := s.step(ctx); err != nil {
				return err
			}
			if s.done == len(s.events) {
				return nil
			}
			if s.needsContent(&s.events[s.done]) {
				break
			}
			s.judge(&s.events[s.done], nil)
		}
		if s.events[s.done].seq > r.Seq+simulateGap {
			return nil
		}
	}
	return nil
}

// needsContent says whether a filter must look at an event.
func (s *simulation) needsContent(ev *simulated) bool {
	return ev.next && s.next.filter != nil || ev.now && s.present != nil && s.present.filter != nil
}

// judge evaluates one event; r is nil where its type alone decides.
func (s *simulation) judge(ev *simulated, r *eventlog.Record) {
	seen := (*filters.Event)(nil)
	if r != nil {
		var err error
		if seen, err = s.reader.open(r); err != nil {
			s.count(ev, verdictErased, verdictErased, "")
			return
		}
	}
	next, text := s.next.judge(ev.next, seen)
	now := verdictMissed
	if s.present != nil {
		now, _ = s.present.judge(ev.now, seen)
	}
	s.count(ev, next, now, text)
}

func (sel *selection) judge(selected bool, ev *filters.Event) (verdict, string) {
	switch {
	case !selected:
		return verdictMissed, ""
	case sel.filter == nil:
		return verdictMatched, ""
	}
	ok, err := sel.filter.Match(ev)
	switch {
	case err != nil:
		return verdictFailed, err.Error()
	case ok:
		return verdictMatched, ""
	}
	return verdictMissed, ""
}

func (s *simulation) count(ev *simulated, next, now verdict, text string) {
	out := s.out
	switch next {
	case verdictMatched:
		out.Matched++
		s.sample(sampleMatched, ev, "")
	case verdictMissed:
		out.Missed++
		if !ev.next {
			out.OtherTypes++
		} else {
			s.sample(sampleMissed, ev, "")
		}
	case verdictFailed:
		out.Failed++
		s.sample(sampleFailed, ev, text)
	case verdictErased:
		out.Erased++
		return
	}
	d := out.Diff
	if d == nil {
		return
	}
	switch now {
	case verdictMatched:
		d.Matched++
	case verdictFailed:
		d.Failed++
	}
	switch {
	case next == verdictMatched && now != verdictMatched:
		d.Added++
		s.sample(sampleAdded, ev, "")
	case next != verdictMatched && now == verdictMatched:
		d.Removed++
		s.sample(sampleRemoved, ev, "")
	}
}

// sample keeps the newest few: events come oldest first.
func (s *simulation) sample(kind sampleKind, ev *simulated, text string) {
	list := s.samples[kind]
	if len(list) == maxSamples {
		copy(list, list[1:])
		list = list[:maxSamples-1]
	}
	s.samples[kind] = append(list, sample{ev.seq, text})
}

// step goes on to the next event, gives way and reports.
func (s *simulation) step(ctx context.Context) error {
	if s.done++; s.done%simulateLook != 0 {
		return nil
	}
	if err := s.pace.give(ctx); err != nil {
		return err
	}
	return s.report(false)
}

func (s *simulation) report(last bool) error {
	if s.in.Progress == nil || !last && time.Since(s.reported) < 250*time.Millisecond {
		return nil
	}
	s.reported = time.Now()
	return s.in.Progress(SimulateProgress{Done: s.done, Total: len(s.events), Matched: s.out.Matched, Failed: s.out.Failed})
}

// sum makes what follows from the counts.
func (s *simulation) sum(ctx context.Context) error {
	out, in := s.out, s.in
	if n := out.Matched + out.Missed + out.Failed; n > 0 {
		out.MatchRate = float64(out.Matched) / float64(n)
	}
	if n := len(s.events); n > 0 {
		oldest, newest := Time(s.events[0].timeMS), Time(s.events[n-1].timeMS)
		out.Oldest, out.Newest = &oldest, &newest
		from, to := int64(oldest), s.e.clock.Now()
		if !in.From.IsZero() && !out.Truncated {
			from = unixMS(in.From)
		}
		if !in.To.IsZero() {
			to = min(to, unixMS(in.To))
		}
		if to > from {
			out.SpanS = float64(to-from) / 1000
			perDay := float64(out.Matched) / out.SpanS * 86400
			out.DeliveriesPerDay = &perDay
		}
	}
	into := map[sampleKind]*[]SimulatedEvent{sampleMatched: &out.Samples.Matched, sampleMissed: &out.Samples.Missed, sampleFailed: &out.Samples.Failed}
	if d := out.Diff; d != nil {
		d.Text = fmt.Sprintf("+%s -%s of %s", thousands(d.Added), thousands(d.Removed), thousands(out.Events))
		into[sampleAdded], into[sampleRemoved] = &d.AddedSamples, &d.RemovedSamples
	}
	for kind, list := range into {
		if err := s.show(ctx, s.samples[kind], list); err != nil {
			return err
		}
	}
	return nil
}

// show names the samples' events, newest first.
func (s *simulation) show(ctx context.Context, from []sample, to *[]SimulatedEvent) error {
	*to = []SimulatedEvent{}
	for _, x := range slices.Backward(from) {
		shown := SimulatedEvent{UID: s.e.id(record.PrefixEvent, x.seq, 0), Error: x.text}
		r, err := s.e.cfg.Log.Get(ctx, x.seq)
		if errors.Is(err, eventlog.ErrTrimmed) {
			continue // meanwhile
		}
		var facts record.EventPublished
		if err == nil {
			err = facts.Decode(r.Facts)
		}
		if err != nil {
			return storeError(err)
		}
		shown.ID, shown.Type = facts.ID, facts.Type
		*to = append(*to, shown)
	}
	return nil
}

// thousands writes a number in groups of three: 5 000.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	return text
}

// eventOpener makes of records of events what filters saw, in memory that is used again.
type eventOpener struct {
	e          *Engine
	tenant     string
	facts      record.EventPublished
	private    record.EventPrivate
	body, rest []byte
	profile    *profile.Profile
	profileSeq eventlog.Seq
	ev         filters.Event
}

// open returns the event, good until the next call. An error means that its content is gone or unreadable.
func (o *eventOpener) open(r *eventlog.Record) (*filters.Event, error) {
	if err := o.facts.Decode(r.Facts); err != nil {
		return nil, err
	}
	var err error
	if o.body, err = o.unseal(o.body[:0], r, 0); err != nil {
		return nil, err
	}
	o.private = record.EventPrivate{}
	if len(r.Sections) > 1 {
		if o.rest, err = o.unseal(o.rest[:0], r, 1); err != nil {
			return nil, err
		}
		if err := o.private.Decode(o.rest); err != nil {
			return nil, err
		}
	}
	if o.profile == nil || o.profileSeq != o.facts.Profile {
		if o.profile, err = o.e.profileAt(o.facts.Profile); err != nil {
			return nil, err
		}
		o.profileSeq = o.facts.Profile
	}
	o.ev = filters.Event{Type: o.facts.Type, ID: o.facts.ID, Tenant: o.tenant, OccurredAt: time.UnixMilli(o.facts.OccurredAt),
		Data: o.profile.Data(o.body), Actor: o.private.Actor, Metadata: o.private.Metadata}
	return &o.ev, nil
}

func (o *eventOpener) unseal(dst []byte, r *eventlog.Record, section uint8) ([]byte, error) {
	if int(section) >= len(r.Sections) || len(r.Sections[section].Data) == 0 {
		return dst, seal.ErrDestroyed
	}
	return o.e.cfg.Keyring.Unseal(dst, r.Sections[section].Data, seal.Context{Tenant: o.tenant, Type: uint16(r.Type), Section: section})
}
