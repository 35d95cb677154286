package api

import (
	"strconv"
	"unicode/utf8"

	"github.com/hookline/hookline/engine"
)

// appendPublished appends the answer to one publish as JSON. By hand: this is the hot path, and encoding/json would cost
// more than reading the request. unmatched stands in it where the publisher asked to explain.
func appendPublished(dst []byte, p *engine.Published, explain bool) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendString(dst, p.ID)
	dst = append(dst, `,"uid":`...)
	dst = appendString(dst, p.UID)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendUint(dst, p.Seq, 10)
	dst = append(dst, `,"duplicate":`...)
	dst = strconv.AppendBool(dst, p.Duplicate)
	dst = append(dst, `,"matched":[`...)
	for i := range p.Matched {
		m := &p.Matched[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"endpoint_id":`...)
		dst = appendString(dst, m.EndpointID)
		dst = append(dst, `,"delivery_id":`...)
		dst = appendString(dst, m.DeliveryID)
		dst = append(dst, `,"subscription_id":`...)
		dst = appendString(dst, m.SubscriptionID)
		dst = append(dst, `,"subscription_ids":[`...)
		for j, id := range m.SubscriptionIDs {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, id)
		}
		dst = append(dst, "]}"...)
	}
	dst = append(dst, ']')
	if !explain {
		return append(dst, '}')
	}
	dst = append(dst, `,"unmatched":[`...)
	for i, u := range p.Unmatched {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"subscription_id":`...)
		dst = appendString(dst, u.SubscriptionID)
		dst = append(dst, `,"endpoint_id":`...)
		dst = appendString(dst, u.EndpointID)
		dst = append(dst, `,"reason":`...)
		dst = appendString(dst, u.Reason)
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}

// appendString appends s as a JSON string (RFC 8259 section 7).
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[from:i]...), "\uFFFD"...)
				from = i + 1
			}
			i += n
			continue
		}
		dst = append(dst, s[from:i]...)
		if c < 0x20 {
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, '\\', c)
		}
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}
