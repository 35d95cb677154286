package filtertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hookline/hookline/engine/api/jsonstrict"
	"github.com/hookline/hookline/filters"
)

// Event is an event of a test, as it would be published.
type Event struct {
	Type       string          `json:"type"`
	ID         string          `json:"id,omitempty"`
	Tenant     string          `json:"tenant,omitempty"` // for filters that look at it
	OccurredAt string          `json:"occurred_at,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Actor      json.RawMessage `json:"actor,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
}

// Published is the event as a server takes it, which knows its tenant itself; nil of nil.
func (e *Event) Published() json.RawMessage {
	if e == nil {
		return nil
	}
	sent := *e
	sent.Tenant = ""
	raw, err := json.Marshal(&sent)
	if err != nil { // its parts were read as JSON
		return nil
	}
	return raw
}

// ParseEvent reads an event of a JSON file: an object with type, and with data, id, tenant, occurred_at, actor and metadata
// where they are wanted. Unknown fields are errors.
func ParseEvent(raw []byte) (*Event, error) {
	raw = bytes.TrimSpace(raw)
	if err := jsonstrict.Check(raw, jsonstrict.MaxNesting); err != nil {
		return nil, fmt.Errorf("the event: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	ev := &Event{}
	if err := d.Decode(ev); err != nil {
		return nil, fmt.Errorf("the event: %w; an event is an object with type, data, id, tenant, occurred_at, actor and metadata", err)
	}
	if _, err := ev.Seen(); err != nil {
		return nil, err
	}
	return ev, nil
}

// Seen is the event as filters see it. Without occurred_at it happened now.
func (e *Event) Seen() (*filters.Event, error) {
	if err := filters.CheckType(e.Type); err != nil {
		return nil, fmt.Errorf("the event: %s", strings.TrimPrefix(err.Error(), "filters: "))
	}
	out := &filters.Event{Type: e.Type, ID: e.ID, Tenant: e.Tenant, OccurredAt: time.Now(), Data: e.Data, Actor: e.Actor, Metadata: e.Metadata}
	if e.OccurredAt != "" {
		at, err := time.Parse(time.RFC3339Nano, e.OccurredAt)
		if err != nil {
			return nil, fmt.Errorf("the event: occurred_at: %.40q is no RFC 3339 time, e.g. 2026-01-31T08:00:00Z", e.OccurredAt)
		}
		out.OccurredAt = at
	}
	return out, nil
}

func event(n *yaml.Node) (*Event, error) {
	ev := &Event{}
	err := fields(n, []string{"type", "id", "tenant", "occurred_at", "data", "actor", "metadata"}, []string{"type"}, func(name string, v *yaml.Node) (err error) {
		switch name {
		case "type":
			return text(v, name, &ev.Type)
		case "id":
			return text(v, name, &ev.ID)
		case "tenant":
			return text(v, name, &ev.Tenant)
		case "occurred_at":
			return text(v, name, &ev.OccurredAt)
		case "data":
			ev.Data, err = toJSON(v)
		case "actor":
			ev.Actor, err = toJSON(v)
		case "metadata":
			ev.Metadata, err = toJSON(v)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, err := ev.Seen(); err != nil {
		return nil, errorAt(n, "%s", err)
	}
	return ev, nil
}

// toJSON writes a YAML value as JSON. Numbers stay as they are written where JSON has that form.
func toJSON(n *yaml.Node) (json.RawMessage, error) {
	var b bytes.Buffer
	err := writeJSON(&b, n, 0)
	return b.Bytes(), err
}

func writeJSON(b *bytes.Buffer, n *yaml.Node, depth int) error {
	if depth > jsonstrict.MaxNesting || b.Len() > MaxFile {
		return errorAt(n, "the value nests deeper than %d, or is too large", jsonstrict.MaxNesting)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return writeJSON(b, n.Alias, depth+1)
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, item, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case yaml.MappingNode:
		b.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, n.Content[i].Value)
			b.WriteByte(':')
			if err := writeJSON(b, n.Content[i+1], depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	default:
		return writeScalar(b, n)
	}
	return nil
}

func writeScalar(b *bytes.Buffer, n *yaml.Node) error {
	switch n.ShortTag() {
	case "!!null":
		b.WriteString("null")
	case "!!bool", "!!int", "!!float":
		if json.Valid([]byte(n.Value)) { // as it is written, however many digits
			b.WriteString(n.Value)
			return nil
		}
		var v any
		if err := n.Decode(&v); err != nil {
			return errorAt(n, "%.40q is no value of JSON", n.Value)
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return errorAt(n, "%.40q is no value of JSON", n.Value)
		}
		b.Write(raw)
	default: // text, and times, which JSON has as text
		writeText(b, n.Value)
	}
	return nil
}

func writeText(b *bytes.Buffer, s string) {
	raw, err := json.Marshal(s)
	if err != nil { // a string always can be written
		raw = []byte(`""`)
	}
	b.Write(raw)
}
