package api

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/api/jsonstrict"
)

// readBatch reads {"events":[...]} into b.items, in one pass. A text that is no JSON is refused as a whole; a fault
// within one event is that event's.
func readBatch(b *scratch, explain bool) error {
	sc := &b.scanner
	sc.Reset(b.body)
	b.items = b.items[:0]
	if len(bytes.TrimSpace(b.body)) == 0 {
		return engine.Malformed("body", `the body is empty: send {"events":[...]}`)
	}
	in, err := sc.EnterObject()
	if err != nil {
		return err
	}
	if !in {
		return notObject(sc)
	}
	for {
		raw, ok, err := sc.NextMember()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if f := sc.Fault(); f != nil { // events twice
			return f
		}
		if string(raw) != "events" {
			return engine.Invalid(clip(string(raw)), "%s; for one event a line set Content-Type: application/x-ndjson",
				unknownName("field", string(raw), []string{"events"}))
		}
		if err := readEvents(b, explain); err != nil {
			return err
		}
	}
	return sc.End()
}

func readEvents(b *scratch, explain bool) error {
	sc := &b.scanner
	in, err := sc.EnterArray()
	if err != nil {
		return err
	}
	if !in {
		v, err := sc.Value(maxDepth)
		if err != nil {
			return err
		}
		return engine.Invalid("events", "must be a list of events, is %s", jsonstrict.Kind(v))
	}
	for {
		ok, err := sc.NextElement()
		if err != nil || !ok {
			return err
		}
		if len(b.items) == maxBatchEvents {
			return errTooMany()
		}
		r := itemReader{scanner: sc, explain: explain}
		if err := r.read(); err != nil {
			var text *jsonstrict.Error
			if errors.As(err, &text) {
				text.Path = strings.TrimSuffix(fmt.Sprintf("events[%d].%s", len(b.items), text.Path), ".")
			}
			return err
		}
		b.items = append(b.items, r.in)
		sc.ClearFault()
	}
}

func errTooMany() error {
	return &engine.Error{Code: engine.CodeTooLarge, Detail: "more than 1000 events in one batch: send at most 1000 at once",
		Fields: []engine.FieldError{{Location: "events", Message: "more than 1000: send at most 1000 at once"}}}
}

// readLines reads NDJSON: one event a line, lines of white space only are skipped. A line that is no JSON is its own
// item's fault, since the next line stands by itself.
func readLines(b *scratch, explain bool) error {
	sc := &b.scanner
	b.items = b.items[:0]
	for rest := b.body; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if len(b.items) == maxBatchEvents {
			return errTooMany()
		}
		sc.Reset(line)
		r := itemReader{scanner: sc, explain: explain}
		err := r.read()
		if err == nil {
			err = sc.End()
		}
		if err != nil {
			var text *jsonstrict.Error
			if !errors.As(err, &text) {
				return err
			}
			r.in = engine.PublishInput{Err: malformed(text)}
		}
		b.items = append(b.items, r.in)
	}
	return nil
}
