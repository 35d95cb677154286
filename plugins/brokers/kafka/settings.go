package kafka

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"github.com/hookline/hookline/plugins/brokers"
)

// Connection says how to reach Kafka; it is the broker of an ingest, and part of Settings.
type Connection struct {
	Brokers  []string    `json:"brokers"`            // host:port of some
	User     string      `json:"user,omitempty"`     // SASL PLAIN, with Password
	Password string      `json:"password,omitempty"` // secret
	TLS      brokers.TLS `json:"tls,omitzero"`
}

// Settings configure the transport.
type Settings struct {
	Connection
	Topics    []string `json:"topics"`               // what endpoints may write to; a * at the end stands for any rest
	KeyHeader string   `json:"key_header,omitempty"` // the header whose value is the record's key; empty: the event's id
}

// Schema is the JSON Schema of Settings.
func Schema() json.RawMessage {
	return json.RawMessage(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["brokers", "topics"],
  "properties": {
    "brokers": {"type": "array", "minItems": 1, "items": {"type": "string"}, "description": "host:port of some brokers"},
    "topics": {"type": "array", "minItems": 1, "items": {"type": "string"}, "description": "topics that endpoints may write to; a * at the end stands for any rest"},
    "key_header": {"type": "string", "description": "the header whose value is the record's key; absent: the event's id"},
    "user": {"type": "string", "description": "of SASL PLAIN, over TLS only"},
    "password": {"type": "string", "writeOnly": true, "format": "password"},
    "tls": ` + brokers.TLSSchema + `
  }
}`)
}

func parse(raw json.RawMessage) (Settings, error) {
	s := Settings{}
	if err := brokers.Decode(raw, &s); err != nil {
		return s, err
	}
	s.KeyHeader = strings.ToLower(s.KeyHeader)
	return s, s.check()
}

func (c *Connection) check() error {
	if len(c.Brokers) == 0 {
		return errors.New("settings: brokers is empty: give at least one host:port")
	}
	for i, b := range c.Brokers {
		if !strings.Contains(b, ":") || strings.ContainsAny(b, "/@, ") {
			return fmt.Errorf("settings: brokers[%d] is not host:port", i)
		}
	}
	if (c.User == "") != (c.Password == "") {
		return errors.New("settings: user and password go together: give both or none")
	}
	if c.User != "" && !c.TLS.Enabled {
		return errors.New("settings: user and password would go in the clear: set tls.enabled, or leave them out")
	}
	return nil
}

const (
	connectTimeout = 3 * time.Second
	ioTimeout      = 30 * time.Second // bounds what an attempt left behind
)

// config is what both directions have in common.
func (c *Connection) config() (*sarama.Config, error) {
	k := sarama.NewConfig()
	k.ClientID = "hookline"
	k.Version = sarama.V2_8_0_0
	k.Net.DialTimeout, k.Net.ReadTimeout, k.Net.WriteTimeout = connectTimeout, ioTimeout, ioTimeout
	k.Metadata.Retry.Max = 1
	k.Metadata.Retry.Backoff = 100 * time.Millisecond
	k.Metadata.Full = false // the topics in use only
	k.Metadata.AllowAutoTopicCreation = false
	tlsConfig, err := c.TLS.Config()
	if err != nil {
		return nil, err
	}
	if tlsConfig != nil {
		k.Net.TLS.Enable, k.Net.TLS.Config = true, tlsConfig
	}
	if c.User != "" {
		k.Net.SASL.Enable, k.Net.SASL.User, k.Net.SASL.Password = true, c.User, c.Password
		k.Net.SASL.Mechanism = sarama.SASLTypePlaintext
	}
	return k, nil
}
