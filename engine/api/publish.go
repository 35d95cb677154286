package api

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"unicode/utf8"

	"github.com/hookline/hookline/engine"
)

const (
	maxBatchBytes  = 8 << 20
	maxBatchEvents = 1000
)

// publishOperations read their bodies themselves: `data` and `payload` go on as slices of the request.
func publishOperations() []*operation {
	explain := []parameter{{name: "explain", doc: "true adds `unmatched` with a reason for each subscription that did not match", enum: []string{"true", "false"}}}
	return []*operation{
		{method: http.MethodPost, path: tenantPath + "/events", id: "publish-event", tag: "Events", status: 202, custom: true, need: needPublish,
			summary: "Publish an event", query: explain, handle: publish,
			doc: "202 only once the event is stored durably and its deliveries are due. `data` (an object) goes into the profile's envelope byte for byte; " +
				"`payload` (any JSON value) is the whole body instead. The same idempotency key, else the same (`type`, `id`), with equal content within 24 h " +
				"is answered with the first answer and `duplicate` true; with other content 409."},
		{method: http.MethodPost, path: tenantPath + "/events:batch", id: "publish-batch", tag: "Events", status: 202, custom: true, need: needPublish,
			summary: "Publish up to 1 000 events", query: explain, handle: publishBatch,
			doc: "As JSON, or as NDJSON (`application/x-ndjson`, one event a line), at most 8 MiB. Each item is answered in order, by what a publish answers or by a problem; one item's fault does not touch the others."},
	}
}

// publish takes one event.
func publish(c *call) error {
	b := c.borrow()
	defer c.giveBack(b)
	if err := c.read(b, maxBody); err != nil {
		return err
	}
	if len(bytes.TrimSpace(b.body)) == 0 {
		return engine.Malformed("body", "the body is empty: send a JSON object with type and data or payload")
	}
	sc := &b.scanner
	sc.Reset(b.body)
	r := itemReader{scanner: sc, explain: c.values["explain"] == "true"}
	if err := r.read(); err != nil {
		return err
	}
	if err := sc.End(); err != nil {
		return err
	}
	if r.in.Err == nil {
		r.header(c.r.Header)
	}
	if r.in.Err != nil {
		return r.in.Err
	}
	b.items = append(b.items[:0], r.in)
	results, err := c.svc.Publish(c.r.Context(), c.tenant(), b.items)
	if err != nil {
		return err
	}
	if err := complete(results, 1); err != nil {
		return err
	}
	if results[0].Err != nil {
		return results[0].Err
	}
	b.answer = append(appendPublished(b.answer[:0], results[0].Published, r.explain), '\n')
	c.send(http.StatusAccepted, "application/json", b.answer)
	return nil
}

// header merges the Idempotency-Key header into the event.
func (r *itemReader) header(h http.Header) {
	given := h.Values("Idempotency-Key")
	switch {
	case len(given) == 0:
	case len(given) > 1:
		r.in.Err = engine.Invalid("Idempotency-Key", "given %d times: give it once", len(given))
	case given[0] == "":
		r.in.Err = engine.Invalid("Idempotency-Key", "is empty: want 1 to 256 bytes, or leave the header out")
	case !utf8.ValidString(given[0]):
		r.in.Err = engine.Invalid("Idempotency-Key", "is not UTF-8: send UTF-8, or give the field idempotency_key")
	case r.in.IdempotencyKey != "" && r.in.IdempotencyKey != given[0]:
		r.in.Err = engine.Invalid("idempotency_key", "differs from the header Idempotency-Key: give one of both, or the same twice")
	default:
		r.in.IdempotencyKey = given[0]
	}
}

// complete guards against an engine that answers other than it was asked: better a 500 than a wrong 202.
func complete(results []engine.PublishResult, want int) error {
	if len(results) != want {
		return fmt.Errorf("api: %d results for %d events", len(results), want)
	}
	for i := range results {
		if (results[i].Published == nil) == (results[i].Err == nil) {
			return fmt.Errorf("api: result %d is not exactly one of both", i)
		}
	}
	return nil
}

// publishBatch takes up to 1 000.
func publishBatch(c *call) error {
	if c.r.Header.Get("Idempotency-Key") != "" {
		return engine.Invalid("Idempotency-Key", "is for single publishes: give idempotency_key in each event of a batch")
	}
	b := c.borrow()
	defer c.giveBack(b)
	if err := c.read(b, maxBatchBytes); err != nil {
		return err
	}
	read, explain := readBatch, c.values["explain"] == "true"
	if kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); kind == "application/x-ndjson" {
		read = readLines
	}
	if err := read(b, explain); err != nil {
		return err
	}
	if len(b.items) == 0 {
		return engine.Invalid("events", "is empty: send 1 to %d events", maxBatchEvents)
	}
	results, err := c.svc.Publish(c.r.Context(), c.tenant(), b.items)
	if err != nil {
		return err
	}
	if err := complete(results, len(b.items)); err != nil {
		return err
	}
	b.answer = append(b.answer[:0], `{"results":[`...)
	for i := range results {
		if i > 0 {
			b.answer = append(b.answer, ',')
		}
		if e := results[i].Err; e != nil {
			p, _ := problemOf(e)
			b.answer = append(b.answer, bytes.TrimSuffix(encode(p), []byte{'\n'})...)
			continue
		}
		b.answer = appendPublished(b.answer, results[i].Published, explain)
	}
	b.answer = append(b.answer, "]}\n"...)
	c.send(http.StatusAccepted, "application/json", b.answer)
	return nil
}
