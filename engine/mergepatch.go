package engine

import (
	"bytes"
	"encoding/json"
)

// mergePatch applies a JSON merge patch (RFC 7396): members of an object are merged, null removes one, anything else
// replaces. Members of the result are in order of their names.
func mergePatch(target, patch json.RawMessage) (json.RawMessage, error) {
	if string(bytes.TrimSpace(patch)) == "null" { // the whole: back to none
		return json.RawMessage("{}"), nil
	}
	if trimmed := bytes.TrimSpace(patch); len(trimmed) == 0 || trimmed[0] != '{' {
		return patch, nil
	}
	var to, from map[string]json.RawMessage
	if err := json.Unmarshal(patch, &from); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(target, &to); err != nil || to == nil {
		to = map[string]json.RawMessage{}
	}
	for name, value := range from {
		if string(bytes.TrimSpace(value)) == "null" {
			delete(to, name)
			continue
		}
		merged, err := mergePatch(to[name], value)
		if err != nil {
			return nil, err
		}
		to[name] = merged
	}
	return json.Marshal(to)
}
