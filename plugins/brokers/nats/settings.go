package nats

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hookline/hookline/plugins/brokers"
)

// Settings configure the transport.
type Settings struct {
	Servers  []string    `json:"servers"`            // e.g. nats://127.0.0.1:4222; no credentials in them
	Subjects []string    `json:"subjects"`           // what endpoints may write to; a * at the end stands for any rest
	Mode     string      `json:"mode,omitempty"`     // "jetstream" (default) or "core"
	User     string      `json:"user,omitempty"`     // with Password
	Password string      `json:"password,omitempty"` // secret
	Token    string      `json:"token,omitempty"`    // secret
	Creds    string      `json:"creds,omitempty"`    // content of a .creds file (JWT and seed); secret
	TLS      brokers.TLS `json:"tls,omitzero"`
}

const (
	modeJetStream = "jetstream"
	modeCore      = "core"
)

// Schema is the JSON Schema of Settings.
func Schema() json.RawMessage {
	return json.RawMessage(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["servers", "subjects"],
  "properties": {
    "servers": {"type": "array", "minItems": 1, "items": {"type": "string"}, "description": "e.g. nats://127.0.0.1:4222, without credentials"},
    "subjects": {"type": "array", "minItems": 1, "items": {"type": "string"}, "description": "subjects that endpoints may write to; a * at the end stands for any rest"},
    "mode": {"enum": ["jetstream", "core"], "description": "jetstream (default): a stream stored it; core: the server took it, nobody need have it"},
    "user": {"type": "string"},
    "password": {"type": "string", "writeOnly": true, "format": "password"},
    "token": {"type": "string", "writeOnly": true, "format": "password"},
    "creds": {"type": "string", "writeOnly": true, "format": "password", "description": "the content of a .creds file"},
    "tls": ` + brokers.TLSSchema + `
  }
}`)
}

func parse(raw json.RawMessage) (Settings, error) {
	s := Settings{Mode: modeJetStream}
	if err := brokers.Decode(raw, &s); err != nil {
		return s, err
	}
	switch {
	case len(s.Servers) == 0:
		return s, errors.New("settings: servers is empty: give at least one, e.g. nats://127.0.0.1:4222")
	case s.Mode != modeJetStream && s.Mode != modeCore:
		return s, fmt.Errorf("settings: mode is %q: give jetstream or core", s.Mode)
	case (s.User == "") != (s.Password == ""):
		return s, errors.New("settings: user and password go together: give both or none")
	}
	return s, nil
}
