package profile

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What hookline itself publishes into the stream of a tenant that wants it (`management_events`): its operational events.
// A profile may give them names of the provider's own, and say how an endpoint stands in their data.
const (
	EndpointCreated    = "endpoint.created" // published only where the profile gives it a name
	EndpointDeleted    = "endpoint.deleted" // ditto
	EndpointDisabled   = "endpoint.disabled"
	EndpointEnabled    = "endpoint.enabled"
	EndpointSuppressed = "endpoint.suppressed"
	EndpointCleared    = "endpoint.suppression_cleared"
	EndpointFailing    = "endpoint.failing" // a warning: see WarnAt
	DeliveryExhausted  = "delivery.exhausted"
	// SubscriptionFailing is told of the first event that a version of a subscription could not be evaluated on.
	SubscriptionFailing = "subscription.failing"
)

func operationalNames() []string {
	return []string{EndpointCreated, EndpointDeleted, EndpointDisabled, EndpointEnabled, EndpointSuppressed, EndpointCleared, EndpointFailing,
		DeliveryExhausted, SubscriptionFailing}
}

// operational is how a profile tells of them.
type operational struct {
	types   map[string]string // by our name
	key     string            // of the endpoint in data; "" = "endpoint"
	members []operationalMember
}

type operationalMember struct{ name, source string }

// OperationalEndpoint is an endpoint as an operational event tells of it. Times are Unix ms, 0 = null.
type OperationalEndpoint struct {
	ID                  string
	Number              uint64
	URL                 string
	Status              string
	DisabledAt          int64
	DisabledReason      string // "" = null
	SuppressedAt        int64
	ConsecutiveFailures uint32
}

// OperationalMember is a further member of an operational event's data.
type OperationalMember struct {
	Name  string
	Value any // that encoding/json takes
}

// OperationalType is the type under which an operational event is published; "" when this profile does not publish it.
func (p *Profile) OperationalType(name string) string {
	if typ, ok := p.operational.types[name]; ok {
		return typ
	}
	if name == EndpointCreated || name == EndpointDeleted {
		return ""
	}
	return name
}

// Operational says whether an event type is one of those that hookline publishes itself.
func (p *Profile) Operational(eventType string) bool {
	for _, name := range operationalNames() {
		if typ := p.OperationalType(name); typ != "" && typ == eventType {
			return true
		}
	}
	return false
}

// OperationalData is the data of an operational event about an endpoint.
func (p *Profile) OperationalData(ep *OperationalEndpoint, more ...OperationalMember) (json.RawMessage, error) {
	key, members := p.operational.key, p.operational.members
	if key == "" {
		key = "endpoint"
	}
	if members == nil {
		for _, name := range endpointSources() {
			members = append(members, operationalMember{name, name})
		}
	}
	out := append(appendString([]byte{'{'}, key), ":{"...)
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendString(out, m.name), ':')
		out = ep.append(out, m.source)
	}
	out = append(out, '}')
	for _, m := range more {
		value, err := json.Marshal(m.Value)
		if err != nil {
			return nil, err
		}
		out = append(appendString(append(out, ','), m.Name), ':')
		out = append(out, value...)
	}
	return append(out, '}'), nil
}

// endpointSources are what a profile may tell of an endpoint; number too.
func endpointSources() []string {
	return []string{"id", "url", "status", "disabled_at", "disabled_reason", "suppressed_at", "consecutive_failures"}
}

func (ep *OperationalEndpoint) append(dst []byte, source string) []byte {
	switch source {
	case "id":
		return appendString(dst, ep.ID)
	case "number":
		return strconv.AppendUint(dst, ep.Number, 10)
	case "url":
		return appendString(dst, ep.URL)
	case "status":
		return appendString(dst, ep.Status)
	case "disabled_at":
		return appendMoment(dst, ep.DisabledAt)
	case "disabled_reason":
		if ep.DisabledReason == "" {
			return append(dst, "null"...)
		}
		return appendString(dst, ep.DisabledReason)
	case "suppressed_at":
		return appendMoment(dst, ep.SuppressedAt)
	}
	return strconv.AppendUint(dst, uint64(ep.ConsecutiveFailures), 10)
}

func appendMoment(dst []byte, unixMS int64) []byte {
	if unixMS == 0 {
		return append(dst, "null"...)
	}
	return time.UnixMilli(unixMS).UTC().AppendFormat(dst, `"2006-01-02T15:04:05.000Z"`)
}

// readOperational reads `operational_events`.
func (p *Profile) readOperational(at place) error {
	o := &p.operational
	return at.mapping(
		may("names", func(at place) error {
			o.types = map[string]string{}
			known := operationalNames()
			return at.pairs(1, len(known), func(name string, value place) error {
				if !slices.Contains(known, name) {
					return value.errorf("is none of hookline's own events%s; they are %s", meant(name, known), strings.Join(known, ", "))
				}
				var typ string
				err := matching(&typ, typePattern, "segments of A-Z, a-z, 0-9, _ and - joined by dots, and :state")(value)
				o.types[name] = typ
				return err
			})
		}),
		may("endpoint", func(at place) error {
			return at.mapping(
				need("key", matching(&o.key, memberPattern, "1 to 64 of A-Z, a-z, 0-9, _ and -")),
				need("members", func(at place) error {
					sources := append(endpointSources(), "number")
					return at.pairs(1, maxFields, func(name string, value place) error {
						m := operationalMember{name: name}
						if !memberPattern.MatchString(name) {
							return value.errorf("is no field name; use 1 to 64 of A-Z, a-z, 0-9, _ and -")
						}
						err := choice(&m.source, sources...)(value)
						o.members = append(o.members, m)
						return err
					})
				}),
			)
		}),
	)
}
