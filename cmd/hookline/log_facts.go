package main

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

// factsOf decodes a record's facts into what JSON shows: names in snake_case, bytes as hex, times as RFC 3339. Facts that
// this build does not know are shown as hex.
func factsOf(r *eventlog.Record) (any, error) {
	if r.Type == record.EpochStarted {
		e, err := eventlog.DecodeEpochFacts(r.Facts)
		return map[string]any{"number": e.Number, "tag": fmt.Sprintf("%08x", e.Tag), "owner": e.Owner}, err
	}
	into := factsType(r.Type)
	if into == nil {
		return hex.EncodeToString(r.Facts), nil
	}
	if len(r.Facts) == 0 {
		return map[string]any{}, nil
	}
	if err := into.Decode(r.Facts); err != nil {
		return nil, err
	}
	return plain(reflect.ValueOf(into).Elem(), ""), nil
}

func factsType(t eventlog.Type) interface{ Decode([]byte) error } {
	switch t {
	case record.TypeProfileDefined:
		return &record.ProfileDefined{}
	case record.TypeKeyCreated:
		return &record.KeyCreated{}
	case record.TypeKeyIssued:
		return &record.KeyIssued{}
	case record.TypeKeyRevoked, record.TypeKeyUsed:
		return &record.KeyChange{}
	case record.TypePortalSessionCreated:
		return &record.PortalSession{}
	case record.TypePortalSessionOpened, record.TypePortalSessionEnded:
		return &record.PortalSessionChange{}
	case record.TypeTenantCreated, record.TypeTenantUpdated, record.TypeTenantDeleted:
		return &record.Tenant{}
	case record.TypeEndpointCreated, record.TypeEndpointUpdated:
		return &record.Endpoint{}
	case record.TypeEndpointDeleted, record.TypeEndpointDisabled, record.TypeEndpointEnabled, record.TypeEndpointSuppressed,
		record.TypeEndpointSuppressionCleared, record.TypeEndpointSecretRotated:
		return &record.EndpointChange{}
	case record.TypeSubscriptionCreated, record.TypeSubscriptionUpdated, record.TypeSubscriptionDeleted:
		return &record.Subscription{}
	case record.TypeEventPublished:
		return &record.EventPublished{}
	case record.TypeDeliveryCreated:
		return &record.DeliveryCreated{}
	case record.TypeDeliverySkipped, record.TypeDeliveryCanceled:
		return &record.DeliveriesEnded{}
	case record.TypeDeliveryReleased:
		return &record.DeliveryReleased{}
	case record.TypeRecoveryStarted:
		return &record.RecoveryStarted{}
	case record.TypeRecoveryAdvanced:
		return &record.RecoveryAdvanced{}
	case record.TypeRecoveryEnded:
		return &record.RecoveryEnded{}
	case record.TypeAttemptFinished, record.TypeEndpointTested:
		return &record.AttemptFinished{}
	case record.TypeAttemptInterrupted:
		return &record.AttemptInterrupted{}
	}
	return nil
}

// plain turns a value into maps, lists, strings and numbers. field is the name it has, which says what some numbers mean.
func plain(v reflect.Value, field string) any {
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case fmt.Stringer:
		return x.String()
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem(), field)
	case reflect.Struct:
		return plainStruct(v)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			b := make([]byte, v.Len())
			reflect.Copy(reflect.ValueOf(b), v)
			return hex.EncodeToString(b)
		}
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plain(v.Index(i), "")
		}
		return out
	case reflect.Int64:
		if n := v.Int(); n != 0 {
			return stamp(n) // the only ones in facts are times
		}
		return nil
	case reflect.Uint8:
		switch field {
		case "Outcome":
			return transports.Outcome(v.Uint()).String()
		case "Kind":
			return record.KindName(uint8(v.Uint()))
		}
	}
	return v.Interface()
}

func plainStruct(v reflect.Value) any {
	out := make(map[string]any, v.NumField())
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.IsExported() && !strings.HasPrefix(f.Name, "Reserved") {
			out[snake(f.Name)] = plain(v.Field(i), f.Name)
		}
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
