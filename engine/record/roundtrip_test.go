package record_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/eventlog"
)

func isMalformed(err error) bool { return errors.Is(err, record.ErrMalformed) }

var (
	genSeq = rapid.Custom(func(t *rapid.T) eventlog.Seq { return eventlog.Seq(rapid.Uint64().Draw(t, "seq")) })
	genRef = rapid.Custom(func(t *rapid.T) record.Ref {
		return record.Ref{Seq: genSeq.Draw(t, "seq"), Ord: rapid.Uint16().Draw(t, "ord")}
	})
	genHeader = rapid.Custom(func(t *rapid.T) record.Header {
		return record.Header{Name: rapid.String().Draw(t, "name"), Value: rapid.String().Draw(t, "value")}
	})
	genMatch = rapid.Custom(func(t *rapid.T) record.Match {
		return record.Match{Endpoint: genSeq.Draw(t, "endpoint"), MaxAttempts: rapid.Byte().Draw(t, "max"), Subscriptions: list(t, genSeq, 4)}
	})
	genSchedule = rapid.Custom(func(t *rapid.T) schedule.Schedule {
		ms := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(0, schedule.MaxWait.Milliseconds()).Draw(t, "wait")) * time.Millisecond
		})
		return schedule.Schedule{Waits: list(t, ms, record.MaxWaits), Jitter: float64(rapid.IntRange(0, 1e6).Draw(t, "jitter")) / 1e6,
			Limit: time.Duration(rapid.Int64Range(0, math.MaxInt64/int64(time.Millisecond)).Draw(t, "limit")) * time.Millisecond}
	})
)

// list draws at most n values; none is nil, as decoders give it.
func list[T any](t *rapid.T, g *rapid.Generator[T], n int) []T {
	if v := rapid.SliceOfN(g, 0, n).Draw(t, "list"); len(v) > 0 {
		return v
	}
	return nil
}

func draw16(t *rapid.T) (h [16]byte) {
	copy(h[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "hash"))
	return h
}

