package profile

import "github.com/hookline/hookline/transports"

// header is a header field that every request of the profile has.
type header struct {
	name  string
	value pattern
}

// Signer makes the headers of requests signed with the secrets of one endpoint. It is safe for concurrent use.
type Signer struct {
	headers  []header
	bindings []binding
}

// Signer makes the Signer of a secret and, during an overlap, of the one that it replaces.
func (p *Profile) Signer(secret string, previous ...string) *Signer {
	s := &Signer{headers: p.headers}
	secrets := append([]string{secret}, previous...)
	for _, scheme := range p.schemes {
		s.bindings = append(s.bindings, scheme.bind(secrets))
	}
	return s
}

// Agent appends the user agent, where the profile sends one: what a request without an event has of its headers.
func (p *Profile) Agent(dst []transports.Header) []transports.Header {
	for _, h := range p.headers {
		if value, ok := h.value.plain(&Attempt{}); ok && h.name == "user-agent" {
			dst = append(dst, transports.Header{Name: h.name, Value: value})
		}
	}
	return dst
}

// Append appends the headers of one attempt: those that every request of the profile has (O-8, D-17), then each
// scheme's. One that signs the raw body alone gives every attempt the same value (O-9, O-11); none adds nothing (D-15).
func (s *Signer) Append(dst []transports.Header, a *Attempt) []transports.Header {
	for i := range s.headers {
		h := &s.headers[i]
		value, ok := h.value.plain(a)
		if !ok {
			value = string(h.value.append(nil, a, nil))
		}
		dst = append(dst, transports.Header{Name: h.name, Value: value})
	}
	for _, b := range s.bindings {
		dst = b.append(dst, a)
	}
	return dst
}
