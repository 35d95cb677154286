// Command foreign is DNSimple's own Go module as a judge. The test builds it in a module of its own, so that ours never
// depends on a provider's client.
//
//	foreign parse FILE...                     parse webhook bodies as a real receiver does
//	foreign api BASE TOKEN ACCOUNT URL        create, list, get, miss, and delete a webhook as a real client does
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/dnsimple/dnsimple-go/v9/dnsimple"
	"github.com/dnsimple/dnsimple-go/v9/dnsimple/webhook"
)

func main() {
	err := errors.New("usage: foreign parse FILE... | foreign api BASE TOKEN ACCOUNT URL")
	switch {
	case len(os.Args) > 2 && os.Args[1] == "parse":
		err = parse(os.Args[2:])
	case len(os.Args) == 6 && os.Args[1] == "api":
		err = api(os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func parse(files []string) error {
	for _, path := range files {
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		e, err := webhook.ParseEvent(body)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if e.Name == "" || e.RequestID == "" || e.Account == nil || e.Actor == nil {
			return fmt.Errorf("%s: parsed without name, request, account or actor", path)
		}
	}
	fmt.Println("parsed", len(files))
	return nil
}

func api(base, token, account, url string) error {
	ctx := context.Background()
	c := dnsimple.NewClient(dnsimple.StaticTokenHTTPClient(ctx, token))
	c.BaseURL = base
	made, err := c.Webhooks.CreateWebhook(ctx, account, dnsimple.Webhook{URL: url})
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	id := made.Data.ID
	listed, err := c.Webhooks.ListWebhooks(ctx, account, nil)
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	got, err := c.Webhooks.GetWebhook(ctx, account, id)
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	_, missing := c.Webhooks.GetWebhook(ctx, account, id+1000)
	_, refused := c.Webhooks.CreateWebhook(ctx, account, dnsimple.Webhook{URL: "http://example.com/"})
	if _, err := c.Webhooks.DeleteWebhook(ctx, account, id); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	left, err := c.Webhooks.ListWebhooks(ctx, account, nil)
	if err != nil {
		return fmt.Errorf("list after delete: %w", err)
	}
	fmt.Println(got.Data.URL, len(listed.Data), len(left.Data), answer(missing), answer(refused))
	return nil
}

// answer is the status and the attributes at fault of an error answer, as the client understood it.
func answer(err error) string {
	var e *dnsimple.ErrorResponse
	if !errors.As(err, &e) || e.HTTPResponse == nil {
		return fmt.Sprintf("not an answer: %v", err)
	}
	text := fmt.Sprint(e.HTTPResponse.StatusCode)
	if e.HTTPResponse.StatusCode == http.StatusBadRequest {
		text += fmt.Sprint("/", len(e.AttributeErrors["url"]) > 0)
	}
	return text
}
