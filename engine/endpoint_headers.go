package engine

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/transports"
)

// Bounds of an endpoint's own headers.
const (
	MaxHeaders     = 20
	MaxHeaderName  = 128
	MaxHeaderValue = 4 << 10
)

// reservedHeaders say how a request is framed, where it goes and who sends it, or make net/http and others send it again
// (PITFALLS): they are the transport's.
var reservedHeaders = []string{"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
	"idempotency-key", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding",
	"upgrade", "user-agent", "x-idempotency-key"}

// reservedPrefix is of Standard Webhooks' headers, which may be added beside a profile's own.
const reservedPrefix = "webhook-"

// headers merges the input's headers over those that are there (RFC 7396); names differ whatever their case.
func (c *endpointChange) headers(_ *Engine, in *EndpointInput, p *profile.Profile) error {
	if !in.Headers.Set {
		return nil
	}
	merged := map[string]string{}
	if !in.Headers.Null {
		maps.Copy(merged, c.private.Headers)
	}
	taken := signedHeaders(p)
	for _, name := range slices.Sorted(maps.Keys(in.Headers.Value)) {
		for have := range merged {
			if strings.EqualFold(have, name) && in.Headers.Value[have] == nil {
				delete(merged, have)
			}
		}
		value := in.Headers.Value[name]
		if value == nil {
			continue
		}
		if err := checkHeader(name, *value, taken); err != nil {
			return err
		}
		merged[name] = *value
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		if lower := strings.ToLower(name); seen[lower] {
			return Invalid("headers."+name, "stands twice: case does not matter in a header's name")
		} else {
			seen[lower] = true
		}
	}
	if len(merged) > MaxHeaders {
		return Invalid("headers", "has %d headers, at most %d are taken", len(merged), MaxHeaders)
	}
	c.private.Headers = merged
	return nil
}

func checkHeader(name, value string, taken []string) error {
	at := "headers." + name
	if len(name) > MaxHeaderName {
		at = "headers." + name[:MaxHeaderName] + "..."
	}
	lower := strings.ToLower(name)
	switch {
	case !isToken(name) || len(name) > MaxHeaderName:
		return Invalid(at, "is no header name: 1 to %d of letters, digits and !#$%%&'*+-.^_`|~ (RFC 9110, 5.6.2)", MaxHeaderName)
	case slices.Contains(reservedHeaders, lower) || strings.HasPrefix(lower, reservedPrefix):
		return Invalid(at, "is set by hookline or must not be sent: leave it out")
	case slices.Contains(taken, lower):
		return Invalid(at, "is a header of the profile: leave it out")
	case len(value) > MaxHeaderValue:
		return Invalid(at, "has a value of %d bytes, at most %d are taken", len(value), MaxHeaderValue)
	case value == "" || strings.Trim(value, " ") != value || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return Invalid(at, "must be visible ASCII characters, with blanks between them at most")
	}
	return nil
}

func isToken(s string) bool {
	const special = "!#$%&'*+-.^_`|~"
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(special, c) >= 0) {
			return false
		}
	}
	return s != ""
}

// signedHeaders are the names of those that a profile puts on every request.
func signedHeaders(p *profile.Profile) []string {
	var names []string
	for _, h := range p.Signer(p.NewSecret()).Append(nil, &profile.Attempt{EventID: "id", EventType: "type", At: time.Unix(0, 0)}) {
		names = append(names, strings.ToLower(h.Name))
	}
	return names
}

// ownHeaders are an endpoint's headers as they are sent, by name.
func ownHeaders(given map[string]string) []transports.Header {
	var all []transports.Header
	for _, name := range slices.Sorted(maps.Keys(given)) {
		all = append(all, transports.Header{Name: strings.ToLower(name), Value: given[name]})
	}
	return all
}

// withOwn appends an endpoint's own headers behind those of its profile, which win: the profile may have changed since.
func withOwn(signed, own []transports.Header) []transports.Header {
	n := len(signed)
	for _, h := range own {
		if !slices.ContainsFunc(signed[:n], func(s transports.Header) bool { return s.Name == h.Name }) {
			signed = append(signed, h)
		}
	}
	return signed
}
