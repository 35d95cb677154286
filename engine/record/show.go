package record

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/hookline/hookline/eventlog"
)

// IDs renders the id of what a ref names.
type IDs func(prefix string, r Ref) string

// Show decodes a record's facts into what JSON shows: names in snake_case, bytes as hex, times as RFC 3339. With ids the
// things that facts refer to are shown by their ids, as the API has them, and hashes are left out; without, by seq. Facts
// that this build does not know are shown as hex.
func Show(r *eventlog.Record, ids IDs) (any, error) {
	if r.Type == EpochStarted {
		e, err := eventlog.DecodeEpochFacts(r.Facts)
		return map[string]any{"number": e.Number, "tag": fmt.Sprintf("%08x", e.Tag), "owner": e.Owner}, err
	}
	into := factsOf(r.Type)
	if into == nil {
		return hex.EncodeToString(r.Facts), nil
	}
	if len(r.Facts) == 0 {
		return map[string]any{}, nil
	}
	if err := into.Decode(r.Facts); err != nil {
		return nil, err
	}
	return shower{ids}.value(reflect.ValueOf(into).Elem(), ""), nil
}

// factsOf is an empty value of a type's facts; nil for a type that this build does not know.
func factsOf(t eventlog.Type) interface{ Decode([]byte) error } {
	switch t {
	case TypeProfileDefined:
		return &ProfileDefined{}
	case TypeKeyCreated:
		return &KeyCreated{}
	case TypeKeyIssued:
		return &KeyIssued{}
	case TypeKeyRevoked, TypeKeyUsed:
		return &KeyChange{}
	case TypePortalSessionCreated:
		return &PortalSession{}
	case TypePortalSessionOpened, TypePortalSessionEnded:
		return &PortalSessionChange{}
	case TypeTenantCreated, TypeTenantUpdated, TypeTenantDeleted, TypeTenantErased:
		return &Tenant{}
	case TypeEndpointCreated, TypeEndpointUpdated:
		return &Endpoint{}
	case TypeEndpointDeleted, TypeEndpointDisabled, TypeEndpointEnabled, TypeEndpointSuppressed,
		TypeEndpointSuppressionCleared, TypeEndpointSecretRotated:
		return &EndpointChange{}
	case TypeSubscriptionCreated, TypeSubscriptionUpdated, TypeSubscriptionDeleted:
		return &Subscription{}
	case TypeEventPublished:
		return &EventPublished{}
	case TypeDeliveryCreated:
		return &DeliveryCreated{}
	case TypeDeliverySkipped, TypeDeliveryCanceled:
		return &DeliveriesEnded{}
	case TypeDeliveryReleased:
		return &DeliveryReleased{}
	case TypeRecoveryStarted:
		return &RecoveryStarted{}
	case TypeRecoveryAdvanced:
		return &RecoveryAdvanced{}
	case TypeRecoveryEnded:
		return &RecoveryEnded{}
	case TypeEndpointHandshakeFinished:
		return &EndpointHandshake{}
	case TypeAttemptFinished, TypeEndpointTested:
		return &AttemptFinished{}
	case TypeBodyRemoved:
		return &BodyRemoved{}
	case TypeAttemptInterrupted:
		return &AttemptInterrupted{}
	}
	return nil
}

type shower struct{ ids IDs }

// refers are the fields that name something else, by the prefix of its id.
var refers = map[string]struct{ prefix, as string }{
	"Delivery": {PrefixDelivery, "delivery_id"}, "Deliveries": {PrefixDelivery, "delivery_ids"}, "ResendOf": {PrefixDelivery, "resend_of"},
	"Cursor": {PrefixDelivery, "cursor"}, "Event": {PrefixEvent, "event_uid"}, "Endpoint": {PrefixEndpoint, "endpoint_id"},
	"Subscription": {PrefixSubscription, "subscription_id"}, "Subscriptions": {PrefixSubscription, "subscription_ids"},
	"Failed": {PrefixSubscription, "failed_subscription_ids"}, "Key": {PrefixKey, "key_id"}, "Session": {PrefixSession, "session_id"},
	"Recovery": {PrefixRecovery, "recovery_id"},
}

// value turns a value into maps, lists, strings and numbers. field is the name it has, which says what some numbers mean.
func (s shower) value(v reflect.Value, field string) any {
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case fmt.Stringer:
		return x.String()
	case eventlog.Seq:
		if to, ok := refers[field]; ok && s.ids != nil {
			return s.id(to.prefix, Ref{Seq: x})
		}
	case Ref:
		if to, ok := refers[field]; ok && s.ids != nil {
			return s.id(to.prefix, x)
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return s.value(v.Elem(), field)
	case reflect.Struct:
		return s.fields(v)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem() == reflect.TypeFor[byte]() && field != "WarnAt" { // not a list of small numbers with names
			b := make([]byte, v.Len())
			reflect.Copy(reflect.ValueOf(b), v)
			return hex.EncodeToString(b)
		}
		out := make([]any, v.Len())
		for i := range out {
			out[i] = s.value(v.Index(i), field)
		}
		return out
	case reflect.Int64:
		if n := v.Int(); n != 0 {
			return time.UnixMilli(n).UTC().Format("2006-01-02T15:04:05.000Z") // the only ones in facts are times
		}
		return nil
	case reflect.Uint8:
		switch field {
		case "Outcome":
			return nameOf(outcomeNames[:], uint8(v.Uint()))
		case "Kind":
			return KindName(uint8(v.Uint()))
		}
	}
	return v.Interface()
}

// outcomeNames number transports.Outcome, for ever.
var outcomeNames = [...]string{"", "acknowledged", "rejected", "unreachable", "timed_out", "gone"}

func (s shower) id(prefix string, r Ref) any {
	if r == (Ref{}) {
		return nil
	}
	return s.ids(prefix, r)
}

func (s shower) fields(v reflect.Value) any {
	out := make(map[string]any, v.NumField())
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || strings.HasPrefix(f.Name, "Reserved") {
			continue
		}
		name := snake(f.Name)
		if s.ids != nil {
			if f.Type.Kind() == reflect.Array && f.Type.Elem() == reflect.TypeFor[byte]() {
				continue // a hash: of no use without what it was made of
			}
			if to, ok := refers[f.Name]; ok {
				name = to.as
			}
		}
		out[name] = s.value(v.Field(i), f.Name)
	}
	return out
}

// snake is a Go name in snake_case: EventID -> event_id.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
