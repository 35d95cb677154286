package redis

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/hookline/hookline/plugins/brokers"
)

// Connection says how to reach Redis; it is the broker of an ingest, and part of Settings.
type Connection struct {
	Address  string      `json:"address"`             // host:port
	User     string      `json:"user,omitempty"`      // of an ACL; empty: the default user
	Password string      `json:"password,omitempty"`  // secret
	DB       int         `json:"db,omitempty"`        // 0 to 15 by default of Redis
	PoolSize int         `json:"pool_size,omitempty"` // connections; 0: 64
	TLS      brokers.TLS `json:"tls,omitzero"`
}

// Settings configure the transport.
type Settings struct {
	Connection
	Streams []string `json:"streams"`           // what endpoints may write to; a * at the end stands for any rest
	MaxLen  int64    `json:"max_len,omitempty"` // entries a stream keeps, about; 0: all
}

const defaultPoolSize = 64

// Schema is the JSON Schema of Settings.
func Schema() json.RawMessage {
	return json.RawMessage(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["address", "streams"],
  "properties": {
    "address": {"type": "string", "description": "host:port"},
    "streams": {"type": "array", "minItems": 1, "items": {"type": "string"}, "description": "streams that endpoints may write to; a * at the end stands for any rest"},
    "user": {"type": "string"},
    "password": {"type": "string", "writeOnly": true, "format": "password"},
    "db": {"type": "integer", "minimum": 0},
    "max_len": {"type": "integer", "minimum": 0, "description": "about how many entries a stream keeps; 0: all"},
    "pool_size": {"type": "integer", "minimum": 0, "maximum": 1024, "description": "connections; 0: 64"},
    "tls": ` + brokers.TLSSchema + `
  }
}`)
}

func parse(raw json.RawMessage) (Settings, error) {
	s := Settings{}
	if err := brokers.Decode(raw, &s); err != nil {
		return s, err
	}
	if s.MaxLen < 0 {
		return s, fmt.Errorf("settings: max_len is %d, must be 0 or more", s.MaxLen)
	}
	return s, s.check()
}

func parseConnection(raw json.RawMessage) (Connection, error) {
	c := Connection{}
	if err := brokers.Decode(raw, &c); err != nil {
		return c, err
	}
	return c, c.check()
}

func (c *Connection) check() error {
	if c.PoolSize == 0 {
		c.PoolSize = defaultPoolSize
	}
	switch {
	case c.Address == "":
		return errors.New("settings: address is empty: give host:port, e.g. 127.0.0.1:6379")
	case c.User != "" && c.Password == "":
		return errors.New("settings: user without password: give both")
	case c.DB < 0:
		return fmt.Errorf("settings: db is %d, must be 0 or more", c.DB)
	case c.PoolSize < 1 || c.PoolSize > 1024:
		return fmt.Errorf("settings: pool_size is %d, must be 1 to 1024", c.PoolSize)
	}
	return nil
}

// client connects when it is first needed.
func (c *Connection) client() (*redis.Client, error) {
	tlsConfig, err := c.TLS.Config()
	if err != nil {
		return nil, err
	}
	return redis.NewClient(&redis.Options{
		Addr: c.Address, Username: c.User, Password: c.Password, DB: c.DB, TLSConfig: tlsConfig, ClientName: "hookline",
		PoolSize: c.PoolSize, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		DialTimeout: connectTimeout, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
	}), nil
}
