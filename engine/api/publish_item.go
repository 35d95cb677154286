package api

import (
	"fmt"
	"time"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/api/jsonstrict"
)

// maxData bounds `data` and `payload`, in bytes as sent.
const maxData = 256 << 10

// eventFields are the fields of a publish.
func eventFields() []string {
	return []string{"type", "data", "payload", "id", "occurred_at", "actor", "metadata", "idempotency_key"}
}

// itemReader reads one event of a publish. What is wrong with the event stands in in.Err afterwards.
type itemReader struct {
	scanner *jsonstrict.Scanner
	explain bool
	in      engine.PublishInput
	faults  []engine.FieldError
	large   *engine.Error
}

// read reads the next value of the scanner. Its error is one of the text's grammar: the reading cannot go on.
func (r *itemReader) read() error {
	sc := r.scanner
	sc.ClearFault()
	r.in.Explain = r.explain
	in, err := sc.EnterObject()
	if err != nil {
		return err
	}
	if !in {
		v, err := sc.Value(maxDepth)
		if err != nil {
			return err
		}
		r.in.Err = engine.Invalid("body", "an event must be a JSON object, is %s", jsonstrict.Kind(v))
		return nil
	}
	for {
		name, ok, err := sc.NextMember()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if err := r.member(name); err != nil {
			return err
		}
	}
	r.judge()
	return nil
}

// judge orders what was found: bad text, then size, then fields.
func (r *itemReader) judge() {
	switch f := r.scanner.Fault(); {
	case f != nil:
		r.in.Err = malformed(f)
	case r.large != nil:
		r.in.Err = r.large
	case len(r.faults) > 0:
		r.in.Err = invalid(r.faults)
	case r.in.Type == "":
		r.in.Err = engine.Invalid("type", "is missing: give the event's type, e.g. domain.registered")
	case (r.in.Data == nil) == (r.in.Payload == nil):
		r.in.Err = engine.Invalid("data", "exactly one of data and payload is needed")
	}
}

// member reads one field. null stands for a field left out, but for data and payload.
func (r *itemReader) member(name []byte) error {
	switch string(name) {
	case "data":
		v, err := r.value("data")
		if err == nil && v[0] != '{' {
			r.fault("data", "must be an object, is %s: for a value that is the whole body use payload", jsonstrict.Kind(v))
		}
		r.in.Data = v
		return err
	case "payload":
		v, err := r.value("payload")
		r.in.Payload = v
		return err
	case "actor":
		v, err := r.value("")
		if err == nil && v[0] != 'n' {
			r.in.Actor = v
		}
		return err
	case "metadata":
		v, err := r.value("")
		if err == nil && v[0] != 'n' {
			r.in.Metadata = v
			if v[0] != '{' {
				r.fault("metadata", "must be an object, is %s", jsonstrict.Kind(v))
			}
		}
		return err
	case "type":
		return r.text("type", &r.in.Type)
	case "id":
		return r.text("id", &r.in.ID)
	case "idempotency_key":
		return r.text("idempotency_key", &r.in.IdempotencyKey)
	case "occurred_at":
		return r.time()
	}
	return r.other(string(name))
}

// value reads any value; one with a name is bounded in size.
func (r *itemReader) value(bounded string) ([]byte, error) {
	v, err := r.scanner.Value(maxDepth)
	if err == nil && bounded != "" && len(v) > maxData && r.large == nil {
		msg := fmt.Sprintf("has %d bytes, at most %d (256 KiB) are taken", len(v), maxData)
		r.large = &engine.Error{Code: engine.CodeTooLarge, Detail: bounded + ": " + msg, Fields: []engine.FieldError{{Location: bounded, Message: msg}}}
	}
	return v, err
}

func (r *itemReader) text(name string, into *string) error {
	v, err := r.scanner.Value(maxDepth)
	if err != nil || v[0] == 'n' {
		return err
	}
	if v[0] != '"' {
		r.fault(name, "must be a string, is %s", jsonstrict.Kind(v))
		return nil
	}
	text, ok := jsonstrict.String(v)
	switch {
	case !ok:
		r.fault(name, "holds half of a surrogate pair, which is no text")
	case text == "":
		r.fault(name, "is empty: give a value or leave it out")
	}
	*into = text
	return nil
}

func (r *itemReader) time() error {
	if err := r.text("occurred_at", &r.in.OccurredAtRaw); err != nil || r.in.OccurredAtRaw == "" {
		return err
	}
	t, err := time.Parse(time.RFC3339Nano, r.in.OccurredAtRaw)
	if y := t.UTC().Year(); err != nil || y < 1970 || y > 9999 {
		r.fault("occurred_at", "%q is no RFC 3339 time from 1970 to 9999, e.g. 2026-01-31T08:00:00Z", clip(r.in.OccurredAtRaw))
		return nil
	}
	r.in.OccurredAt = t
	return nil
}

// other reads a field that is not taken: one of a later version, or an unknown one.
func (r *itemReader) other(name string) error {
	v, err := r.scanner.Value(maxDepth)
	if err != nil {
		return err
	}
	if name == "order_key" || name == "deliver_at" {
		if v[0] != 'n' {
			r.fault(name, "%s", notYet)
		}
		return nil
	}
	r.fault(clip(name), "%s", unknownName("field", name, eventFields()))
	return nil
}

func (r *itemReader) fault(location, format string, args ...any) {
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, engine.FieldError{Location: location, Message: fmt.Sprintf(format, args...)})
	}
}
