// Package record defines every fact that the engine appends to the log: its type, its plain facts and what is sealed.
//
// A record's facts are plain for ever: ids, event types, counts, times, outcomes and hashes. What a publisher, customer,
// receiver or operator wrote (bodies, URLs, names, secrets, filters, error texts, who did it) is in sealed sections,
// whose plaintext layout is defined in sections.go. Type numbers and field orders never change; a changed layout gets a
// new version byte, and the golden bytes of every version are kept.
//
// Values decoded here alias the facts they were decoded from.
package record

import (
	"maps"
	"slices"

	"github.com/hookline/hookline/eventlog"
)

// Type is a kind of record. The numbers are for ever.
const (
	EpochStarted = eventlog.TypeEpochStarted

	TypeProfileDefined eventlog.Type = 2
	TypeKeyCreated     eventlog.Type = 3 // the configured admin key
	TypeKeyIssued      eventlog.Type = 4
	TypeKeyRevoked     eventlog.Type = 5
	TypeKeyUsed        eventlog.Type = 6

	TypePortalSessionCreated eventlog.Type = 7
	TypePortalSessionOpened  eventlog.Type = 8
	TypePortalSessionEnded   eventlog.Type = 9

	TypeTenantCreated eventlog.Type = 10
	TypeTenantUpdated eventlog.Type = 11
	TypeTenantDeleted eventlog.Type = 12
	TypeTenantErased  eventlog.Type = 13

	TypeEndpointCreated            eventlog.Type = 20
	TypeEndpointUpdated            eventlog.Type = 21
	TypeEndpointDeleted            eventlog.Type = 22
	TypeEndpointDisabled           eventlog.Type = 23
	TypeEndpointEnabled            eventlog.Type = 24
	TypeEndpointSuppressed         eventlog.Type = 25
	TypeEndpointSuppressionCleared eventlog.Type = 26
	TypeEndpointSecretRotated      eventlog.Type = 27
	TypeEndpointTested             eventlog.Type = 28
	TypeEndpointHandshakeFinished  eventlog.Type = 29

	TypeSubscriptionCreated eventlog.Type = 30
	TypeSubscriptionUpdated eventlog.Type = 31
	TypeSubscriptionDeleted eventlog.Type = 32

	TypeEventPublished eventlog.Type = 40

	TypeDeliveryCreated  eventlog.Type = 50
	TypeDeliverySkipped  eventlog.Type = 51
	TypeDeliveryCanceled eventlog.Type = 52
	TypeDeliveryReleased eventlog.Type = 53
	TypeRecoveryStarted  eventlog.Type = 54
	TypeRecoveryAdvanced eventlog.Type = 55
	TypeRecoveryEnded    eventlog.Type = 56

	TypeAttemptFinished    eventlog.Type = 60
	TypeAttemptInterrupted eventlog.Type = 61

	TypeBodyRemoved eventlog.Type = 70
)

var names = map[eventlog.Type]string{
	EpochStarted:                   "epoch.started",
	TypeProfileDefined:             "profile.defined",
	TypeKeyCreated:                 "key.created",
	TypeKeyIssued:                  "key.issued",
	TypeKeyRevoked:                 "key.revoked",
	TypeKeyUsed:                    "key.used",
	TypePortalSessionCreated:       "portal_session.created",
	TypePortalSessionOpened:        "portal_session.opened",
	TypePortalSessionEnded:         "portal_session.ended",
	TypeTenantCreated:              "tenant.created",
	TypeTenantUpdated:              "tenant.updated",
	TypeTenantDeleted:              "tenant.deleted",
	TypeTenantErased:               "tenant.erased",
	TypeEndpointCreated:            "endpoint.created",
	TypeEndpointUpdated:            "endpoint.updated",
	TypeEndpointDeleted:            "endpoint.deleted",
	TypeEndpointDisabled:           "endpoint.disabled",
	TypeEndpointEnabled:            "endpoint.enabled",
	TypeEndpointSuppressed:         "endpoint.suppressed",
	TypeEndpointSuppressionCleared: "endpoint.suppression_cleared",
	TypeEndpointSecretRotated:      "endpoint.secret_rotated",
	TypeEndpointTested:             "endpoint.tested",
	TypeEndpointHandshakeFinished:  "endpoint.handshake_finished",
	TypeSubscriptionCreated:        "subscription.created",
	TypeSubscriptionUpdated:        "subscription.updated",
	TypeSubscriptionDeleted:        "subscription.deleted",
	TypeEventPublished:             "event.published",
	TypeDeliveryCreated:            "delivery.created",
	TypeDeliverySkipped:            "delivery.skipped",
	TypeDeliveryCanceled:           "delivery.canceled",
	TypeDeliveryReleased:           "delivery.released",
	TypeRecoveryStarted:            "recovery.started",
	TypeRecoveryAdvanced:           "recovery.advanced",
	TypeRecoveryEnded:              "recovery.ended",
	TypeAttemptFinished:            "attempt.finished",
	TypeAttemptInterrupted:         "attempt.interrupted",
	TypeBodyRemoved:                "body.removed",
}

