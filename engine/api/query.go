package api

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/api/nearest"
)

// parameter is one query parameter of an operation.
type parameter struct {
	name, doc string
	enum      []string // its only values; nil = any
	number    bool     // a whole number of 1 or more
	initial   int      // of a number: the value when it is left out
	max       int      // of a number; 0 = no bound
}

// values are the query parameters of one request, each of them known and given once.
type values map[string]string

func parseQuery(raw string, op *operation) (values, error) {
	if raw == "" || op.any {
		return nil, nil
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, engine.Malformed("query", "the query cannot be read: %s", strings.TrimPrefix(err.Error(), "net/url: "))
	}
	var faults []engine.FieldError
	out := make(values, len(q))
	for _, name := range sortedKeys(q) {
		if msg := faultOf(op, name, q[name]); msg != "" {
			faults = append(faults, engine.FieldError{Location: clip(name), Message: msg})
			continue
		}
		out[name] = q[name][0]
	}
	if len(faults) > 0 {
		return nil, invalid(faults)
	}
	return out, nil
}

func faultOf(op *operation, name string, given []string) string {
	for _, p := range op.query {
		if p.name != name {
			continue
		}
		if len(given) > 1 {
			return "given " + strconv.Itoa(len(given)) + " times: give it once"
		}
		if p.enum == nil {
			return ""
		}
		for _, v := range p.enum {
			if given[0] == v {
				return ""
			}
		}
		return strconv.Quote(clip(given[0])) + " is none of " + strings.Join(p.enum, ", ")
	}
	return unknownName("query parameter", name, parameterNames(op.query))
}

func parameterNames(list []parameter) []string {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.name
	}
	return names
}

// notYet refuses what API.md names and a later version builds.
const notYet = "not available yet in this version: leave it out"

func unknownName(what, name string, known []string) string {
	switch near := nearest.Of(name, known); {
	case near != "":
		return "unknown " + what + ": did you mean " + near + "?"
	case len(known) == 0:
		return "unknown " + what + ": none is taken here"
	default:
		return "unknown " + what + ": known are " + strings.Join(known, ", ")
	}
}

// clip bounds what an answer repeats of a request.
func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "..."
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// invalid is a 422 about one or more fields.
func invalid(faults []engine.FieldError) *engine.Error {
	e := engine.Invalid(faults[0].Location, "%s", faults[0].Message)
	e.Fields = faults
	return e
}

// list is what the query selects from a list.
func (c *call) list() (in engine.ListInput, err error) {
	v := c.values
	in = engine.ListInput{
		Cursor: v["cursor"], Ascending: v["order"] == "asc", MinSeq: c.minSeq,
		EndpointID: v["endpoint_id"], EventID: v["event_id"], DeliveryID: v["delivery_id"],
		EventType: v["event_type"] + v["type"], Status: v["status"], Outcome: v["outcome"], Metadata: v["metadata"],
	}
	if text, ok := v["limit"]; ok {
		if in.Limit, err = strconv.Atoi(text); err != nil || in.Limit < 1 || in.Limit > maxLimit {
			return in, engine.Invalid("limit", "%q is no whole number from 1 to %d", clip(text), maxLimit)
		}
	}
	if in.From, err = v.time("from"); err != nil {
		return in, err
	}
	if in.To, err = v.time("to"); err != nil {
		return in, err
	}
	if !in.From.IsZero() && !in.To.IsZero() && in.From.After(in.To) {
		return in, engine.Invalid("from", "lies after to: swap them")
	}
	if len(in.Cursor) > maxValue {
		return in, engine.Invalid("cursor", "is none that this list gave out: pass next_cursor as it came")
	}
	if text, ok := v["id"]; ok {
		in.EventID = text
	}
	if text, ok := v["matched"]; ok {
		matched := text == "true"
		in.Matched = &matched
	}
	for _, name := range []string{"metadata", "id", "endpoint_id", "event_id", "delivery_id", "event_type", "type"} {
		if text, ok := v[name]; ok && (text == "" || len(text) > maxValue) {
			return in, engine.Invalid(name, "has %d bytes, want 1 to %d: leave the parameter out to select everything", len(text), maxValue)
		}
	}
	return in, nil
}

const (
	maxLimit = 250  // items of one page
	maxValue = 1024 // bytes of a parameter
)

func (v values) time(name string) (time.Time, error) {
	text, ok := v[name]
	if !ok {
		return time.Time{}, nil
	}
	// In a query a plus is a blank: forgive it in a zone.
	t, err := time.Parse(time.RFC3339Nano, strings.Replace(text, " ", "+", 1))
	if err != nil {
		return t, engine.Invalid(name, "%q is no RFC 3339 time, e.g. 2026-01-31T08:00:00Z", clip(text))
	}
	return t, nil
}
