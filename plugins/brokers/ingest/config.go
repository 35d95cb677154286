package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/hookline/hookline/plugins/brokers"
)

// Config is what an ingest process reads from its file, JSON.
type Config struct {
	Hookline Server          `json:"hookline"`
	Broker   json.RawMessage `json:"broker"` // the connection, as in the transport's settings
	Sources  []Source        `json:"sources"`
}

// Server is where events go.
type Server struct {
	URL     string      `json:"url"`          // e.g. http://127.0.0.1:8080
	KeyFile string      `json:"key_file"`     // holds an API key with scope publish
	TLS     brokers.TLS `json:"tls,omitzero"` // of an https url; enabled with ca_pem where the system does not trust it
	Key     string      `json:"-"`            // read from KeyFile
}

// Source is one topic that becomes one tenant's events.
type Source struct {
	Topic string `json:"topic"`           // JetStream stream, Redis stream, Kafka topic, AMQP queue
	Group string `json:"group,omitempty"` // name of the consumer, group or tag; default "hookline"

	Tenant     string `json:"tenant"`
	Type       string `json:"type,omitempty"`        // the events' type; else from TypeHeader
	TypeHeader string `json:"type_header,omitempty"` // default "event-type"
	IDHeader   string `json:"id_header,omitempty"`   // a header that holds the event's id; default none
	Format     string `json:"format,omitempty"`      // what a message is: "data" (default), "payload" or "event"

	Park   string `json:"park"`             // file that poison messages are appended to
	Window int    `json:"window,omitempty"` // messages without an Ack; default 4000, 1 to 100 000
}

// Formats of a message: the event's data, its ready-made body, or the whole JSON object of a publish.
const (
	FormatData    = "data"
	FormatPayload = "payload"
	FormatEvent   = "event"
)

// Load reads a configuration; unknown fields are errors. An error names field, bound and fix.
func Load(file string) (*Config, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := &Config{}
	if err := brokers.Decode(raw, c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	key, err := os.ReadFile(c.Hookline.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("%s: hookline.key_file: %w", file, err)
	}
	if c.Hookline.Key = strings.TrimSpace(string(key)); c.Hookline.Key == "" {
		return nil, fmt.Errorf("%s: hookline.key_file %s is empty: put an API key with scope publish into it", file, c.Hookline.KeyFile)
	}
	return c, nil
}

func (c *Config) validate() error {
	u, err := url.Parse(c.Hookline.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil:
		return fmt.Errorf("hookline.url is %q: give http(s)://HOST:PORT", c.Hookline.URL)
	case c.Hookline.KeyFile == "":
		return errors.New("hookline.key_file is empty: name a file that holds an API key with scope publish")
	case len(c.Broker) == 0:
		return errors.New("broker is empty: give the connection's settings")
	case len(c.Sources) == 0:
		return errors.New("sources is empty: name at least one topic")
	}
	seen := map[string]bool{}
	for i := range c.Sources {
		s := &c.Sources[i]
		if err := s.SetDefaults(); err != nil {
			return fmt.Errorf("sources[%d].%w", i, err)
		}
		if id := s.Group + "\x00" + s.Topic; seen[id] {
			return fmt.Errorf("sources[%d]: topic %s has two sources of group %s: give one of them another group", i, s.Topic, s.Group)
		} else {
			seen[id] = true
		}
	}
	return nil
}

// tenantID says whether a text has the form of a tenant's id.
func tenantID(s string) bool {
	return len(s) > 0 && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
	})
}

// SetDefaults fills what is absent and checks the rest.
func (s *Source) SetDefaults() error {
	if s.Group == "" {
		s.Group = "hookline"
	}
	if s.TypeHeader == "" {
		s.TypeHeader = "event-type"
	}
	if s.Format == "" {
		s.Format = FormatData
	}
	if s.Window == 0 {
		s.Window = 4000
	}
	s.TypeHeader, s.IDHeader = strings.ToLower(s.TypeHeader), strings.ToLower(s.IDHeader)
	switch {
	case s.Topic == "":
		return errors.New("topic is empty: name a stream, topic or queue")
	case !tenantID(s.Tenant):
		return fmt.Errorf("tenant is %q: give the id of a tenant, [A-Za-z0-9_-]{1,64}", s.Tenant)
	case s.Format != FormatData && s.Format != FormatPayload && s.Format != FormatEvent:
		return fmt.Errorf("format is %q: give data, payload or event", s.Format)
	case s.Format == FormatEvent && s.Type != "":
		return errors.New("type is set, but format event takes it from the message: remove one")
	case s.Park == "":
		return errors.New("park is empty: name a file for messages that cannot become events")
	case s.Window < 1 || s.Window > 100_000:
		return fmt.Errorf("window is %d, must be 1 to 100000", s.Window)
	}
	return nil
}