// Name returns a type's name, `noun.past_tense`, or "" when this build does not know it.
func Name(t eventlog.Type) string { return names[t] }

// Names are the names of all types, in order of their numbers.
func Names() []string {
	var out []string
	for _, t := range slices.Sorted(maps.Keys(names)) {
		out = append(out, names[t])
	}
	return out
}

// Status is a delivery's. Pending is the only one that is not final.
type Status uint8

const (
	Pending   Status = iota + 1 // has a due time
	Succeeded                   // a receiver acknowledged it
	Exhausted                   // its schedule is used up
	Skipped                     // its endpoint was blocked when it fell due
	Canceled                    // its endpoint or tenant was deleted, or a person canceled it
)

var statusNames = [...]string{"", "pending", "succeeded", "exhausted", "skipped", "canceled"}

func (s Status) String() string { return nameOf(statusNames[:], uint8(s)) }

// ParseStatus is the inverse of String; 0 for an unknown name.
func ParseStatus(s string) Status { return Status(indexOf(statusNames[:], s)) }

// Reason says why a delivery ended as it did, why it is held, or why a gate closed.
type Reason uint8

const (
	ReasonNone Reason = iota
	ReasonDisabled
	ReasonSuppressed
	ReasonEndpointDeleted
	ReasonTenantDeleted
	ReasonCanceledByUser
	ReasonScheduleUsedUp
	ReasonTimeLimit
	ReasonPluginFault
	ReasonByUser    // of disabled_at: a person disabled the endpoint
	ReasonExhausted // of disabled_at: a delivery used up its schedule
	ReasonGone      // of disabled_at: the receiver answered 410, where the profile gives it that meaning
	ReasonHandshake // of disabled_at: the receiver's consent is needed and not there yet
	ReasonRefused   // of disabled_at: the receiver was asked for its consent and did not give it
)

var reasonNames = [...]string{"", "disabled", "suppressed", "endpoint_deleted", "tenant_deleted", "canceled_by_user",
	"schedule_used_up", "time_limit", "plugin_fault", "by_user", "delivery_exhausted", "gone",
	"handshake", "handshake_refused"}

func (r Reason) String() string { return nameOf(reasonNames[:], uint8(r)) }

// Trigger says why an attempt was made.
type Trigger uint8

const (
	TriggerSchedule Trigger = iota + 1
	TriggerResend
	TriggerTest
)

var triggerNames = [...]string{"", "schedule", "resend", "test"}

func (t Trigger) String() string { return nameOf(triggerNames[:], uint8(t)) }

// kindNames number transports.ErrorKind for facts. Append only.
var kindNames = [...]string{"", "dns", "refused_address", "connect_refused", "connection_reset", "tls_untrusted", "tls_name",
	"tls_other", "timeout_connect", "timeout_response", "status", "redirect", "protocol", "auth_token"}

// KindNumber numbers an error kind; 0 when it is none or unknown.
func KindNumber(kind string) uint8 { return uint8(indexOf(kindNames[:], kind)) }

// KindName is the inverse of KindNumber.
func KindName(n uint8) string { return nameOf(kindNames[:], n) }

func nameOf(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return "unknown"
}

func indexOf(names []string, s string) int {
	for i, n := range names {
		if n == s {
			return i
		}
	}
	return 0
}