func draw32(t *rapid.T) (h [32]byte) {
	copy(h[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash"))
	return h
}

// drawFacts draws a value of any kind of facts or private section.
func drawFacts(t *rapid.T) facts {
	u, i, u16, u32, u8 := rapid.Uint64(), rapid.Int64(), rapid.Uint16(), rapid.Uint32(), rapid.Byte()
	s, yes := rapid.String(), rapid.Bool()
	switch rapid.IntRange(0, 21).Draw(t, "kind") {
	case 0:
		p := &record.EventPublished{ID: s.Draw(t, "id"), Type: s.Draw(t, "type"), Profile: genSeq.Draw(t, "profile"),
			RouteVersion: u.Draw(t, "route"), OccurredAt: i.Draw(t, "occurred"), NotBefore: i.Draw(t, "not before"), BodyLen: u32.Draw(t, "len"),
			Payload: yes.Draw(t, "payload"), HasDedupe: yes.Draw(t, "dedupe"), HasOrderKey: yes.Draw(t, "order key"),
			Matches: list(t, genMatch, 5), Failed: list(t, genSeq, 3)}
		if p.HasDedupe {
			p.Dedupe, p.Fingerprint = draw16(t), draw16(t)
		}
		if p.HasOrderKey {
			p.OrderKey = draw16(t)
		}
		return p
	case 1:
		return &record.DeliveryCreated{Event: genSeq.Draw(t, "event"), EventID: s.Draw(t, "id"), EventType: s.Draw(t, "type"),
			Endpoint: genSeq.Draw(t, "endpoint"), ResendOf: genRef.Draw(t, "resend of"), MaxAttempts: u8.Draw(t, "max"),
			Recovery: genSeq.Draw(t, "recovery")}
	case 2:
		return &record.DeliveriesEnded{Endpoint: genSeq.Draw(t, "endpoint"), Reason: record.Reason(u8.Draw(t, "reason")), Deliveries: list(t, genRef, 40)}
	case 3:
		return &record.DeliveryReleased{Delivery: genRef.Draw(t, "delivery"), Endpoint: genSeq.Draw(t, "endpoint")}
	case 4:
		a := &record.AttemptFinished{Delivery: genRef.Draw(t, "delivery"), Event: genSeq.Draw(t, "event"), Endpoint: genSeq.Draw(t, "endpoint"),
			Profile: genSeq.Draw(t, "profile"), Number: u16.Draw(t, "number"), Trigger: record.Trigger(u8.Draw(t, "trigger")),
			StartedAt: i.Draw(t, "started"), TookMS: u32.Draw(t, "took"), Outcome: u8.Draw(t, "outcome"), Kind: u8.Draw(t, "kind"),
			StatusCode: u16.Draw(t, "code"), Status: record.Status(u8.Draw(t, "status")), Reason: record.Reason(u8.Draw(t, "reason")),
			NextDue: i.Draw(t, "next due"), EventID: s.Draw(t, "id"), EventType: s.Draw(t, "type")}
		for n := range a.Timings {
			a.Timings[n] = u32.Draw(t, "timing")
		}
		return a
	case 5:
		return &record.AttemptInterrupted{Delivery: genRef.Draw(t, "delivery"), Endpoint: genSeq.Draw(t, "endpoint"), Number: u16.Draw(t, "number"),
			Interruptions: u8.Draw(t, "interruptions"), Due: i.Draw(t, "due"), Held: yes.Draw(t, "held"), FirstStarted: i.Draw(t, "first"),
			Plugin: u32.Draw(t, "plugin")}
	case 6:
		return &record.ProfileDefined{Name: s.Draw(t, "name"), Version: u32.Draw(t, "version"), Hash: draw32(t), TimeoutMS: u32.Draw(t, "timeout"),
			Schedule: genSchedule.Draw(t, "schedule"), DisableOnFail: yes.Draw(t, "disable"), SuppressAfter: u32.Draw(t, "suppress"),
			HTTPSOnly: yes.Draw(t, "https"), GoneDisables: yes.Draw(t, "gone"), ReservedPolicy: u.Draw(t, "reserved"),
			RetryAfterCapMS: u.Draw(t, "retry after"), WarnAt: list(t, u8, record.MaxWarnings)}
	case 7:
		return &record.Tenant{Profile: genSeq.Draw(t, "profile"), ManagementEvents: yes.Draw(t, "management")}
	case 8:
		p := &record.Endpoint{Endpoint: genSeq.Draw(t, "endpoint"), Number: u.Draw(t, "number"), Transport: s.Draw(t, "transport"),
			Concurrency: u16.Draw(t, "concurrency"), TimeoutMS: u32.Draw(t, "timeout"), RateLimit: u16.Draw(t, "rate limit")}
		if yes.Draw(t, "own schedule") {
			sched := genSchedule.Draw(t, "schedule")
			p.Schedule = &sched
		}
		return p
	case 9:
		return &record.EndpointChange{Endpoint: genSeq.Draw(t, "endpoint"), Reason: record.Reason(u8.Draw(t, "reason")), Delivery: genRef.Draw(t, "delivery"),
			Until: i.Draw(t, "until")}
	case 10:
		return &record.Subscription{Subscription: genSeq.Draw(t, "subscription"), Endpoint: genSeq.Draw(t, "endpoint"), EventTypes: list(t, s, 5),
			Shadow: rapid.Bool().Draw(t, "shadow"), Restores: genSeq.Draw(t, "restores")}
	case 13:
		return &record.KeyIssued{Hash: draw32(t), Scope: record.Scope(u8.Draw(t, "scope")), Prefix: s.Draw(t, "prefix"), ExpiresAt: i.Draw(t, "expires")}
	case 14:
		return &record.KeyChange{Key: genSeq.Draw(t, "key"), At: i.Draw(t, "at")}
	case 15:
		return &record.PortalSession{LinkHash: draw32(t), LinkExpiresAt: i.Draw(t, "link expires"), LastsMS: u.Draw(t, "lasts")}
	case 16:
		return &record.PortalSessionChange{Session: genSeq.Draw(t, "session"), TokenHash: draw32(t), ExpiresAt: i.Draw(t, "expires")}
	case 17:
		status := rapid.Custom(func(t *rapid.T) record.Status { return record.Status(u8.Draw(t, "status")) })
		return &record.RecoveryStarted{Endpoint: genSeq.Draw(t, "endpoint"), Upto: genSeq.Draw(t, "upto"), Matched: u.Draw(t, "matched"),
			Statuses: list(t, status, 3), EventTypes: list(t, s, 3), Since: i.Draw(t, "since"), Until: i.Draw(t, "until"), Rate: u32.Draw(t, "rate")}
	case 18:
		return &record.RecoveryAdvanced{Recovery: genSeq.Draw(t, "recovery"), Cursor: genRef.Draw(t, "cursor"), CursorMS: i.Draw(t, "ms"),
			Created: u.Draw(t, "created"), NextAt: i.Draw(t, "next")}
	case 20:
		return &record.EndpointHandshake{Endpoint: genSeq.Draw(t, "endpoint"), Granted: yes.Draw(t, "granted"), Rate: u32.Draw(t, "rate"),
			StatusCode: u16.Draw(t, "code"), Kind: u8.Draw(t, "error kind")}
	case 21:
		return &record.BodyRemoved{Rule: record.BodyRule{Tenant: s.Draw(t, "tenant"), EventType: s.Draw(t, "type"), AgeMS: u.Draw(t, "age"), Size: u.Draw(t, "size")},
			After: genSeq.Draw(t, "after"), Upto: genSeq.Draw(t, "upto"), Kept: list(t, genSeq, 3), Also: list(t, genSeq, 3)}
	case 19:
		return &record.RecoveryEnded{Recovery: genSeq.Draw(t, "recovery"), State: record.RecoveryState(u8.Draw(t, "state")), Reason: record.Reason(u8.Draw(t, "reason"))}
	case 11:
		raw := rapid.SliceOf(rapid.Byte())
		return section{&record.EventPrivate{Actor: raw.Draw(t, "actor"), Metadata: raw.Draw(t, "metadata"), OrderKey: s.Draw(t, "order key"), Failed: list(t, s, 3)}}
	}
	return section{&record.AttemptPrivate{URL: s.Draw(t, "url"), RequestHeaders: list(t, genHeader, 4), ResponseHeaders: list(t, genHeader, 4),
		Error: s.Draw(t, "error"), ResponseBody: rapid.SliceOf(rapid.Byte()).Draw(t, "body"), Truncated: yes.Draw(t, "truncated")}}
}

// What was encoded decodes to the same value, appended to whatever stood before, and in a variable used before.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawFacts(t)
		b := v.AppendFacts(nil)
		back := another(v)
		if err := back.Decode(b); err != nil {
			t.Fatalf("%+v: %v", v, err)
		}
		if !reflect.DeepEqual(back, v) {
			t.Fatalf("decoded %+v, want %+v", back, v)
		}
		if got := v.AppendFacts([]byte("before")); !bytes.Equal(got, append([]byte("before"), b...)) {
			t.Fatalf("appended %x, want %x after what was there", got, b)
		}
	})
}

