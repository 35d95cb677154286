package nats

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hookline/hookline/plugins/brokers"
)

// Connection says how to reach NATS; it is the broker of an ingest, and part of Settings.
type Connection struct {
	Servers  []string    `json:"servers"`            // e.g. nats://127.0.0.1:4222; no credentials in them
	User     string      `json:"user,omitempty"`     // with Password
	Password string      `json:"password,omitempty"` // secret
	Token    string      `json:"token,omitempty"`    // secret
	Creds    string      `json:"creds,omitempty"`    // content of a .creds file (JWT and seed); secret
	TLS      brokers.TLS `json:"tls,omitzero"`
}

// Settings configure the transport.
type Settings struct {
	Connection
	Subjects []string `json:"subjects"`       // what endpoints may write to; a * at the end stands for any rest
	Mode     string   `json:"mode,omitempty"` // "jetstream" (default) or "core"
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
	if s.Mode != modeJetStream && s.Mode != modeCore {
		return s, fmt.Errorf("settings: mode is %q: give jetstream or core", s.Mode)
	}
	return s, s.check()
}

func (c *Connection) check() error {
	if len(c.Servers) == 0 {
		return errors.New("settings: servers is empty: give at least one, e.g. nats://127.0.0.1:4222")
	}
	if (c.User == "") != (c.Password == "") {
		return errors.New("settings: user and password go together: give both or none")
	}
	for i, server := range c.Servers {
		if strings.Contains(server, "@") || strings.Contains(server, ",") {
			return fmt.Errorf("settings: servers[%d] holds credentials or several servers: use user and password, and one entry a server", i)
		}
	}
	return nil
}

func decodeConnection(raw json.RawMessage, c *Connection) error {
	if err := brokers.Decode(raw, c); err != nil {
		return err
	}
	return c.check()
}
