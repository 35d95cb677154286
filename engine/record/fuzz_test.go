package record_test

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/hookline/hookline/engine/record"
)

func appendUvarint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }
func appendVarint(b []byte, v int64) []byte   { return binary.AppendVarint(b, v) }

// fuzz feeds a decoder: it never panics; what it takes, it gives back as bytes that mean the same.
func fuzz(f *testing.F, empty facts) {
	kind := reflect.TypeOf(empty)
	if s, ok := empty.(section); ok {
		kind = reflect.TypeOf(s.private)
	}
	for _, s := range samples() {
		k := reflect.TypeOf(s.value)
		if sec, ok := s.value.(section); ok {
			k = reflect.TypeOf(sec.private)
		}
		if k == kind {
			f.Add(s.value.AppendFacts(nil))
		}
	}
	f.Add([]byte{})
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		v := another(empty)
		if err := v.Decode(b); err != nil {
			if !isMalformed(err) {
				t.Fatalf("%v does not wrap ErrMalformed", err)
			}
			return
		}
		encoded := v.AppendFacts(nil)
		back := another(empty)
		if err := back.Decode(encoded); err != nil {
			t.Fatalf("its own encoding %x: %v", encoded, err)
		}
		if again := back.AppendFacts(nil); !bytes.Equal(again, encoded) {
			t.Fatalf("encoded %x, then %x", encoded, again)
		}
		if !reflect.DeepEqual(v, back) {
			t.Fatalf("%+v became %+v", v, back)
		}
		if len(encoded) > len(b) {
			t.Fatalf("%d bytes grew to %d: the encoding is not the shortest", len(b), len(encoded))
		}
	})
}

func FuzzEventPublished(f *testing.F)     { fuzz(f, &record.EventPublished{}) }
func FuzzDeliveryCreated(f *testing.F)    { fuzz(f, &record.DeliveryCreated{}) }
func FuzzDeliveriesEnded(f *testing.F)    { fuzz(f, &record.DeliveriesEnded{}) }
func FuzzDeliveryReleased(f *testing.F)   { fuzz(f, &record.DeliveryReleased{}) }
func FuzzAttemptFinished(f *testing.F)    { fuzz(f, &record.AttemptFinished{}) }
func FuzzAttemptInterrupted(f *testing.F) { fuzz(f, &record.AttemptInterrupted{}) }
func FuzzProfileDefined(f *testing.F)     { fuzz(f, &record.ProfileDefined{}) }
func FuzzKeyCreated(f *testing.F)         { fuzz(f, &record.KeyCreated{}) }
func FuzzTenant(f *testing.F)             { fuzz(f, &record.Tenant{}) }
func FuzzEndpoint(f *testing.F)           { fuzz(f, &record.Endpoint{}) }
func FuzzEndpointChange(f *testing.F)     { fuzz(f, &record.EndpointChange{}) }
func FuzzSubscription(f *testing.F)       { fuzz(f, &record.Subscription{}) }
func FuzzEventPrivate(f *testing.F)       { fuzz(f, section{&record.EventPrivate{}}) }
func FuzzAttemptPrivate(f *testing.F)     { fuzz(f, section{&record.AttemptPrivate{}}) }

// FuzzParseID: what parses is exactly what Format renders, so an object has one id.
func FuzzParseID(f *testing.F) {
	f.Add(record.PrefixDelivery, record.ID{Seq: 7, Ord: 1, Tag: 0xffffffff}.Format(record.PrefixDelivery))
	f.Add(record.PrefixEndpoint, "ep_")
	f.Add("", "zzzzzzzzzzzzzzzzzzzzzzzzzz")
	f.Fuzz(func(t *testing.T, prefix, s string) {
		id, err := record.ParseID(prefix, s)
		if err == nil && id.Format(prefix) != s {
			t.Fatalf("%q is read as %+v, which is %q", s, id, id.Format(prefix))
		}
	})
}
func FuzzKeyIssued(f *testing.F)     { fuzz(f, &record.KeyIssued{}) }
func FuzzKeyChange(f *testing.F)     { fuzz(f, &record.KeyChange{}) }
func FuzzPortalSession(f *testing.F) { fuzz(f, &record.PortalSession{}) }
func FuzzPortalSessionChange(f *testing.F) {
	fuzz(f, &record.PortalSessionChange{})
}
