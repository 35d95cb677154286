package history

import (
	"encoding/binary"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Other views of the same store keep away from these letters.
const firstLetter, lastLetter = 'a', 'z'

const (
	keyEventID        = 'i'
	keyDelivery       = 'd'
	keyCreatedByEvent = 'v'
	keyEndpoint       = 'p'
	keyTime           = 't'
	keyChange         = 'm'
	keyTenantChange   = 'n'
	keySubscription   = 's'
)

// scopes are the letters of a list's keys by endpoint and by tenant.
type scopes struct{ endpoint, tenant byte }

func allRows() scopes           { return scopes{'c', 'e'} }
func failedAttempts() scopes    { return scopes{'f', 'g'} }
func endedDeliveries() scopes   { return scopes{'x', 'y'} }
func waitingDeliveries() scopes { return scopes{'w', 'u'} }

const (
	refLen       = 10
	endpointLen  = 9 // letter and endpoint
	deliveryLen  = endpointLen + refLen
	maxKeyTenant = 255
)

func appendSeq(dst []byte, seq eventlog.Seq) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(seq))
}

// appendTenant writes the letter and the tenant. The log bounds tenants to 64 bytes.
func appendTenant(dst []byte, letter byte, tenant string) []byte {
	n := min(len(tenant), maxKeyTenant)
	return append(append(dst, letter, byte(n)), tenant[:n]...)
}

func appendTenantSeq(dst []byte, letter byte, tenant string, seq eventlog.Seq) []byte {
	return appendSeq(appendTenant(dst, letter, tenant), seq)
}

func appendTenantRef(dst []byte, letter byte, tenant string, ref record.Ref) []byte {
	return record.AppendRef(appendTenant(dst, letter, tenant), ref)
}

func appendEventID(dst []byte, tenant, id string) []byte {
	dst = appendTenant(dst, keyEventID, tenant)
	return append(binary.AppendUvarint(dst, uint64(len(id))), id...)
}

func appendEndpointSeq(dst []byte, letter byte, endpoint, seq eventlog.Seq) []byte {
	return appendSeq(appendSeq(append(dst, letter), endpoint), seq)
}

func appendEndpointRef(dst []byte, letter byte, endpoint eventlog.Seq, ref record.Ref) []byte {
	return record.AppendRef(appendSeq(append(dst, letter), endpoint), ref)
}

func appendDelivery(dst []byte, endpoint eventlog.Seq, ref record.Ref, version eventlog.Seq) []byte {
	return appendSeq(appendEndpointRef(dst, keyDelivery, endpoint, ref), version)
}

func appendTime(dst []byte, ms int64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, keyTime), uint64(max(ms, 0)))
}

// lastSeq is the seq that a key ends in.
func lastSeq(key []byte) eventlog.Seq {
	if len(key) < 8 {
		return 0
	}
	return eventlog.Seq(binary.BigEndian.Uint64(key[len(key)-8:]))
}

// refAt reads a ref from the first 10 bytes.
func refAt(b []byte) record.Ref {
	return record.Ref{Seq: eventlog.Seq(binary.BigEndian.Uint64(b)), Ord: binary.BigEndian.Uint16(b[8:])}
}

// The order of refs is that of their keys.

func before(a, b record.Ref) bool {
	return a.Seq < b.Seq || a.Seq == b.Seq && a.Ord < b.Ord
}

// next and prev are the neighbours of a ref; they stay at the ends.
func next(r record.Ref) record.Ref {
	switch {
	case r.Ord < maxOrd:
		r.Ord++
	case r.Seq < maxSeq:
		r.Seq, r.Ord = r.Seq+1, 0
	}
	return r
}

func prev(r record.Ref) record.Ref {
	switch {
	case r.Ord > 0:
		r.Ord--
	case r.Seq > 0:
		r.Seq, r.Ord = r.Seq-1, maxOrd
	}
	return r
}

const (
	maxSeq = ^eventlog.Seq(0)
	maxOrd = ^uint16(0)
)
