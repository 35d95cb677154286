package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// answer is what hookline said of one event; Status 0: accepted.
type answer struct {
	Status    int    `json:"status"`
	Title     string `json:"title"`
	Detail    string `json:"detail"`
	Duplicate bool   `json:"duplicate"`
	Errors    []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
}

func (a *answer) String() string {
	text := fmt.Sprintf("%d %s: %s", a.Status, a.Title, a.Detail)
	for _, e := range a.Errors {
		text += "; " + e.Location + " " + e.Message
	}
	return text
}

// poison says whether it is the message that was refused, and not us.
func (a *answer) poison() bool {
	switch a.Status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// refused is an answer about a whole batch; after is how long the server asks to wait.
type refused struct {
	answer
	after time.Duration
}

func (r *refused) Error() string { return "hookline answered " + r.String() }

// Client publishes batches. It is safe for concurrent use; Close its idle connections at the end.
type Client struct {
	http *http.Client
	url  string
	key  string
}

const (
	batchTimeout = 60 * time.Second
	maxAnswer    = 64 << 20 // a batch whose events match a thousand endpoints each has a long answer
)

// NewClient makes a client of a hookline server.
func NewClient(s *Server) (*Client, error) {
	t := &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second, DisableCompression: true, TLSHandshakeTimeout: 10 * time.Second}
	tlsConfig, err := s.TLS.Config()
	if err != nil {
		return nil, err
	}
	t.TLSClientConfig = tlsConfig
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the key goes nowhere else
	return &Client{http: &http.Client{Transport: t, Timeout: batchTimeout, CheckRedirect: noRedirect}, url: strings.TrimSuffix(s.URL, "/"), key: s.Key}, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// post sends items, JSON objects, and returns an answer for each. An error of type *refused is the server's about all of them,
// any other one says nothing about what became of them.
func (c *Client) post(ctx context.Context, tenant string, items [][]byte) ([]answer, error) {
	size := 16
	for _, it := range items {
		size += len(it) + 1
	}
	body := make([]byte, 0, size)
	body = append(body, `{"events":[`...)
	for i, it := range items {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, it...)
	}
	body = append(body, `]}`...)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/v1/tenants/"+url.PathEscape(tenant)+"/events:batch", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.GetBody = nil // a second try is ours to make
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusAccepted {
		r := &refused{}
		if json.Unmarshal(raw, &r.answer) != nil {
			r.Title = http.StatusText(resp.StatusCode)
		}
		r.Status = resp.StatusCode
		if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
			r.after = min(time.Duration(n)*time.Second, lastWait)
		}
		return nil, r
	}
	var got struct{ Results []answer }
	if err := json.Unmarshal(raw, &got); err != nil {
		return nil, fmt.Errorf("hookline's answer: %w", err)
	}
	if len(got.Results) != len(items) {
		return nil, errors.New("hookline's answer has " + strconv.Itoa(len(got.Results)) + " results for " + strconv.Itoa(len(items)) + " events")
	}
	return got.Results, nil
}
