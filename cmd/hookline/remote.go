package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine/api"
)

// remote is a server that the commands talk to.
type remote struct {
	base, key string
	http      *http.Client
	output    string // table or json
	t         *terminal
}

const (
	defaultServer = "http://127.0.0.1:8080"
	remoteTimeout = 90 * time.Second // a test event may take its whole timeout of 60 s
)

// remoteFlags are the flags of all commands that talk to a server.
func remoteFlags(cmd *cobra.Command) {
	fs := cmd.PersistentFlags()
	fs.String("server", "", "`URL` of the API [HOOKLINE_SERVER]; default "+defaultServer)
	fs.String("key", "", "admin `KEY` [HOOKLINE_ADMIN_KEY]; the variable is safer: others can read flags")
	fs.StringP("output", "o", "table", "`table|json`")
}

func connect(cmd *cobra.Command, t *terminal) (*remote, error) {
	pick := func(flag, env, def string) string {
		if v, _ := cmd.Flags().GetString(flag); v != "" {
			return v
		}
		if v := t.getenv(env); v != "" {
			return v
		}
		return def
	}
	r := &remote{
		base: strings.TrimSuffix(pick("server", "HOOKLINE_SERVER", defaultServer), "/"), key: pick("key", "HOOKLINE_ADMIN_KEY", ""),
		http: &http.Client{Timeout: remoteTimeout}, t: t,
	}
	r.output, _ = cmd.Flags().GetString("output")
	if r.output != "table" && r.output != "json" {
		return nil, usagef("-o %q is neither table nor json", r.output)
	}
	u, err := url.Parse(r.base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usagef("--server %q is no address: want e.g. %s", r.base, defaultServer)
	}
	if r.key == "" {
		return nil, usagef("no key: set HOOKLINE_ADMIN_KEY, or give --key; a server that made its own keeps it in DIR/admin.key")
	}
	return r, nil
}

// call makes one request and returns the answer's body. A refusal is an error as people read it.
func (r *remote) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	resp, err := r.send(ctx, method, path, body, "")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("%s broke off its answer: %w", r.base, err)
	}
	if resp.StatusCode >= 300 {
		return nil, refusal(resp.StatusCode, answer)
	}
	return answer, nil
}

// send makes one request. accept names the form that the answer should have; "" = JSON. Whoever called it closes the body.
func (r *remote) send(ctx context.Context, method, path string, body []byte, accept string) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, content)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, fmt.Errorf("%s does not answer: %w: is a server running there? See --server", r.base, err)
	}
	return resp, nil
}

// refusal turns a problem into lines: one for each field, or its detail.
func refusal(status int, answer []byte) error {
	var p api.Problem
	if json.Unmarshal(answer, &p) != nil || p.Detail == "" {
		return fmt.Errorf("refused with status %d: %.200s", status, printable(strings.TrimSpace(string(answer))))
	}
	if status == http.StatusUnauthorized {
		return errors.New("the key is not the server's: see HOOKLINE_ADMIN_KEY, or DIR/admin.key of the server")
	}
	var lines []string
	for _, e := range p.Errors {
		lines = append(lines, printable(e.Location)+": "+printable(e.Message))
	}
	if len(lines) == 0 {
		lines = []string{printable(p.Detail)}
	}
	return errors.New(strings.Join(lines, "\n  "))
}

// pathf joins path segments, escaped.
func pathf(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}
