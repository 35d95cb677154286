package rabbitmq

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookline/hookline/plugins/brokers"
)

// Connection says how to reach RabbitMQ; it is the broker of an ingest, and part of Settings.
type Connection struct {
	Address  string      `json:"address"`            // host:port
	VHost    string      `json:"vhost,omitempty"`    // default "/"
	User     string      `json:"user,omitempty"`     // default "guest", which RabbitMQ takes from loopback only
	Password string      `json:"password,omitempty"` // secret; default that of guest
	TLS      brokers.TLS `json:"tls,omitzero"`
}

// Settings configure the transport.
type Settings struct {
	Connection
	Addresses []string `json:"addresses"`          // what endpoints may write to: EXCHANGE/ROUTING-KEY; a * at the end stands for any rest
	Channels  int      `json:"channels,omitempty"` // publishing channels, over one connection; 0: 8
}

const defaultChannels = 8

// Schema is the JSON Schema of Settings.
func Schema() json.RawMessage {
	return json.RawMessage(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["address", "addresses"],
  "properties": {
    "address": {"type": "string", "description": "host:port"},
    "addresses": {"type": "array", "minItems": 1, "items": {"type": "string"}, "description": "EXCHANGE/ROUTING-KEY that endpoints may write to, /QUEUE for a queue; a * at the end stands for any rest"},
    "vhost": {"type": "string", "description": "absent: /"},
    "user": {"type": "string", "description": "absent: guest"},
    "password": {"type": "string", "writeOnly": true, "format": "password"},
    "channels": {"type": "integer", "minimum": 0, "maximum": 128, "description": "publishing channels; 0: 8"},
    "tls": ` + brokers.TLSSchema + `
  }
}`)
}

func parse(raw json.RawMessage) (Settings, error) {
	s := Settings{}
	if err := brokers.Decode(raw, &s); err != nil {
		return s, err
	}
	if s.Channels == 0 {
		s.Channels = defaultChannels
	}
	if s.Channels < 1 || s.Channels > 128 {
		return s, fmt.Errorf("settings: channels is %d, must be 1 to 128", s.Channels)
	}
	for i, a := range s.Addresses {
		if !strings.Contains(a, "/") && a != "*" {
			return s, fmt.Errorf("settings: addresses[%d] is %q: write EXCHANGE/ROUTING-KEY, or /QUEUE", i, a)
		}
	}
	return s, s.check()
}

func (c *Connection) check() error {
	if c.VHost == "" {
		c.VHost = "/"
	}
	if c.User == "" && c.Password == "" {
		c.User, c.Password = "guest", "guest"
	}
	switch {
	case !strings.Contains(c.Address, ":") || strings.ContainsAny(c.Address, "/@"):
		return errors.New("settings: address is not host:port, e.g. 127.0.0.1:5672")
	case (c.User == "") != (c.Password == ""):
		return errors.New("settings: user and password go together: give both or none")
	}
	return nil
}

const (
	connectTimeout = 3 * time.Second // of TCP, and of the handshake after it
	heartbeat      = 10 * time.Second
)

// dial connects; name is what the broker lists.
func (c *Connection) dial(name string, tlsConfig *tls.Config) (*amqp.Connection, error) {
	uri := amqp.URI{Scheme: "amqp", Vhost: c.VHost, Username: c.User, Password: c.Password}
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return nil, err
	}
	uri.Host = host
	if _, err := fmt.Sscan(port, &uri.Port); err != nil {
		return nil, fmt.Errorf("settings: address: port %q is no number", port)
	}
	if tlsConfig != nil {
		uri.Scheme = "amqps"
	}
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(name)
	return amqp.DialConfig(uri.String(), amqp.Config{
		Heartbeat: heartbeat, TLSClientConfig: tlsConfig, Properties: properties, Dial: amqp.DefaultDial(connectTimeout),
	})
}
