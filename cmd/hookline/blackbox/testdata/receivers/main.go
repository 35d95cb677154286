// Receivers reads requests as JSON from stdin and lets the Go libraries that receivers use judge each. One line for
// each: its judge and "ok", or "refused" and why.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/dnsimple/dnsimple-go/v9/dnsimple/webhook"
	"github.com/google/go-github/v74/github"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type item struct {
	By      string            `json:"by"`
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

func (i *item) request() (*http.Request, error) {
	req, err := http.NewRequest(http.MethodPost, "https://receiver.example/", bytes.NewReader([]byte(i.Body)))
	if err != nil {
		return nil, err
	}
	for name, value := range i.Headers {
		req.Header.Set(name, value)
	}
	return req, nil
}

func (i *item) judge() error {
	req, err := i.request()
	if err != nil {
		return err
	}
	switch i.By {
	case "go-github":
		payload, err := github.ValidatePayload(req, []byte(i.Secret))
		if err != nil {
			return err
		}
		_, err = github.ParseWebHook(github.WebHookType(req), payload)
		return err
	case "go-github-osir": // OSIR's header lacks GitHub's prefix (P2)
		return github.ValidateSignature("sha256="+i.Headers["x-osir-signature"], []byte(i.Body), []byte(i.Secret))
	case "standardwebhooks-go":
		w, err := standardwebhooks.NewWebhook(i.Secret)
		if err != nil {
			return err
		}
		return w.Verify([]byte(i.Body), req.Header)
	case "dnsimple-go":
		event, err := webhook.ParseEvent([]byte(i.Body))
		if err == nil && (event.Name == "" || event.RequestID == "" || event.Account == nil || event.Actor == nil || event.GetData() == nil) {
			err = errors.New("parts are missing")
		}
		return err
	case "cloudevents-go":
		event, err := binding.ToEvent(req.Context(), cehttp.NewMessageFromHttpRequest(req))
		if err != nil {
			return err
		}
		return event.Validate()
	}
	return fmt.Errorf("no judge %q", i.By)
}

func main() {
	var items []item
	if err := json.NewDecoder(os.Stdin).Decode(&items); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for i := range items {
		if err := items[i].judge(); err != nil {
			fmt.Println(items[i].By, "refused", strings.SplitN(err.Error(), "\n", 2)[0])
			continue
		}
		fmt.Println(items[i].By, "ok")
	}
}
