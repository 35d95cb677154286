package api

import (
	"strconv"
	"strings"
	"time"

	"github.com/hookline/hookline/engine"
)

// dated gives a read its parameter as_of.
func dated(query []parameter) []parameter {
	return append(query, parameter{name: "as_of",
		doc: "answer as when this was the newest record: a seq, or an RFC 3339 time, which stands for the newest record that is not later. " +
			"X-As-Of-Seq of the answer says which seq was used: give that to the pages that follow. Beyond the head: 422; trimmed by retention: 410"})
}

// headerAsOf says as of which seq a read was answered.
const headerAsOf = "X-As-Of-Seq"

// travel chooses what is read: the present, or the past that as_of asks for.
func (c *call) travel() error {
	if c.svc == nil { // starting: only what needs no service is served
		return nil
	}
	c.reading = c.svc
	text, ok := c.values["as_of"]
	if !ok {
		return nil
	}
	at, err := parseAsOf("as_of", text)
	if err != nil {
		return err
	}
	past, err := c.svc.AsOf(c.r.Context(), at)
	if err != nil {
		return err
	}
	c.reading = past
	c.w.Header().Set(headerAsOf, strconv.FormatUint(uint64(past.Seq), 10))
	return nil
}

// parseAsOf reads a point of the log as the API and the CLI take it.
func parseAsOf(name, text string) (engine.AsOf, error) {
	at, err := ParseAsOf(text)
	if err != nil {
		return at, engine.Invalid(name, "%q is neither a seq of 1 or more nor an RFC 3339 time, e.g. 2026-01-31T08:00:00Z", clip(text))
	}
	return at, nil
}

// ParseAsOf reads a seq of 1 or more, or an RFC 3339 time.
func ParseAsOf(text string) (at engine.AsOf, err error) {
	if at.Seq, err = strconv.ParseUint(text, 10, 64); err == nil && at.Seq > 0 {
		return at, nil
	}
	// In a query a plus is a blank: forgive it in a zone.
	at.Time, err = time.Parse(time.RFC3339Nano, strings.Replace(text, " ", "+", 1))
	return at, err
}
