package profile

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hookline/hookline/transports"
)

// Handshake is how a profile asks a receiver for its consent before anything is sent to it (HTTP 1.1 Web Hooks for Event
// Delivery 1.0, section 4): OPTIONS to the target, with the origin and, where given, the rate that is wanted.
type Handshake struct {
	Origin string // who sends: a DNS name of the provider's
	Rate   int    // attempts a minute that are asked for; 0 = the rate is not spoken of
}

const maxHandshakeRate = 600_000

// Handshake is nil where no consent is needed.
func (p *Profile) Handshake() *Handshake { return p.handshake }

func (p *Profile) readHandshake(at place) error {
	h := &Handshake{}
	p.handshake = h
	return at.mapping(
		need("origin", func(at place) error {
			if err := text(&h.Origin, 253)(at); err != nil {
				return err
			}
			for _, label := range strings.Split(h.Origin, ".") {
				if !memberPattern.MatchString(label) || !strings.Contains(h.Origin, ".") {
					return at.errorf("is %.80q; give a DNS name of the sender's, e.g. events.provider.example", h.Origin)
				}
			}
			return nil
		}),
		may("rate", number(&h.Rate, 1, maxHandshakeRate)),
	)
}

// Ask appends the header fields of the question.
func (h *Handshake) Ask(dst []transports.Header) []transports.Header {
	dst = append(dst, transports.Header{Name: "webhook-request-origin", Value: h.Origin})
	if h.Rate > 0 {
		dst = append(dst, transports.Header{Name: "webhook-request-rate", Value: strconv.Itoa(h.Rate)})
	}
	return dst
}

// Consent reads an answer. rate is how many attempts a minute are allowed, at most what was asked for; 0 = any. Without
// consent, why says what is missing.
func (h *Handshake) Consent(res *transports.Result) (granted bool, rate int, why string) {
	if res.Status < 200 || res.Status > 299 {
		if res.Status == 0 {
			return false, 0, "it did not answer: " + res.Error
		}
		return false, 0, fmt.Sprintf("it answered %d; want a 2xx with WebHook-Allowed-Origin", res.Status)
	}
	origin, allowed := answered(res, "webhook-allowed-origin"), answered(res, "webhook-allowed-rate")
	if origin != "*" && !strings.EqualFold(origin, h.Origin) {
		return false, 0, fmt.Sprintf("WebHook-Allowed-Origin is %.80q; want %s or *", origin, h.Origin)
	}
	switch {
	case allowed == "*":
		return true, 0, ""
	case allowed == "":
		return true, h.Rate, ""
	}
	n, err := strconv.ParseUint(allowed, 10, 31)
	if err != nil || n == 0 {
		return false, 0, fmt.Sprintf("WebHook-Allowed-Rate is %.40q; want a positive number of requests a minute, or *", allowed)
	}
	rate = int(min(n, maxHandshakeRate))
	if h.Rate > 0 {
		rate = min(rate, h.Rate)
	}
	return true, rate, ""
}

// answered is a header field of an answer, whose names are lower-case.
func answered(res *transports.Result, name string) string {
	for _, h := range res.Headers {
		if h.Name == name {
			return strings.TrimSpace(h.Value)
		}
	}
	return ""
}
