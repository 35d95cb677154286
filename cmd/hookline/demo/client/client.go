// Package client speaks hookline's HTTP API for the demo and the bench: JSON in, JSON out, problems as errors.
//
// # Promises
//
//   - Every answer's status is looked at: what is not 2xx is a *Problem, with what the server said about it.
//   - Nothing is retried; whoever calls knows what may be repeated.
//
// # Concurrency
//
// A Client is safe for concurrent use. Whoever made it calls Close, which drops idle connections.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxAnswer bounds what is read of one answer, in bytes: a page of 250 attempts with bodies stays below it.
const maxAnswer = 64 << 20

// Client calls one server with one key.
type Client struct {
	base string
	key  string
	http *http.Client
}

// New returns a client for a base address such as http://127.0.0.1:8080. A call takes 30 s at most.
func New(base, key string) *Client {
	return &Client{
		base: strings.TrimSuffix(base, "/"),
		key:  key,
		http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute}},
	}
}

// Close drops idle connections. It is idempotent.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Problem is an answer that is no success (RFC 9457).
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`

	call string
}

func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: status %d", p.call, p.Status)
	for _, s := range []string{p.Title, p.Detail} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	for _, e := range p.Errors {
		fmt.Fprintf(&b, "; %s: %s", e.Location, e.Message)
	}
	return b.String()
}

// Status is the status of the Problem in err, 0 when there is none (the server was not reached, or ctx ended).
func Status(err error) int {
	var p *Problem
	if errors.As(err, &p) {
		return p.Status
	}
	return 0
}

// Do makes one call. in is sent as JSON, as it is when it is a json.RawMessage; nil sends no body. out, when not nil,
// takes the answer.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if raw, ok := in.(json.RawMessage); ok {
			b, err = raw, nil // Marshal would compact it: a payload's bytes are not ours to touch
		}
		if err != nil {
			return fmt.Errorf("client: %s %s: %w", method, path, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("client: %s %s: answer: %w", method, path, err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		p := &Problem{call: method + " " + path}
		if json.Unmarshal(answer, p) != nil {
			p.Detail = strings.TrimSpace(string(answer[:min(len(answer), 200)]))
		}
		p.Status = resp.StatusCode
		return p
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("client: %s %s: answer: %w", method, path, err)
	}
	return nil
}

// Page is one page of a list.
type Page[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// Each walks a list to its end, page by page, until f returns an error. path may carry a query.
func Each[T any](ctx context.Context, c *Client, path string, f func(T) error) error {
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	for cursor := ""; ; {
		var p Page[T]
		if err := c.Do(ctx, http.MethodGet, path+sep+"limit=250"+cursor, nil, &p); err != nil {
			return err
		}
		for _, item := range p.Data {
			if err := f(item); err != nil {
				return err
			}
		}
		if p.NextCursor == nil || *p.NextCursor == "" {
			return nil
		}
		cursor = "&cursor=" + *p.NextCursor
	}
}
