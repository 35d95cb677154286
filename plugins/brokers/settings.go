package brokers

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Decode reads a transport's settings, one JSON object; unknown fields are errors. Empty settings leave v as it is.
func Decode(settings json.RawMessage, v any) error {
	if len(bytes.TrimSpace(settings)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(settings))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("settings: more than one JSON value: give one object")
	}
	return nil
}

// TLS says how a connection is secured. The zero value is plain TCP.
type TLS struct {
	Enabled    bool   `json:"enabled,omitempty"`
	CAPEM      string `json:"ca_pem,omitempty"`      // trusted instead of the system's
	CertPEM    string `json:"cert_pem,omitempty"`    // the client's own certificate
	KeyPEM     string `json:"key_pem,omitempty"`     // and its key; secret
	ServerName string `json:"server_name,omitempty"` // empty: the host that is connected to
}

// TLSSchema is the JSON Schema of TLS.
const TLSSchema = `{
      "type": "object", "additionalProperties": false, "description": "TLS to the broker; absent: plain TCP",
      "properties": {
        "enabled": {"type": "boolean"},
        "ca_pem": {"type": "string", "description": "CA certificates trusted instead of the system's, PEM"},
        "cert_pem": {"type": "string", "description": "the client's certificate, PEM"},
        "key_pem": {"type": "string", "writeOnly": true, "format": "password", "description": "the client's private key, PEM"},
        "server_name": {"type": "string", "description": "the name that the server's certificate must have"}
      }
    }`

// Config is what crypto/tls takes; nil where TLS is off.
func (t TLS) Config() (*tls.Config, error) {
	if !t.Enabled {
		if t.CAPEM != "" || t.CertPEM != "" || t.KeyPEM != "" || t.ServerName != "" {
			return nil, errors.New("settings: tls has fields but enabled is not true: set it, or remove them")
		}
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAPEM != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(t.CAPEM)) {
			return nil, errors.New("settings: tls.ca_pem has no certificate: give PEM")
		}
	}
	if t.CertPEM != "" || t.KeyPEM != "" {
		pair, err := tls.X509KeyPair([]byte(t.CertPEM), []byte(t.KeyPEM))
		if err != nil {
			return nil, fmt.Errorf("settings: tls.cert_pem and tls.key_pem: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
