package filters

import (
	"encoding/json"
	"fmt"
	"time"
	"unsafe"
)

// Event is what filters look at. Its JSON is decoded at most once, and only if a filter looks into it. The raw messages
// must not change while the Event is used; an Event is used by one goroutine at a time.
type Event struct {
	Type       string
	ID         string
	Tenant     string
	OccurredAt time.Time
	Data       json.RawMessage // empty = nil
	Actor      json.RawMessage // empty = nil
	Metadata   json.RawMessage // empty = nil

	decoded [roots]*document
	broken  [roots]error
	fault   *EvalError  // of the evaluation under way
	found   [8][]uint32 // room for what an index finds
}

// root is a variable that holds JSON.
type root uint8

const (
	rootData root = iota
	rootActor
	rootMetadata
	roots = 3
)

var rootNames = [roots]string{"data", "actor", "metadata"}

func (ev *Event) document(r root) (*document, error) {
	if d := ev.decoded[r]; d != nil || ev.broken[r] != nil {
		return d, ev.broken[r]
	}
	raw := [roots]json.RawMessage{ev.Data, ev.Actor, ev.Metadata}[r]
	if len(raw) == 0 {
		raw = json.RawMessage("null")
	}
	d, err := decode(unsafe.String(unsafe.SliceData(raw), len(raw)))
	if err != nil {
		ev.broken[r] = fmt.Errorf("%s is not JSON: %w", rootNames[r], err)
		return nil, ev.broken[r]
	}
	ev.decoded[r] = d
	return d, nil
}
