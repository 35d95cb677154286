package record_test

import (
	"reflect"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/eventlog"
)

// facts is what every facts struct of this package is.
type facts interface {
	AppendFacts(dst []byte) []byte
	Decode(b []byte) error
}

// private is a binary sealed section.
type private interface {
	Append(dst []byte) []byte
	Decode(b []byte) error
}

// section lets the tests treat a private section as facts.
type section struct{ private }

func (s section) AppendFacts(dst []byte) []byte { return s.Append(dst) }

// another is an empty value of the same kind.
func another(v facts) facts {
	if s, ok := v.(section); ok {
		return section{reflect.New(reflect.TypeOf(s.private).Elem()).Interface().(private)}
	}
	return reflect.New(reflect.TypeOf(v).Elem()).Interface().(facts)
}

// sample is a value whose bytes are kept for ever.
type sample struct {
	name  string // the record's, and what is special about this one
	types []eventlog.Type
	value facts
}

func hash16(first byte) (h [16]byte) {
	for i := range h {
		h[i] = first + byte(i)
	}
	return h
}

func hash32(first byte) (h [32]byte) {
	for i := range h {
		h[i] = first + byte(i)
	}
	return h
}

func types(t ...eventlog.Type) []eventlog.Type { return t }

// samples has every facts struct with every field set, each to another value, and the empty forms that differ in shape.
func samples() []sample {
	sched := schedule.Schedule{Waits: []time.Duration{12 * time.Second, 24 * time.Second}, Jitter: 0.1, Limit: 2 * time.Hour}
	return append(pathSamples(), []sample{
		{"profile.defined", types(record.TypeProfileDefined), &record.ProfileDefined{Name: "dnsimple", Version: 3, Hash: hash32(1),
			TimeoutMS: 30_000, Schedule: sched, DisableOnFail: true, SuppressAfter: 15, HTTPSOnly: true, GoneDisables: true, ReservedPolicy: 9}},
		{"profile.defined", nil, &record.ProfileDefined{Name: "own", Version: 1, Hash: hash32(1), TimeoutMS: 30_000, Schedule: sched,
			RetryAfterCapMS: 86_400_000, WarnAt: []uint8{50, 70, 90}}},
		{"profile.defined one attempt", nil, &record.ProfileDefined{Name: "p", Version: 1}},
		{"key.created", types(record.TypeKeyCreated), &record.KeyCreated{Hash: hash32(0xa0)}},
		{"key.issued", types(record.TypeKeyIssued), &record.KeyIssued{Hash: hash32(0xb0), Scope: record.ScopeTenant, Prefix: "hk_0123abcd", ExpiresAt: 1_640_000_000_000}},
		{"key change", types(record.TypeKeyRevoked, record.TypeKeyUsed), &record.KeyChange{Key: 320, At: 1_640_000_000_001}},
		{"portal_session.created", types(record.TypePortalSessionCreated), &record.PortalSession{LinkHash: hash32(0xc0), LinkExpiresAt: 1_640_000_300_000, LastsMS: 3_600_000}},
		{"portal session change", types(record.TypePortalSessionOpened, record.TypePortalSessionEnded),
			&record.PortalSessionChange{Session: 330, TokenHash: hash32(0xd0), ExpiresAt: 1_640_003_600_000}},
		{"tenant", types(record.TypeTenantCreated, record.TypeTenantUpdated), &record.Tenant{Profile: 2, ManagementEvents: true}},
		{"endpoint own schedule", types(record.TypeEndpointCreated, record.TypeEndpointUpdated), &record.Endpoint{Endpoint: 300, Number: 7,
			Transport: "https", Concurrency: 256, TimeoutMS: 60_000, Schedule: &sched}},
		{"endpoint rate limit", nil, &record.Endpoint{Endpoint: 300, Number: 7, Transport: "https", Schedule: &sched, RateLimit: 10_000}},
		{"endpoint defaults", nil, &record.Endpoint{Number: 1, Transport: "https"}},
		{"endpoint change", types(record.TypeEndpointDeleted, record.TypeEndpointDisabled, record.TypeEndpointEnabled,
			record.TypeEndpointSuppressed, record.TypeEndpointSuppressionCleared, record.TypeEndpointSecretRotated),
			&record.EndpointChange{Endpoint: 300, Reason: record.ReasonExhausted, Delivery: record.Ref{Seq: 70_000, Ord: 999}}},
		{"endpoint.handshake_finished", types(record.TypeEndpointHandshakeFinished), &record.EndpointHandshake{Endpoint: 300, Granted: true, Rate: 120,
			StatusCode: 200, Kind: record.KindNumber("status")}},
		{"endpoint change overlap", nil, &record.EndpointChange{Endpoint: 300, Reason: record.ReasonByUser, Until: 1_640_086_400_000}},
		{"subscription", types(record.TypeSubscriptionCreated, record.TypeSubscriptionUpdated, record.TypeSubscriptionDeleted),
			&record.Subscription{Subscription: 301, Endpoint: 300, EventTypes: []string{"domain.*", "domain.register:started"}}},
		{"subscription shadow", nil, &record.Subscription{Subscription: 301, Endpoint: 300, EventTypes: []string{"domain.*"}, Shadow: true, Restores: 305}},
		{"subscription ids only", nil, &record.Subscription{Subscription: 301, Endpoint: 300}},
		{"section event", nil, section{&record.EventPrivate{Actor: []byte(`{"id":"1"}`), Metadata: []byte(`{"a":1}`), OrderKey: "zone/example.com",
			Failed: []string{"line 1: no number", ""}}}},
		{"section attempt", nil, section{&record.AttemptPrivate{URL: "https://example.com/h", RequestHeaders: []record.Header{
			{Name: "content-type", Value: "application/json"}, {Name: "x-osir-signature", Value: "c9cb"}},
			ResponseHeaders: []record.Header{{Name: "server", Value: ""}}, Error: "cut", ResponseBody: []byte("no\n"), Truncated: true}}},
	}...)
}