// Decoders reuse slices (a fold decodes millions of records into one value): nothing of the value before is left.
func TestDecodeIntoUsedValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		used := map[reflect.Type]facts{}
		for range rapid.IntRange(2, 12).Draw(t, "values") {
			v := drawFacts(t)
			kind := reflect.TypeOf(v)
			if s, ok := v.(section); ok {
				kind = reflect.TypeOf(s.private)
			}
			if used[kind] == nil {
				used[kind] = another(v)
			}
			b := v.AppendFacts(nil)
			if err := used[kind].Decode(b); err != nil {
				t.Fatal(err)
			}
			if got := used[kind].AppendFacts(nil); !bytes.Equal(got, b) {
				t.Fatalf("decoded over another value: %x, want %x", got, b)
			}
		}
	})
}

// Facts that are cut short, too long, or of another version are refused, with ErrMalformed; none panics.
func TestRefusesDamage(t *testing.T) {
	for _, s := range samples() {
		b := s.value.AppendFacts(nil)
		for n := range b {
			if err := another(s.value).Decode(b[:n:n]); !isMalformed(err) {
				t.Errorf("%s: %d of %d bytes: %v, want ErrMalformed", s.name, n, len(b), err)
			}
		}
		if err := another(s.value).Decode(append(bytes.Clone(b), 0)); !isMalformed(err) {
			t.Errorf("%s: a byte too many: %v, want ErrMalformed", s.name, err)
		}
		for _, version := range []byte{0, 3, 255} {
			other := append([]byte{version}, b[1:]...)
			if err := another(s.value).Decode(other); !isMalformed(err) {
				t.Errorf("%s: version %d: %v, want ErrMalformed", s.name, version, err)
			}
		}
	}
}

