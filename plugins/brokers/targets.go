package brokers

import (
	"errors"
	"fmt"
	"strings"
)

// ErrTarget: an endpoint names an address that it may not write to, or none.
var ErrTarget = errors.New("brokers: target refused")

// Targets are the addresses (subjects, topics, streams, ...) that endpoints may name. It is immutable.
type Targets struct {
	scheme string
	allow  []string
}

// NewTargets takes the scheme of targets, e.g. "nats", and the addresses opened: each a whole address, or a beginning
// followed by "*". field names the setting in errors.
func NewTargets(scheme, field string, allow []string) (*Targets, error) {
	if len(allow) == 0 {
		return nil, fmt.Errorf("settings: %s is empty: name the addresses that endpoints may write to, e.g. [\"webhooks.*\"]", field)
	}
	for _, p := range allow {
		if p == "" || strings.Contains(strings.TrimSuffix(p, "*"), "*") {
			return nil, fmt.Errorf("settings: %s: %q must be an address, or the beginning of addresses with one * at its end", field, p)
		}
	}
	return &Targets{scheme: scheme, allow: allow}, nil
}

// Address is the address in a target "scheme:address". The error wraps ErrTarget.
func (t *Targets) Address(target string) (string, error) {
	address, ok := strings.CutPrefix(target, t.scheme+":")
	if !ok || address == "" {
		return "", fmt.Errorf("%w: write %s:ADDRESS", ErrTarget, t.scheme)
	}
	if len(address) > 255 || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", fmt.Errorf("%w: an address has 1 to 255 bytes without spaces and control characters", ErrTarget)
	}
	for _, p := range t.allow {
		if start, any := strings.CutSuffix(p, "*"); address == p || any && strings.HasPrefix(address, start) {
			return address, nil
		}
	}
	return "", fmt.Errorf("%w: %q is not opened by the transport's settings", ErrTarget, address)
}
