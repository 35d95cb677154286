package demo

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// errSignature: the signature is not the body's under this secret.
var errSignature = errors.New("x-osir-signature does not fit the body")

// checkOSIR is what OSIR's document tells a customer to do: hex of HMAC-SHA256 over the raw body under the secret as
// shown (O-9 to O-11), compared in constant time. The body is looked at only after it (O-6).
func checkOSIR(h http.Header, body []byte, secret string) error {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	values := h.Values("X-Osir-Signature")
	if len(values) != 1 || !hmac.Equal([]byte(values[0]), []byte(hex.EncodeToString(mac.Sum(nil)))) {
		return errSignature
	}
	var doc struct {
		ID      string          `json:"id"`
		Type    string          `json:"type"`
		Created int64           `json:"created"`
		Data    json.RawMessage `json:"data"`
	}
	if err := strict(body, &doc); err != nil {
		return err
	}
	if !strings.HasPrefix(doc.ID, "evt_") || doc.Type == "" || doc.Created <= 0 || !isObject(doc.Data) {
		return errors.New("id, type, created or data: missing or of another form")
	}
	return nil
}

// envelope is DNSimple's (D-3).
type envelope struct {
	Name              string          `json:"name"`
	APIVersion        string          `json:"api_version"`
	RequestIdentifier string          `json:"request_identifier"`
	Data              json.RawMessage `json:"data"`
	Account           *struct {
		ID         int64  `json:"id"`
		Identifier string `json:"identifier"`
		Display    string `json:"display"`
	} `json:"account"`
	Actor *struct {
		ID     string `json:"id"`
		Entity string `json:"entity"`
		Pretty string `json:"pretty"`
	} `json:"actor"`
}

// checkDNSimple parses the envelope (D-3 to D-8). There is no signature to check (D-15), and none may be there.
func checkDNSimple(h http.Header, body []byte) error {
	if h.Get("X-Osir-Signature") != "" {
		return errors.New("a signature header: DNSimple sends none")
	}
	var e envelope
	if err := strict(body, &e); err != nil {
		return err
	}
	switch {
	case e.Name == "" || e.APIVersion != "v2":
		return fmt.Errorf("name %q, api_version %q: want a name and v2", e.Name, e.APIVersion)
	case !isUUID(e.RequestIdentifier):
		return fmt.Errorf("request_identifier %q: want a UUID", e.RequestIdentifier)
	case e.Account == nil || e.Actor == nil || !isObject(e.Data):
		return errors.New("data, account or actor: missing")
	}
	return nil
}

// strict decodes one JSON value that has no members but the wanted ones.
func strict(body []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if dec.More() {
		return errors.New("body: more than one JSON value")
	}
	return nil
}

func isObject(b json.RawMessage) bool { return len(b) > 0 && b[0] == '{' }

func isUUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	_, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	return err == nil
}