// wide is facts made by hand: a version byte, then numbers.
func wide(fields ...any) []byte {
	b := []byte{1}
	for _, f := range fields {
		switch v := f.(type) {
		case uint64:
			b = appendUvarint(b, v)
		case int64:
			b = appendVarint(b, v)
		case byte:
			b = append(b, v)
		case string:
			b = append(appendUvarint(b, uint64(len(v))), v...)
		case []byte:
			b = append(b, v...)
		}
	}
	return b
}

// maxMS is the longest time.Duration in ms.
const maxMS = math.MaxInt64 / uint64(time.Millisecond)

// A number that its field cannot hold is refused: cut down to fit, it would be another fact.
func TestRefusesNumbersOutOfRange(t *testing.T) {
	const u16, u32 = uint64(1 << 16), uint64(1 << 32)
	attempt := func(ord, number, took, code, timing uint64) []byte {
		return wide(uint64(1), ord, uint64(1), uint64(1), uint64(1), number, byte(1), int64(5), took, byte(1), byte(0), code,
			timing, uint64(0), uint64(0), uint64(0), uint64(0), byte(2), byte(0), int64(0), "", "")
	}
	interrupted := func(number, plugin uint64, held byte) []byte {
		return wide(uint64(1), uint64(0), uint64(1), number, byte(1), int64(1), held, int64(1), plugin)
	}
	endpoint := func(concurrency, timeout uint64, tail ...any) []byte {
		return wide(append([]any{uint64(0), uint64(1), "https", concurrency, timeout}, tail...)...)
	}
	scheduled := func(wait, jitter, limit uint64) []byte {
		return endpoint(0, 0, byte(1), uint64(1), wait, jitter, limit)
	}
	profile := func(version, timeout, suppress uint64) []byte {
		h := hash32(0)
		return wide("p", version, h[:], timeout, uint64(0), uint64(0), uint64(0), byte(0), suppress, byte(0), byte(0), uint64(0))
	}
	event := func(flags byte, bodyLen uint64) []byte {
		return wide(flags, "", "", uint64(0), uint64(0), int64(0), int64(0), bodyLen, uint64(0), uint64(0))
	}
	var a, i, e, p, ev = &record.AttemptFinished{}, &record.AttemptInterrupted{}, &record.Endpoint{}, &record.ProfileDefined{}, &record.EventPublished{}
	for _, c := range []struct {
		what string
		into facts
		good []byte
		bad  []byte
	}{
		{"ordinal", a, attempt(u16-1, 1, 1, 200, 1), attempt(u16, 1, 1, 200, 1)},
		{"attempt number", a, attempt(0, u16-1, 1, 200, 1), attempt(0, u16, 1, 200, 1)},
		{"took_ms", a, attempt(0, 1, u32-1, 200, 1), attempt(0, 1, u32, 200, 1)},
		{"status code", a, attempt(0, 1, 1, u16-1, 1), attempt(0, 1, 1, u16+200, 1)},
		{"timing", a, attempt(0, 1, 1, 200, u32-1), attempt(0, 1, 1, 200, u32+1)},
		{"number of the interrupted", i, interrupted(u16-1, 1, 1), interrupted(u16, 1, 1)},
		{"plugin", i, interrupted(1, u32-1, 1), interrupted(1, u32, 1)},
		{"a flag of 2", i, interrupted(1, 1, 1), interrupted(1, 1, 2)},
		{"concurrency", e, endpoint(u16-1, 1, byte(0)), endpoint(u16, 1, byte(0))},
		{"timeout", e, endpoint(1, u32-1, byte(0)), endpoint(1, u32, byte(0))},
		{"wait", e, scheduled(maxMS, 1e6, 0), scheduled(maxMS+1, 1e6, 0)},
		{"jitter", e, scheduled(1, 1e6, 0), scheduled(1, 1e6+1, 0)},
		{"limit", e, scheduled(1, 0, maxMS), scheduled(1, 0, math.MaxUint64)},
		{"profile version", p, profile(u32-1, 1, 1), profile(u32, 1, 1)},
		{"profile timeout", p, profile(1, u32-1, 1), profile(1, u32, 1)},
		{"suppress after", p, profile(1, 1, u32-1), profile(1, 1, u32+15)},
		{"body length", ev, event(0, u32-1), event(0, u32)},
		{"reserved flag", ev, event(1, 0), event(8, 0)},
	} {
		if err := c.into.Decode(c.good); err != nil {
			t.Errorf("%s: the greatest value is refused: %v", c.what, err)
		}
		if err := c.into.Decode(c.bad); !isMalformed(err) {
			t.Errorf("%s: %v, want ErrMalformed", c.what, err)
		}
	}
}