// pathSamples are the records of the way that an event takes.
func pathSamples() []sample {
	return []sample{
		{"event.published", types(record.TypeEventPublished), &record.EventPublished{ID: "evt_1", Type: "domain.registered", Profile: 2,
			RouteVersion: 302, OccurredAt: 1_640_000_000_123, NotBefore: 1_640_000_060_000, BodyLen: 171, Payload: true, HasDedupe: true,
			Dedupe: hash16(0x10), Fingerprint: hash16(0x20), OrderKey: hash16(0x30), HasOrderKey: true,
			Matches: []record.Match{{Endpoint: 300, MaxAttempts: 5, Subscriptions: []eventlog.Seq{301, 305}},
				{Endpoint: 310, MaxAttempts: 51, Subscriptions: []eventlog.Seq{311}}},
			Failed: []eventlog.Seq{312}}},
		{"event.published unmatched", nil, &record.EventPublished{ID: "evt_2", Type: "a", Profile: 2, OccurredAt: -1, BodyLen: 2}},
		{"delivery.created", types(record.TypeDeliveryCreated), &record.DeliveryCreated{Event: 400, EventID: "evt_1", EventType: "domain.registered",
			Endpoint: 300, ResendOf: record.Ref{Seq: 400, Ord: 1}, MaxAttempts: 5}},
		{"delivery.created by a recovery", nil, &record.DeliveryCreated{Event: 400, EventID: "evt_1", EventType: "domain.registered",
			Endpoint: 300, ResendOf: record.Ref{Seq: 400, Ord: 1}, MaxAttempts: 5, Recovery: 500}},
		{"recovery.started", types(record.TypeRecoveryStarted), &record.RecoveryStarted{Endpoint: 300, Upto: 499, Matched: 100_000,
			Statuses: []record.Status{record.Exhausted, record.Skipped}, EventTypes: []string{"domain.*", "a"}, Since: 1_640_000_000_000,
			Until: 1_640_000_060_000, Rate: 25}},
		{"recovery.started of everything", nil, &record.RecoveryStarted{Endpoint: 300, Upto: 499, Statuses: []record.Status{record.Skipped}}},
		{"recovery.advanced", types(record.TypeRecoveryAdvanced), &record.RecoveryAdvanced{Recovery: 500, Cursor: record.Ref{Seq: 400, Ord: 1},
			CursorMS: 1_640_000_000_123, Created: 1_500, NextAt: 1_640_000_070_000}},
		{"recovery.ended", types(record.TypeRecoveryEnded), &record.RecoveryEnded{Recovery: 500, State: record.RecoveryStopped,
			Reason: record.ReasonSuppressed}},
		{"deliveries ended", types(record.TypeDeliverySkipped, record.TypeDeliveryCanceled), &record.DeliveriesEnded{Endpoint: 300,
			Reason: record.ReasonSuppressed, Deliveries: []record.Ref{{Seq: 400}, {Seq: 401, Ord: 65535}}}},
		{"delivery.released", types(record.TypeDeliveryReleased), &record.DeliveryReleased{Delivery: record.Ref{Seq: 400, Ord: 1}, Endpoint: 300}},
		{"attempt.finished", types(record.TypeAttemptFinished, record.TypeEndpointTested), &record.AttemptFinished{
			Delivery: record.Ref{Seq: 400, Ord: 1}, Event: 400, Endpoint: 300, Profile: 2, Number: 2, Trigger: record.TriggerResend,
			StartedAt: 1_640_000_000_200, TookMS: 30_001, Outcome: 4, Kind: record.KindNumber("timeout_response"), StatusCode: 503,
			Timings: [5]uint32{1, 200, 3_000, 40_000, 500_000}, Status: record.Pending, Reason: record.ReasonNone,
			NextDue: 1_640_001_830_201, EventID: "evt_1", EventType: "domain.registered"}},
		{"body.removed", types(record.TypeBodyRemoved), &record.BodyRemoved{Rule: record.BodyRule{Tenant: "acme", EventType: "domain.*",
			AgeMS: 2_592_000_000, Size: 1 << 30}, After: 400, Upto: 9_000, Kept: []eventlog.Seq{410, 8_999}, Also: []eventlog.Seq{12}}},
		{"body.removed of everything", nil, &record.BodyRemoved{Rule: record.BodyRule{AgeMS: 1}, Upto: 10}},
		{"attempt.interrupted", types(record.TypeAttemptInterrupted), &record.AttemptInterrupted{Delivery: record.Ref{Seq: 400, Ord: 1}, Endpoint: 300,
			Number: 1, Interruptions: 10, Due: 1_640_021_600_000, Held: true, FirstStarted: 1_640_000_000_200, Plugin: 0xdeadbeef}},
	}
}
