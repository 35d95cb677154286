// Command foreign is DNSimple's own Go module as a judge. It is a module of its own, so that ours never depends on a
// provider's client.
//
//	foreign parse FILE...              parse webhook bodies as a real receiver does
//	foreign walk BASE TOKEN ACCOUNT    create, list, get, miss, and delete webhooks as a real client does
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/dnsimple/dnsimple-go/v9/dnsimple"
	"github.com/dnsimple/dnsimple-go/v9/dnsimple/webhook"
)

func main() {
	err := errors.New("usage: foreign parse FILE... | foreign walk BASE TOKEN ACCOUNT")
	switch {
	case len(os.Args) > 2 && os.Args[1] == "parse":
		err = parse(os.Args[2:])
	case len(os.Args) == 5 && os.Args[1] == "walk":
		w := walker{ctx: context.Background(), base: os.Args[2], account: os.Args[4]}
		w.client = w.connect(os.Args[3])
		err = w.walk()
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

type walker struct {
	ctx           context.Context
	base, account string
	client        *dnsimple.Client
}

func (w *walker) connect(token string) *dnsimple.Client {
	c := dnsimple.NewClient(dnsimple.StaticTokenHTTPClient(w.ctx, token))
	c.BaseURL = w.base
	return c
}

// walk prints a line a step: what the client made of the answer.
func (w *walker) walk() error {
	hooks := w.client.Webhooks
	for _, n := range []int{1, 2, 3} {
		made, err := hooks.CreateWebhook(w.ctx, w.account, dnsimple.Webhook{URL: fmt.Sprintf("https://hooks.example.com/%d", n)})
		if err != nil {
			return fmt.Errorf("create: %w", err)
		}
		fmt.Println("create:", made.HTTPResponse.StatusCode, made.Data.ID, made.Data.URL)
	}
	if err := w.list("list"); err != nil {
		return err
	}
	// Its ListWebhooks drops the options, so these go by the client's own general call.
	if err := w.query("list desc", "?sort=id:desc"); err != nil {
		return err
	}
	if err := w.query("list page", "?page=2&per_page=2"); err != nil {
		return err
	}
	got, err := hooks.GetWebhook(w.ctx, w.account, 2)
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	fmt.Println("get:", got.HTTPResponse.StatusCode, got.Data.ID, got.Data.URL)
	_, err = hooks.GetWebhook(w.ctx, w.account, 99)
	refused("get unknown", err)
	_, err = hooks.ListWebhooks(w.ctx, "nobody", nil)
	refused("unknown account", err)
	_, err = w.connect("wrong").Webhooks.ListWebhooks(w.ctx, w.account, nil)
	refused("bad token", err)
	refused("bad sort", w.query("bad sort", "?sort=name:asc"))
	_, err = hooks.CreateWebhook(w.ctx, w.account, dnsimple.Webhook{URL: "http://hooks.example.com/"})
	refused("http url", err)
	_, err = hooks.CreateWebhook(w.ctx, w.account, dnsimple.Webhook{})
	refused("no url", err)
	copied, err := hooks.CreateWebhook(w.ctx, w.account, *got.Data)
	if err != nil {
		return fmt.Errorf("create a copy: %w", err)
	}
	fmt.Println("copy:", copied.Data.ID, copied.Data.URL)
	gone, err := hooks.DeleteWebhook(w.ctx, w.account, 2)
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	fmt.Println("delete:", gone.HTTPResponse.StatusCode)
	_, err = hooks.DeleteWebhook(w.ctx, w.account, 2)
	refused("delete again", err)
	who, err := w.client.Identity.Whoami(w.ctx)
	if err != nil {
		return fmt.Errorf("whoami: %w", err)
	}
	if who.Data.Account == nil {
		return errors.New("whoami: no account")
	}
	fmt.Println("whoami:", who.HTTPResponse.StatusCode, who.Data.User == nil, who.Data.Account.ID, who.Data.Account.Email)
	return w.list("list")
}

func (w *walker) list(step string) error {
	all, err := w.client.Webhooks.ListWebhooks(w.ctx, w.account, &dnsimple.ListOptions{Sort: dnsimple.String("id:asc")})
	if err == nil {
		tell(step, all)
	}
	return err
}

func (w *walker) query(step, query string) error {
	var page dnsimple.WebhooksResponse
	resp, err := w.client.Request(w.ctx, http.MethodGet, "/v2/"+w.account+"/webhooks"+query, nil, &page, nil)
	if err == nil {
		page.HTTPResponse = resp
		tell(step, &page)
	}
	return err
}

func tell(step string, all *dnsimple.WebhooksResponse) {
	words := []any{step + ":", all.HTTPResponse.StatusCode}
	for _, h := range all.Data {
		words = append(words, h.ID)
	}
	if p := all.Pagination; p != nil {
		words = append(words, fmt.Sprintf("page %d of %d, %d of %d", p.CurrentPage, p.TotalPages, p.PerPage, p.TotalEntries))
	}
	fmt.Println(words...)
}

// refused prints an error answer as the client understood it.
func refused(step string, err error) {
	var e *dnsimple.ErrorResponse
	if !errors.As(err, &e) || e.HTTPResponse == nil {
		fmt.Println(step+": no refusal that the client understands:", err)
		return
	}
	var fields []string
	for name, messages := range e.AttributeErrors {
		if len(messages) > 0 {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	fmt.Println(strings.TrimSpace(fmt.Sprintln(step+":", e.HTTPResponse.StatusCode, e.Message, strings.Join(fields, ","))))
}