// one record ends at most 1 000 deliveries; a schedule has at most 50 waits. More is refused before it is read.
func TestRefusesTooMany(t *testing.T) {
	ended := func(n int) []byte {
		return (&record.DeliveriesEnded{Endpoint: 1, Reason: record.ReasonDisabled, Deliveries: make([]record.Ref, n)}).AppendFacts(nil)
	}
	waits := func(n int) []byte {
		return (&record.Endpoint{Schedule: &schedule.Schedule{Waits: make([]time.Duration, n)}}).AppendFacts(nil)
	}
	var d record.DeliveriesEnded
	var e record.Endpoint
	if err := errors.Join(d.Decode(ended(record.MaxEnded)), e.Decode(waits(record.MaxWaits))); err != nil {
		t.Errorf("the bounds themselves are refused: %v", err)
	}
	if err := d.Decode(ended(record.MaxEnded + 1)); !isMalformed(err) {
		t.Errorf("1 001 ended deliveries: %v", err)
	}
	if err := e.Decode(waits(record.MaxWaits + 1)); !isMalformed(err) {
		t.Errorf("51 waits: %v", err)
	}
	if record.MaxWaits != schedule.MaxWaits {
		t.Errorf("facts hold %d waits, schedules %d", record.MaxWaits, schedule.MaxWaits)
	}
}

// A count that the bytes cannot hold costs no memory: it is refused before anything is sized by it.
func TestHugeCountsAllocateNothing(t *testing.T) {
	for name, c := range map[string]struct {
		into facts
		b    []byte
	}{
		"matches":  {&record.EventPublished{}, wide(byte(0), "", "", uint64(0), uint64(0), int64(0), int64(0), uint64(0), uint64(1<<40))},
		"ended":    {&record.DeliveriesEnded{}, wide(uint64(1), byte(1), uint64(1<<62))},
		"types":    {&record.Subscription{}, wide(uint64(1), uint64(1), uint64(math.MaxUint64))},
		"headers":  {section{&record.AttemptPrivate{}}, wide("", uint64(1<<50))},
		"string":   {&record.DeliveryCreated{}, wide(uint64(1), uint64(1<<62))},
		"response": {section{&record.AttemptPrivate{}}, wide("", uint64(0), uint64(0), "", byte(0), uint64(1<<40))},
	} {
		var err error
		allocs := testing.AllocsPerRun(10, func() { err = c.into.Decode(c.b) })
		if !isMalformed(err) || allocs > 5 { // the error's own
			t.Errorf("%s: %v, %v allocations", name, err, allocs)
		}
	}
}
