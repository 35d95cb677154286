package redis

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/hookline/hookline/plugins/brokers"
)

// Settings configure the transport.
type Settings struct {
	Address  string      `json:"address"`             // host:port
	Streams  []string    `json:"streams"`             // what endpoints may write to; a * at the end stands for any rest
	User     string      `json:"user,omitempty"`      // of an ACL; empty: the default user
	Password string      `json:"password,omitempty"`  // secret
	DB       int         `json:"db,omitempty"`        // 0 to 15 by default of Redis
	MaxLen   int64       `json:"max_len,omitempty"`   // entries a stream keeps, about; 0: all
	PoolSize int         `json:"pool_size,omitempty"` // connections; 0: 64
	TLS      brokers.TLS `json:"tls,omitzero"`
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
	if s.PoolSize == 0 {
		s.PoolSize = defaultPoolSize
	}
	switch {
	case s.Address == "":
		return s, errors.New("settings: address is empty: give host:port, e.g. 127.0.0.1:6379")
	case s.User != "" && s.Password == "":
		return s, errors.New("settings: user without password: give both")
	case s.DB < 0 || s.MaxLen < 0:
		return s, errors.New("settings: db and max_len must be 0 or more")
	case s.PoolSize < 1 || s.PoolSize > 1024:
		return s, fmt.Errorf("settings: pool_size is %d, must be 1 to 1024", s.PoolSize)
	}
	return s, nil
}

// client connects when it is first needed.
func (s *Settings) client() (*redis.Client, error) {
	tlsConfig, err := s.TLS.Config()
	if err != nil {
		return nil, err
	}
	return redis.NewClient(&redis.Options{
		Addr: s.Address, Username: s.User, Password: s.Password, DB: s.DB, TLSConfig: tlsConfig, ClientName: "hookline",
		PoolSize: s.PoolSize, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		DialTimeout: connectTimeout, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
	}), nil
}
